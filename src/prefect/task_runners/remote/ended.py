"""How a run ended, in few bytes: a flow may hold the futures of a hundred thousand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect.schemas.objects import TaskRunRecord
from prefect.schemas.states import State, StateDetails, StateType
from prefect.task_runners.remote.results import RemoteResult

if TYPE_CHECKING:
    from prefect.engine.inputs import ResultTracker

__all__ = ["Ended"]


class Ended:
    """The last state of a run that went well, and whose result came along: made when somebody asks for it.

    Args:
        record: The run, of which `is_plain` holds.
        content: The pickled result; None where there is none.
        tracker: Remembers which run a value came from.
    """

    __slots__ = ("_content", "_flow_run_id", "_name", "_state_id", "_timestamp", "_tracker")

    def __init__(self, record: TaskRunRecord, content: bytes | None, tracker: ResultTracker | None) -> None:
        state = record.states[-1]
        self._name = record.run.name
        # Of the first state, whose facts all runs of a flow run share; the last has come by wire.
        self._flow_run_id = record.states[0].state_details.flow_run_id
        self._state_id = state.id.bytes
        self._timestamp = state.timestamp
        self._content = content
        self._tracker = tracker

    @staticmethod
    def is_plain(record: TaskRunRecord) -> bool:
        """Whether nothing is lost of the last state of a run: it is Completed, and has nothing special."""
        state = record.states[-1]
        details = StateDetails(
            flow_run_id=record.states[0].state_details.flow_run_id, task_run_id=record.run.id
        )
        return (
            state.type is StateType.COMPLETED
            and state.name == "Completed"
            and state.message is None
            and state.data is None
            and state.state_details
            == StateDetails(flow_run_id=details.flow_run_id, task_run_id=record.run.id)
        )

    def state(self, task_run_id: UUID) -> State[Any]:
        """Return the state.

        Args:
            task_run_id: The run.
        """
        data, tracker = None, self._tracker
        if self._content is not None:
            data = RemoteResult(
                content=self._content,
                what=f"The result of run {self._name!r}",
                note=None if tracker is None else lambda value: tracker.note(value, task_run_id),
            )
        return State(
            type=StateType.COMPLETED,
            data=data,
            state_details=StateDetails(flow_run_id=self._flow_run_id, task_run_id=task_run_id),
            timestamp=self._timestamp,
            id=UUID(bytes=self._state_id),
        )
