"""Runs user code: what comes next is decided purely, and carried out by a sync and an async driver."""
