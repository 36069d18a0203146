from notes.conftest import home

__all__ = ["home"]
