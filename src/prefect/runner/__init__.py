"""Runs deployed flows, each in a process of its own."""
