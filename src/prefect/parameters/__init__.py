"""Parameters of flows and tasks: how arguments are bound to them, checked, and described."""
