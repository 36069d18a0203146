"""What a worker does: it runs a task that was packed elsewhere."""

from __future__ import annotations

import os
import pickle
import platform
import threading
import traceback
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, NamedTuple

import cloudpickle

from prefect.context.carrying import read_parameters
from prefect.context.runs import _TAGS, TagsContext, carry
from prefect.context.travel import unpacked_flow_run
from prefect.engine.entry import run_submitted
from prefect.engine.forked_threads import end_child
from prefect.engine.journal import enter
from prefect.engine.notes import open_journal
from prefect.engine.slots import held_slot
from prefect.exceptions import SerializationError
from prefect.logging.configuration import take_current_level
from prefect.recorder.registry import recorder_here, recorder_of_settings
from prefect.schemas.objects import TaskRunRecord
from prefect.schemas.results import ResultRecord
from prefect.schemas.snapshots import FlowRunSnapshot
from prefect.schemas.states import State
from prefect.settings import Settings, get_current_settings
from prefect.settings.context import _active, temporary_settings
from prefect.states import exception_to_crashed_state, exception_to_failed_state
from prefect.task_runners.base import runner_here
from prefect.task_runners.remote.admission import refusal_of_server
from prefect.task_runners.remote.packing import unpack
from prefect.task_runners.remote.records import End, GatheringRecorder
from prefect.task_runners.remote.reminders import PAUSE
from prefect.task_runners.remote.results import Outcome
from prefect.task_runners.remote.wire import load_parcel
from prefect.task_runners.threads import ThreadPoolTaskRunner
from prefect.types import process_mark

if TYPE_CHECKING:
    from prefect.tasks import Task

__all__ = ["SMALL", "flush_records", "run_parcel"]

SMALL = 1_000
"""Bytes of a pickled result that come along with the answer; a larger one stays where it was made."""
_LARGEST_ERROR = 64_000
"""Bytes of an exception that come along: almost all do."""
_LARGEST_TEXT = 8_000
"""Characters of the text of an exception that is too large to come along."""
_ATOMS = frozenset({int, float, bool, type(None), complex})
_REMEMBERED = 256
_ENDED = "Task run encountered an exception"


class _Prepared(NamedTuple):
    """A shared part, unpacked."""

    task: bytes | Task[Any, Any]
    flow_run: FlowRunSnapshot | None
    tags: frozenset[str]
    settings: Settings
    has_server: bool


Show = Callable[[TaskRunRecord | None, Callable[[], bytes | None]], object]
"""Takes the run that is under way, and what gives a copy of its logs since the last time."""


class _Telling(NamedTuple):
    """How a run is told of; see `run_parcel`."""

    send: Callable[[bytes], None] | None
    most: int | None
    tells_server: bool
    show: Show | None


_prepared: OrderedDict[str, _Prepared] = OrderedDict()
_lock = threading.Lock()


def run_parcel(
    parcel: bytes,
    find_shared: Callable[[str], bytes],
    upstream: Sequence[Any] = (),
    send: Callable[[bytes], None] | None = None,
    most: int | None = SMALL,
    *,
    tells_server: bool = True,
    show: Show | None = None,
) -> tuple[bytes, Outcome]:
    """Run a task that was packed elsewhere; whatever it raises is part of the answer.

    Args:
        parcel: The run, from `pack`.
        find_shared: Returns the shared part of a key; called once for each key in a process.
        upstream: What stands behind the handles of `pack`: outcomes of runs, and values.
        send: Takes messages for `RemoteRun.take` while the task runs; called by any thread. Where there is no
            such way, all comes with the answer.
        most: Bytes that a result may take to come along with the answer; None: it always does.
        tells_server: Whether this process tells the server of the run, where there is one; else the messages
            have all that is to be told, and nothing is lost with the process.
        show: Called with the run before the task begins, where no server is told of it; with None after.

    Returns:
        The answer for `RemoteRun.take`, and the outcome, which stays here.
    """
    key, record, arguments = load_parcel(parcel)
    # Not in the context of the thread: it belongs to the cluster, and is used again.
    telling = _Telling(send, most, tells_server, show)
    return copy_context().run(_run, key, find_shared, record, arguments, upstream, telling)


def _carry_out(
    task: Task[Any, Any], parameters: dict[str, Any], record: TaskRunRecord, wait_for: Any
) -> State[Any]:
    """Run a task to its end; also what is no `Exception` must not end the worker, which has other tasks."""
    mark, raised = process_mark[0], None
    try:
        state = run_submitted(task, parameters, record, open_journal(), wait_for).state
    except BaseException as error:  # noqa: BLE001 - as above; it is in the state of the run
        state, raised = _crashed(record, error), error
    if process_mark[0] is not mark:
        end_child(
            raised
        )  # forked by the task: the answer is for the parent to give, and so is what comes next
    return state


def _crashed(record: TaskRunRecord, error: BaseException) -> State[Any]:
    state = record.run.state
    if state is None or not state.is_final():
        state = exception_to_crashed_state(error, state_details=record.states[0].state_details)
        enter(record, state)
        open_journal().note(record)
    return state


def flush_records() -> bool:
    """Have the servers that this process tells of its runs told all; for the end of a flow run.

    Returns:
        Whether they were.
    """
    with _lock:
        told = {id(one.settings): one.settings for one in _prepared.values() if one.has_server}
    done = [copy_context().run(_flush, settings) for settings in told.values()]
    return all(done)


def _flush(settings: Settings) -> bool:
    _active.set(settings)
    return recorder_of_settings().flush(10.0)


def _run(
    key: str,
    find_shared: Callable[[str], bytes],
    record: TaskRunRecord,
    arguments: bytes,
    upstream: Sequence[Any],
    telling: _Telling,
) -> tuple[bytes, Outcome]:
    send, most, tells_server, show = telling
    with _lock:
        prepared = _prepared.get(key)
    # A cluster that cannot bring it breaks down just now, which is no failure of the task's.
    content = b"" if prepared is not None else find_shared(key)
    try:
        prepared = prepared or _prepare(key, content)
    except Exception as error:  # noqa: BLE001 - whatever reading settings or parameters raises
        recorder = GatheringRecorder(record, send)
        return _refused(
            record, recorder, f"What the worker needs to know of the run cannot be read: {error!r}"
        )
    _make_current(prepared)
    # Once a process, and before the first run: what is told later is lost with a worker that ends meanwhile.
    asks = prepared.has_server and tells_server
    refusal = refusal_of_server(key) if asks else None
    server = recorder_of_settings() if asks and refusal is None else None
    if server is not None:
        server.delay = PAUSE  # a worker is killed more easily than the process of a flow
    recorder = GatheringRecorder(record, send, server, refusal)
    recorder_here.set(recorder)
    name = record.run.name
    try:
        task = _task_of(key, prepared)
    except Exception as error:  # noqa: BLE001 - whatever the unpickling of the user's function raises
        return _refused(record, recorder, f"The task of run {name!r} cannot be read by the worker: {error!r}")
    try:
        parameters, wait_for = unpack(arguments, upstream)
    except Exception as error:  # noqa: BLE001 - whatever the unpickling of users' values raises
        return _refused(
            record, recorder, f"The arguments of run {name!r} cannot be read by the worker: {error!r}"
        )
    nested = ThreadPoolTaskRunner()
    runner_here.set(nested)
    if show is not None and server is None:
        show(record, recorder.new_logs)
    state = _carry_out(task, parameters, record, wait_for)
    if show is not None:
        show(None, recorder.new_logs)
    if nested.is_started:
        # What it submitted, and did not wait for, is part of it: nobody else here would wait.
        nested.finish()
    state, end = _end_of(state, task, record, recorder, most)
    return recorder.end(end), Outcome(state, is_needed=end is not None and end.is_kept)


def _make_current(prepared: _Prepared) -> None:
    _active.set(prepared.settings)
    carry(prepared.flow_run, None)
    _TAGS.set(TagsContext(current_tags=set(prepared.tags)) if prepared.tags else None)
    held_slot.set(None)


def _prepare(key: str, content: bytes) -> _Prepared:
    task, context = pickle.loads(content)
    flow_run = context["flow_run"]
    changes = dict(context["settings"])
    if not context["has_server"]:
        # A worker may be at home with a server that knows nothing of this run.
        changes["PREFECT_API_URL"] = None
    with temporary_settings(changes):
        settings = get_current_settings()
        take_current_level()
    made = _Prepared(
        task=task,
        flow_run=flow_run and unpacked_flow_run(flow_run, read_parameters(context["flow_run_parameters"])),
        tags=frozenset(context["tags"]),
        settings=settings,
        has_server=context["has_server"],
    )
    return _remember(key, made)


def _remember(key: str, made: _Prepared) -> _Prepared:
    with _lock:
        _prepared[key] = made
        if len(_prepared) > _REMEMBERED:
            _prepared.popitem(last=False)
    return made


def _task_of(key: str, prepared: _Prepared) -> Task[Any, Any]:
    task = prepared.task
    if isinstance(task, bytes):
        # In the run's context: what the module of the task does when it is imported belongs to the run.
        read: Task[Any, Any] = cloudpickle.loads(task)
        _remember(key, prepared._replace(task=read))
        return read
    return task


def _refused(record: TaskRunRecord, recorder: GatheringRecorder, why: str) -> tuple[bytes, Outcome]:
    """End a run that cannot be begun here."""
    error = SerializationError(
        f"{why}. Workers need the modules of the tasks, and of their arguments, in the same versions."
    )
    state = exception_to_failed_state(error, _ENDED, state_details=record.states[0].state_details)
    enter(record, state)
    recorder.task_run(record)
    return recorder.end(End(_error_in_bytes(error), False)), Outcome(state, is_needed=False)


def _end_of(
    state: State[Any],
    task: Task[Any, Any],
    record: TaskRunRecord,
    recorder: GatheringRecorder,
    most: int | None,
) -> tuple[State[Any], End | None]:
    data = state.data
    if data is None:
        return state, End(None, False)
    value = data.result if isinstance(data, ResultRecord) else data
    if isinstance(value, BaseException):
        where = f"In process {os.getpid()} of {platform.node()}"
        value.add_note(f"{where}:\n{''.join(traceback.format_exception(value))}")  # tracebacks do not travel
        content = _error_in_bytes(value)
        if content is None:
            state = state.model_copy(update={"data": None})
        return state, End(content, False)
    try:
        content = _in_bytes(value, most)
    except Exception as error:  # noqa: BLE001 - whatever a value's own pickling raises
        failure = SerializationError(
            f"The result of task {task.name!r}, a {type(value).__name__}, cannot be sent back: {error}"
        )
        state = exception_to_failed_state(failure, _ENDED, state_details=state.state_details)
        record.states.pop()  # nobody got the result, so the run has not completed
        enter(record, state)
        recorder.task_run(record)
        return state, End(_error_in_bytes(failure), False)
    return state, End(content, content is None)


class _TooLarge(Exception):
    """A value takes more than it may."""


class _Limited:
    """A file that takes so much and no more."""

    def __init__(self, most: int | None) -> None:
        self.parts: list[bytes] = []
        self._left = most

    def write(self, part: Any) -> int:
        """Take some bytes."""
        size = memoryview(part).nbytes
        if self._left is not None:
            self._left -= size
            if self._left < 0:
                raise _TooLarge
        self.parts.append(bytes(part))
        return size

    def buffer(self, buffer: pickle.PickleBuffer) -> bool:
        """Have an array written with the rest; not even looked at where it is too large."""
        if self._left is not None and buffer.raw().nbytes > self._left:
            raise _TooLarge
        return True


def _in_bytes(value: Any, most: int | None) -> bytes | None:
    """Pickle a value; None where that takes too much."""
    if type(value) in _ATOMS:
        content = pickle.dumps(value, protocol=5)
        return content if most is None or len(content) <= most else None
    file = _Limited(most)
    try:
        cloudpickle.Pickler(file, protocol=5, buffer_callback=file.buffer).dump(value)
    except _TooLarge:
        return None
    return b"".join(file.parts)


def _error_in_bytes(error: BaseException) -> bytes | None:
    """Pickle an exception, or one of its type with a part of its text where it is too large; else None."""
    try:
        content = _in_bytes(error, _LARGEST_ERROR) or _in_bytes(_cut(error), _LARGEST_ERROR)
        if content is not None:
            pickle.loads(content)  # exceptions that want more than their args fail only here
    except Exception:  # noqa: BLE001 - whatever an exception's own pickling raises
        return None
    return content


def _cut(error: BaseException) -> BaseException:
    cut = type(error)(_beginning(str(error)))
    for note in getattr(error, "__notes__", ()):
        cut.add_note(_beginning(str(note)))
    cut.add_note(
        f"This {type(error).__name__} took more than {_LARGEST_ERROR:,} bytes: all but its type, the "
        "beginning of its text and that of its notes was left on the worker."
    )
    return cut


def _beginning(text: str) -> str:
    return text if len(text) <= _LARGEST_TEXT else f"{text[:_LARGEST_TEXT]} … ({len(text):,} characters, cut)"
