"""Sections of settings, under the paths that existing code imports them from."""
