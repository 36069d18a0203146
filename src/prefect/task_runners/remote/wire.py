"""Records as few bytes: most of what a small task costs was to pickle them.

Structs go as plain tuples, with identical details said once. What does not fit (metadata of a persisted
result, text that is no valid Unicode) is pickled.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any, get_type_hints
from uuid import UUID

import msgspec
from msgspec.structs import astuple

from prefect.schemas.base import whole
from prefect.schemas.objects import Log, TaskRun, TaskRunRecord
from prefect.schemas.results import ResultRecord, ResultRecordMetadata
from prefect.schemas.states import NO_DETAILS, State, StateDetails

__all__ = ["dump_message", "dump_parcel", "load_message", "load_parcel"]

_PICKLED = 0x80
"""How every pickle begins, and nothing here does."""
_UNFIT = (TypeError, ValueError, OverflowError, msgspec.MsgspecError)


class _Unfit(ValueError):
    """A record has something that only a pickle keeps."""


def _names(cls: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in msgspec.structs.fields(cls))


def _as_tuple(cls: type[Any], **others: Any) -> Any:
    """Return the type of what `astuple` makes of a struct."""
    hints = {**get_type_hints(cls), **others}
    return tuple[tuple(hints[name] for name in _names(cls))]  # type: ignore[misc]


_RUN_STATE = _names(TaskRun).index("state")
_STATE_DATA = _names(State).index("data")
_STATE_DETAILS = _names(State).index("state_details")
# The types below are made when this is loaded, which a checker of types cannot follow.
_states: Any = _as_tuple(State, data=None, state_details=_as_tuple(StateDetails) | None)
_record: Any = tuple[_as_tuple(TaskRun, state=None), list[_states], dict[UUID, UUID]]  # type: ignore[misc]
_message: Any = tuple[list[_record], list[_as_tuple(Log)], tuple[bytes | None, bool] | None, bool, str | None]  # type: ignore[misc]
_state: Callable[..., State[Any]] = State
_task_run: Callable[..., TaskRun] = TaskRun
_encoder = msgspec.msgpack.Encoder(uuid_format="bytes")
_parcels: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(whole(tuple[str, _record, bytes]))
_messages: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(whole(_message))


def dump_parcel(key: str, record: TaskRunRecord, arguments: bytes) -> bytes:
    """Return a parcel as bytes."""
    try:
        return _encoder.encode((key, _flat(record), arguments))
    except _UNFIT:
        return pickle.dumps((key, record, arguments), protocol=5)


def load_parcel(content: bytes) -> tuple[str, TaskRunRecord, bytes]:
    """Return what `dump_parcel` was given."""
    if content[0] == _PICKLED:
        read: tuple[str, TaskRunRecord, bytes] = pickle.loads(content)
        return read
    key, record, arguments = _parcels.decode(content)
    return key, _raised(record), arguments


def dump_message(
    records: list[TaskRunRecord],
    logs: list[Log],
    end: tuple[bytes | None, bool] | None,
    is_told: bool,
    warning: str | None = None,
) -> bytes:
    """Return a message as bytes; results that live in this process are left out of the records."""
    try:
        return _encoder.encode(
            ([_flat(record) for record in records], [astuple(log) for log in logs], end, is_told, warning)
        )
    except _UNFIT:
        told = [_without_results(record) for record in records]
        return pickle.dumps((told, logs, end, is_told, warning), protocol=5)


def load_message(
    content: bytes,
) -> tuple[list[TaskRunRecord], list[Log], tuple[bytes | None, bool] | None, bool, str | None]:
    """Return what `dump_message` was given."""
    read: Any
    if content[0] == _PICKLED:
        read = pickle.loads(content)
    else:
        records, logs, end, is_told, warning = _messages.decode(content)
        told = [Log(*log) for log in logs]
        read = [_raised(record) for record in records], told, end, is_told, warning
    found: tuple[list[TaskRunRecord], list[Log], tuple[bytes | None, bool] | None, bool, str | None] = read
    return found


def _flat(record: TaskRunRecord) -> tuple[Any, ...]:
    run = list(astuple(record.run))
    run[_RUN_STATE] = None  # it is the last of the states
    states, before = [], None
    for state in record.states:
        flat = list(astuple(state))
        if state.data is not None:
            if _data_to_tell(state.data) is not None:
                raise _Unfit
            flat[_STATE_DATA] = None
        details = state.state_details
        flat[_STATE_DETAILS] = None if details is before or details == before else astuple(details)
        before = details
        states.append(flat)
    return run, states, record.follows


def _data_to_tell(data: Any) -> ResultRecordMetadata | None:
    """Return where a result is kept, which alone is told of it."""
    if isinstance(data, ResultRecord):
        return data.metadata
    return data if isinstance(data, ResultRecordMetadata) else None


def _without_results(record: TaskRunRecord) -> TaskRunRecord:
    states = [state.model_copy(update={"data": _data_to_tell(state.data)}) for state in record.states]
    run = msgspec.structs.replace(record.run, state=states[-1])
    return TaskRunRecord(run=run, states=states, follows=record.follows)


def _raised(flat: tuple[Any, ...]) -> TaskRunRecord:
    # By position: by name, what is made here would take four times as long.
    run, flat_states, follows = flat
    states: list[State[Any]] = []
    details = NO_DETAILS
    for facts in flat_states:
        told = facts[_STATE_DETAILS]
        if told is not None:
            details = StateDetails(*told)
        states.append(_state(*facts[:_STATE_DETAILS], details, *facts[_STATE_DETAILS + 1 :]))
    made = _task_run(*run[:_RUN_STATE], states[-1], *run[_RUN_STATE + 1 :])
    return TaskRunRecord(made, states, follows)
