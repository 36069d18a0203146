"""The keys under which a paused run's inputs are kept."""

from __future__ import annotations

from typing import Any, TypedDict

from prefect.schemas.states import State

__all__ = ["Keyset", "keyset_from_base_key", "keyset_from_paused_state"]


class Keyset(TypedDict):
    """Where the description and the schema of what a run waits for are, and the answer."""

    description: str
    response: str
    schema: str


def keyset_from_base_key(base_key: str) -> Keyset:
    """Return the keys that belong to one name.

    Args:
        base_key: What they start with.
    """
    return Keyset(
        description=f"{base_key}-description", response=f"{base_key}-response", schema=f"{base_key}-schema"
    )


def keyset_from_paused_state(state: State[Any]) -> Keyset:
    """Return the keys of a pause.

    Args:
        state: A paused state.

    Raises:
        RuntimeError: It is none.
    """
    if not state.is_paused():
        raise RuntimeError(f"{state} is no paused state.")
    return keyset_from_base_key(f"{str(state.name).lower()}-{state.state_details.pause_key}")
