"""Limits of tags, taken for a task run by its id: the interface's older form."""
