"""Blocks: typed values that are kept under a name, secrets among them."""
