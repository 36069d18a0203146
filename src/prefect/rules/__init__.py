"""Pure decisions: values in, a decision out; no clock, no settings, no I/O."""
