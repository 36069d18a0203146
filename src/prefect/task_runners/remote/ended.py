"""How a run ended, in few bytes: a flow may hold the futures of a hundred thousand."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect.schemas.objects import TaskRunRecord
from prefect.schemas.states import State, StateDetails, StateType
from prefect.task_runners.remote.results import RemoteResult

if TYPE_CHECKING:
    from prefect.engine.inputs import ResultTracker

__all__ = ["Ended"]


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_HEAD = Struct("<16s16sqI?")
"""The ids of run and state, the state's time, the length of the run's name, whether there is a result."""
_UNREAD: Any = object()


class Ended:
    """The last state of a run that went well, and whose result came along: made when somebody asks for it.

    Args:
        record: The run, of which `is_plain` holds.
        content: The pickled result; None where there is none.
        tracker: Remembers which run a value came from.
    """

    __slots__ = ("_flow_run_id", "_packed", "_tracker")

    def __init__(self, record: TaskRunRecord, content: bytes | None, tracker: ResultTracker | None) -> None:
        state, name = record.states[-1], record.run.name.encode()
        # Of the first state, whose facts all runs of a flow run share; the last has come by wire.
        self._flow_run_id = record.states[0].state_details.flow_run_id
        time = (state.timestamp - _EPOCH) // _MICROSECOND
        # In one piece: as an object each, they would take three times as much.
        self._packed = b"".join(
            (
                _HEAD.pack(record.run.id.bytes, state.id.bytes, time, len(name), content is not None),
                name,
                content or b"",
            )
        )
        self._tracker = tracker

    @staticmethod
    def is_plain(record: TaskRunRecord) -> bool:
        """Whether nothing is lost of the last state of a run: it is Completed, and has nothing special."""
        state, flow_run_id = record.states[-1], record.states[0].state_details.flow_run_id
        return (
            state.type is StateType.COMPLETED
            and state.name == "Completed"
            and state.message is None
            and state.data is None
            and state.state_details == StateDetails(flow_run_id=flow_run_id, task_run_id=record.run.id)
        )

    @property
    def task_run_id(self) -> UUID:
        """The run's id."""
        return UUID(bytes=self._packed[:16])

    def value(self) -> Any:
        """Return the result: what `state().data.result` is, in a third of the time."""
        task_run_id, _, _, length, has_result = _HEAD.unpack_from(self._packed)
        if not has_result:
            return None
        try:
            value = pickle.loads(memoryview(self._packed)[_HEAD.size + length :])
        except Exception:  # noqa: BLE001 - whatever reading users' values raises; this says it as it should
            return self.state().data.result
        if self._tracker is not None:
            self._tracker.note(value, UUID(bytes=task_run_id))
        return value

    def state(self, value: Any = _UNREAD) -> State[Any]:
        """Return the state.

        Args:
            value: The result, where it was read already.
        """
        task_run_id = self.task_run_id
        _, state_id, time, length, has_result = _HEAD.unpack_from(self._packed)
        rest = self._packed[_HEAD.size :]
        data, tracker = None, self._tracker
        if has_result and value is not _UNREAD:
            data = RemoteResult(is_here=True, value=value)
        elif has_result:
            data = RemoteResult(
                content=rest[length:],
                what=f"The result of run {rest[:length].decode()!r}",
                note=None if tracker is None else lambda value: tracker.note(value, task_run_id),
            )
        return State(
            type=StateType.COMPLETED,
            data=data,
            state_details=StateDetails(flow_run_id=self._flow_run_id, task_run_id=task_run_id),
            timestamp=_EPOCH + time * _MICROSECOND,
            id=UUID(bytes=state_id),
        )
