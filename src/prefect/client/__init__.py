"""Clients: how the engine, the command line and users call operations."""
