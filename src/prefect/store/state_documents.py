"""What is kept of a state.

A history has several states a run, so what says nothing is left out, and so is what the run's own row says.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from prefect.schemas.base import jsonable, whole
from prefect.schemas.results import ResultRecord, ResultRecordMetadata
from prefect.schemas.states import NO_DETAILS, State, StateDetails
from prefect.store.values import clean_text

__all__ = ["data_to_keep", "details_to_keep", "follows_in", "state_to_keep"]

_DETAIL_NAMES = StateDetails.__struct_fields__[2:]
"""All but `flow_run_id` and `task_run_id`, which the row of the run says already."""
_NO_VALUES = msgspec.structs.astuple(NO_DETAILS)[2:]
_TRISTATE = frozenset({"refresh_cache", "retriable"})


def data_to_keep(data: Any) -> Any:
    """Return what a state leaves behind on disk: where its result is, or plain JSON; never a live value."""
    if isinstance(data, ResultRecord):
        data = data.metadata
    if isinstance(data, ResultRecordMetadata):
        return jsonable(data)
    return data if isinstance(data, dict | list | str | int | float) else None


def details_to_keep(details: StateDetails) -> dict[str, Any]:
    """Return those details of a state that say something; most say nothing."""
    if details is NO_DETAILS:
        return {}
    values = msgspec.structs.astuple(details)[2:]
    if values == _NO_VALUES:
        return {}
    return {
        name: value
        for name, value in zip(_DETAIL_NAMES, values, strict=True)
        if value is not None and (value is not False or name in _TRISTATE)
    }


def state_to_keep(state: State[Any], follows: UUID | None = None) -> dict[str, Any]:
    """Return what is kept of a state in the history of a task run.

    Args:
        state: The state.
        follows: The state before, where an event said which.
    """
    kept: dict[str, Any] = {
        "id": state.id,
        "type": state.type,
        "name": state.name,
        "timestamp": state.timestamp,
    }
    if state.message is not None:
        kept["message"] = clean_text(state.message)
    if state.data is not None and (data := data_to_keep(state.data)) is not None:
        kept["data"] = data
    if details := details_to_keep(state.state_details):
        kept["state_details"] = details
    if follows is not None:
        kept["follows"] = follows
    return kept


class _Link(msgspec.Struct):
    id: UUID
    follows: UUID | None = None


_decode_links = msgspec.json.Decoder(whole(list[_Link])).decode


def follows_in(history: str) -> dict[UUID, UUID]:
    """Return which state follows which in a history as it is kept, where that was said.

    Args:
        history: The documents of the states.
    """
    if '"follows"' not in history:
        return {}
    return {link.id: link.follows for link in _decode_links(history) if link.follows is not None}
