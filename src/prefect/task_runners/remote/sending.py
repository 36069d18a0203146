"""A task run that another process carries out, as it is known where it was submitted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect.context.runs import _FLOW_RUN
from prefect.engine.beginning import new_task_run
from prefect.engine.inputs import pending
from prefect.engine.journal import enter
from prefect.engine.notes import notes_of, open_journal
from prefect.exceptions import SerializationError
from prefect.logging.loggers import get_logger
from prefect.recorder import get_recorder
from prefect.schemas.objects import TaskRunRecord
from prefect.schemas.states import TERMINAL_STATES, State, StateType
from prefect.states import exception_to_failed_state
from prefect.task_runners.remote.ended import Ended
from prefect.task_runners.remote.nested import crashed_with
from prefect.task_runners.remote.packing import Packed, pack
from prefect.task_runners.remote.records import End, read_message
from prefect.task_runners.remote.results import RemoteFuture, RemoteResult
from prefect.task_runners.remote.sharing import SharedPart, shared_part

if TYPE_CHECKING:
    from prefect.engine.future import PrefectFuture
    from prefect.tasks import Task

__all__ = ["RemoteRun"]


class RemoteRun:
    """A task run that another process carries out.

    Its methods are called by one thread at a time.

    Args:
        task: The task.
        parameters: Its arguments by name.
        wait_for: Runs that must have completed before.
        owner: The runner.
        record: The run, where it was made before; else a new one is made, and written down.
    """

    __slots__ = (
        "_context",
        "_copied",
        "_recorder",
        "_tracker",
        "_within",
        "deaths",
        "future",
        "is_told_there",
        "journal",
        "parameters",
        "record",
        "task",
        "wait_for",
    )

    def __init__(
        self,
        task: Task[Any, Any],
        parameters: dict[str, Any],
        wait_for: Iterable[Any] | None,
        owner: object,
        record: TaskRunRecord | None = None,
    ) -> None:
        flow = _FLOW_RUN.get()
        notes = notes_of(flow) if flow is not None else None
        self.task = task
        self.parameters = parameters
        self.wait_for = wait_for
        self.deaths = 0
        """How many workers were lost while they had it."""
        self.is_told_there = False
        """Whether its worker tells a server of it."""
        self.journal = open_journal() if notes is None else notes.journal
        self._recorder = get_recorder()
        self._tracker = notes.tracker if notes is not None else None
        self._within: dict[UUID, TaskRunRecord] | None = None
        """What the worker has told of runs in this one that have not ended."""
        self._copied: set[UUID] | None = None
        """Logs that are here already, of those that the answer may have."""
        self._context: Context = copy_context()
        self.record: TaskRunRecord = record or new_task_run(task, parameters, wait_for)
        self.future: RemoteFuture[Any] = RemoteFuture(self.record.run.id, owner)
        self.future.follow(self.record)
        if record is None:
            self.journal.note(self.record)

    @property
    def has_begun(self) -> bool:
        """Whether a worker has said that it runs the task."""
        return self.record.run.run_count > 0

    def waits_for(self) -> list[PrefectFuture[Any]]:
        """Return the futures that must finish before the run can be packed: those without a handle."""
        found = pending(self.parameters, self.wait_for)
        owner = self.future.owner
        return [future for future in found if not _is_at_hand(future, owner)]

    def pack(self, scatter: Callable[[Any], Any] | None = None) -> tuple[SharedPart, Packed]:
        """Return what is to be sent; see `shared_part` and `pack`.

        Args:
            scatter: See `pack`.

        Raises:
            prefect.exceptions.SerializationError: The task or an argument cannot be pickled; `fail` is next.
        """
        # In the context of `submit`: the run may have had to wait.
        shared = self._context.run(shared_part, self.task)
        packed = pack(
            self.record,
            shared,
            self.parameters,
            self.wait_for,
            task_name=self.task.name,
            owner=self.future.owner,
            scatter=scatter,
        )
        return shared, packed

    def take(
        self,
        message: bytes,
        fetch: Callable[[], Any] | None = None,
        *,
        is_kept: bool = True,
        is_copy: bool = False,
    ) -> bool:
        """Take a message or the answer of the worker: write down what it tells.

        Args:
            message: The bytes.
            fetch: Gets the value (of the `Outcome`) from the cluster, where it was too large to come along.
            is_kept: Whether the outcome stays on the cluster, also where the value came along: then tasks
                that are given the future get it there.
            is_copy: Whether the answer says it again.

        Returns:
            Whether the run has ended by it.
        """
        read = read_message(message)
        self.is_told_there = read.is_told
        for record in read.records:
            if record.run.id == self.record.run.id:
                self._follow(record, is_told=read.is_told)
            else:
                self._note_within(record)
        copied = self._copied or set()
        for log in read.logs:
            if log.id not in copied:
                self._recorder.log(log)
        if is_copy:
            copied.update(log.id for log in read.logs)
            self._copied = copied
        if read.warning is not None:
            _warn_once(read.warning, self.record.run.flow_run_id)
        if read.end is None or self.future.done():
            return False
        self._complete(read.end, fetch, is_kept=is_kept)
        return True

    def fail(self, error: SerializationError) -> None:
        """End the run as Failed, since it cannot be sent."""
        self.end(exception_to_failed_state(error, "Task run encountered an exception"))

    def crash(self, message: str) -> None:
        """End the run as Crashed, unless it has ended."""
        self._crash_within(message)
        self.end(State(type=StateType.CRASHED, message=message))

    def cancel(self, message: str) -> None:
        """End the run as Cancelled, unless it has ended."""
        self.end(State(type=StateType.CANCELLED, message=message))

    def begin(self) -> None:
        """Note that the task has been run, where the worker could not say so any more."""
        self._enter(State(type=StateType.RUNNING))

    def await_retry(self, message: str) -> None:
        """Note that the run is sent again, since its worker was lost."""
        self._crash_within(message)
        self._enter(State(type=StateType.SCHEDULED, name="AwaitingRetry", message=message))

    def end(self, state: State[Any]) -> None:
        """Put the run in a final state from here, unless it has ended."""
        if not self.future.done():
            self.future.complete(self._enter(state))
            self._let_go()

    def _note_within(self, record: TaskRunRecord) -> None:
        within = self._within or {}
        if record.run.state_type in TERMINAL_STATES:
            within.pop(record.run.id, None)
        elif not self.future.done():
            within[record.run.id] = record
        self._within = within or None
        self.journal.note(record)

    def _crash_within(self, why: str) -> None:
        within, self._within = self._within or {}, None
        for record in within.values():
            state = crashed_with(why).model_copy(update={"state_details": record.states[0].state_details})
            enter(record, state)
            self.journal.note(record)

    def _enter(self, state: State[Any]) -> State[Any]:
        state = state.model_copy(update={"state_details": self.record.states[0].state_details})
        enter(self.record, state)
        self.journal.note(self.record)
        return state

    def _follow(self, record: TaskRunRecord, *, is_told: bool) -> None:
        if self.future.done() or self.record.run.state_type in TERMINAL_STATES:
            return  # given up meanwhile: what comes late changes nothing
        # The first state is the one of before; with it goes the flow run's id, which all runs here share.
        self.record.run, self.record.states = record.run, [self.record.states[0], *record.states[1:]]
        if not is_told:
            self.journal.note(self.record)

    def _complete(self, end: End, fetch: Callable[[], Any] | None, *, is_kept: bool) -> None:
        state = self.record.states[-1]
        if not (is_kept or end.is_kept) and Ended.is_plain(self.record):
            self.future.handle = None
            self.future.end_well(Ended(self.record, end.content, self._tracker))
            self._let_go()
            return
        if end.content is not None or end.is_kept:
            tracker, run_id = self._tracker, self.record.run.id
            data = RemoteResult(
                metadata=state.data,
                content=end.content,
                # Not for one that is here: it holds the handle, and with it all that the cluster keeps of it.
                fetch=fetch if end.is_kept else None,
                handle=self.future.handle if end.is_kept else None,
                owner=self.future.owner,
                what=f"The result of run {self.record.run.name!r}",
                note=None if tracker is None else lambda value: tracker.note(value, run_id),
            )
            state = state.model_copy(update={"data": data})
        if not (is_kept or end.is_kept):
            self.future.handle = None
        self.future.complete(state)
        self._let_go()

    def _let_go(self) -> None:
        """Keep nothing of what was sent: there may be a hundred thousand such runs."""
        self.parameters, self.wait_for = {}, None
        self._context, self._within, self._copied = _NOTHING, None, None


_NOTHING = Context()
_warned: set[tuple[str, UUID | None]] = set()


def _warn_once(warning: str, flow_run_id: UUID | None) -> None:
    if (warning, flow_run_id) not in _warned:
        _warned.add((warning, flow_run_id))
        get_logger("task_runners").warning("%s", warning)


def _is_at_hand(future: PrefectFuture[Any], owner: object) -> bool:
    if isinstance(future, RemoteFuture) and future.owner is owner and future.handle is not None:
        return True
    done = getattr(future, "done", None)
    return bool(done()) if done is not None else future.state.is_final()
