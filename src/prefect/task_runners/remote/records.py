"""What a worker tells of a run while it runs, and at its end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic
from typing import NamedTuple
from uuid import UUID

from prefect.recorder import Recorder
from prefect.recorder.registry import recorder_of_settings
from prefect.schemas.objects import Log, TaskRunRecord
from prefect.schemas.states import TERMINAL_STATES
from prefect.task_runners.remote.reminders import PAUSE, remind
from prefect.task_runners.remote.wire import dump_message, load_message
from prefect.types import process_mark

__all__ = ["End", "GatheringRecorder", "Message", "read_message", "told", "without_end"]


class End(NamedTuple):
    """The end of a run."""

    content: bytes | None
    """The pickled result, or exception, where it comes along."""
    is_kept: bool
    """Whether it stays on the cluster."""


class Message(NamedTuple):
    """What a worker tells of a run."""

    records: list[TaskRunRecord]
    """The run itself, where it has changed, and task runs within it; without results."""
    logs: list[Log]
    end: End | None
    """None: the run goes on."""
    is_told: bool
    """Whether the worker tells a server itself, so that nothing of this need be written down."""
    warning: str | None
    """Why the worker cannot do so, where it should."""


class GatheringRecorder(Recorder):
    """Gathers what one task run records, and sends it on.

    Args:
        own: The run; when it begins to run, that is told at once.
        send: Sends a message at any time; None: all goes with the answer.
        server: Takes the records where a server keeps them. Messages tell then of the run itself alone.
        warning: Why there is no server, where there should be one.
    """

    __slots__ = (
        "_changed",
        "_copied",
        "_guard",
        "_is_over",
        "_is_reminded",
        "_logs",
        "_mark",
        "_own",
        "_send",
        "_sent_at",
        "_server",
        "_warning",
    )

    def __init__(
        self,
        own: TaskRunRecord,
        send: Callable[[bytes], None] | None,
        server: Recorder | None = None,
        warning: str | None = None,
    ) -> None:
        # Not the queue, thread and locks of one that writes.
        self.closed = False
        if server is not None:
            self.sink = server.sink
        self._server = server
        self._warning = warning
        self._own = own
        self._send = send
        self._changed: dict[int, TaskRunRecord] = {}
        self._logs: list[Log] = []
        self._copied = 0
        self._sent_at = monotonic()
        self._guard = threading.Lock()
        self._is_over = self._is_reminded = False
        self._mark = process_mark[0]

    def task_run(self, record: TaskRunRecord) -> None:
        """Note that a task run is new or has changed."""
        if self._is_left():
            recorder_of_settings().task_run(record)
            return
        if self._server is not None:
            self._server.task_run(record)
            if record is not self._own:
                return
        with self._guard:
            if is_here := not self._is_over:
                self._changed[id(record)] = record
                state = record.run.state
                self._send_if_due(record is self._own and state is not None and state.is_running())
        if not is_here and self._server is None:
            recorder_of_settings().task_run(record)

    def log(self, log: Log) -> None:
        """Note a log record."""
        if self._is_left():
            recorder_of_settings().log(log)
            return
        if self._server is not None:
            self._server.log(log)
            return
        with self._guard:
            if is_here := not self._is_over:
                self._logs.append(log)
                self._send_if_due(False)
        if not is_here:
            recorder_of_settings().log(log)  # of a thread that the task has left behind

    def end(self, end: End | None) -> bytes:
        """Return the last message of the run."""
        with self._guard:
            self._is_over = True
            self._changed.setdefault(id(self._own), self._own)
            return self._taken(end)

    def new_logs(self) -> bytes | None:
        """Return a message of the logs since the last time; the end of the run has them again."""
        with self._guard:
            new = [] if self._is_over else self._logs[self._copied :]
            self._copied += len(new)
        return dump_message([], new, None, False) if new else None

    def flush(self, timeout: float | None = None) -> bool:
        """Have a server told; what is gathered here arrives with the end of the run."""
        if self._is_left():
            return recorder_of_settings().flush(timeout)
        return self._server is None or self._server.flush(timeout)

    def close(self, timeout: float = 10.0) -> bool:
        """Do nothing; as `flush`."""
        return True

    @property
    def is_writing(self) -> bool:
        """Whether the calling thread is writing right now."""
        return self._server is not None and self._server.is_writing

    def hold(self, flow_run_id: UUID) -> None:
        """Take a lease on a flow run that is nested in the task: that one is written down from here."""
        recorder_of_settings().hold(flow_run_id)

    def release(self, flow_run_id: UUID, *, ended: bool = True) -> None:
        """Stop renewing the lease on a nested flow run."""
        recorder_of_settings().release(flow_run_id, ended=ended)

    def holds(self, flow_run_id: UUID) -> bool:
        """Whether this process keeps the lease on a flow run."""
        return recorder_of_settings().holds(flow_run_id)

    def learn_of_outage(self, error: Exception) -> bool:
        """Take it that the store fails, which concerns nested flow runs alone."""
        return recorder_of_settings().learn_of_outage(error)

    def learn_of_recovery(self) -> None:
        """Take it that the store works again."""
        recorder_of_settings().learn_of_recovery()

    def _is_left(self) -> bool:
        """Whether the task has forked this process: what was gathered, and the guard, are the parent's."""
        return self._mark is not process_mark[0]

    def _send_if_due(self, is_urgent: bool) -> None:
        if self._send is None:
            return
        if is_urgent or monotonic() - self._sent_at >= PAUSE:
            self._sent_at = monotonic()
            self._send(self._taken(None))
        elif not self._is_reminded:
            # Where there is no thread for it, what was told goes with the next that is, or with the answer.
            self._is_reminded = remind(self._send_what_is_left)

    def _send_what_is_left(self) -> None:
        """Send what the run has told last: for the next that it tells it may take hours, or be killed."""
        with self._guard:
            self._is_reminded = False
            if not self._is_over and (self._changed or self._logs):
                self._send_if_due(True)

    def _taken(self, end: End | None) -> bytes:
        own = self._changed.get(id(self._own))
        if end is None and own is not None and own.run.state_type in TERMINAL_STATES:
            # Not before it is known whether the result can be sent.
            del self._changed[id(self._own)]
        records = list(self._changed.values())
        logs = self._logs
        self._changed, self._logs = {}, []
        warning = None if end is None else self._warning
        return dump_message(records, logs, end, self._server is not None, warning)


def told(record: TaskRunRecord) -> bytes:
    """Return a message of a run as it is just now; the run goes on."""
    return dump_message([record], [], None, False)


def without_end(content: bytes) -> bytes:
    """Return a message of the same records, without what the run has returned or raised."""
    records, logs, _, is_told, warning = load_message(content)
    return dump_message(records, logs, None, is_told, warning)


def read_message(content: bytes) -> Message:
    """Read a message that a worker has sent."""
    records, logs, end, is_told, warning = load_message(content)
    return Message(records, logs, None if end is None else End(*end), is_told, warning)
