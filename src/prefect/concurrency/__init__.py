"""Limits on how much is done at once, and how often, wherever it is done."""
