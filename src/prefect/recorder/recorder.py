"""The recorder: takes notes of task runs and logs at once, and writes them down behind the work.

Why this is correct:

- *Nothing is lost between threads.* Producers only ever append to the right end of one deque, which is
  atomic. Items leave at the left end, taken by the one thread that has the *turn* (a lock), and only after
  they were written: the queue is the backlog. Reading `queue[i]` meanwhile is safe: appending moves no item.
- *No wake-up is missed.* The writer thread says `_parked = True` and then looks at the queue; a producer
  appends and then looks at `_parked`. Whichever comes second sees the other. The bell is a bare lock, held
  while silent: to ring is to release it, one step that no signal handler can cut in two. A needless ring
  costs a glance at the queue.
- *Nobody waits for ever.* A producer waits only while earlier items are being written, and for a second at
  most per thousand items. In an outage of the store nobody waits, and the newest `KEEP` items are kept. The
  turn's lock is re-entrant, so that a KeyboardInterrupt that strikes just after it was taken leaves the
  thread able to take it again; writing *within* writing (a log line made by the store, a signal handler) is
  refused by looking at `_writer`.
- *A record may change while it waits.* The engine appends the same object again after each change; a batch
  holds it once, by identity, with its newest content. If it changes while it is being encoded, the append
  that follows writes it anew.
- *A run that was only submitted can wait* (`Sink.patience`): most have ended soon after, and are written
  once. Those that wait belong to whoever has the turn. One that changes is appended again, as any is; `flush`
  and `close` do not wait.
- *A fork is no copy.* In the child, queue, thread and locks are made anew: what was pending is the parent's.
- *Exit.* `close` runs from `atexit`, when daemon threads still live, and waits ten seconds at most. What is
  appended later is written by the thread that appends it.
"""

from __future__ import annotations

import atexit
import logging
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any
from uuid import UUID

from prefect.recorder.leases import Leases
from prefect.recorder.outage import Outage, describe_refused, is_outage, last_words, summed_up
from prefect.recorder.sink import Sink
from prefect.recorder.submitted import Submitted
from prefect.schemas.objects import Log, TaskRunRecord

__all__ = ["Recorder"]

BATCH = 1_000
"""Items in a transaction; also how many may wait, while the writer writes, before producers are slowed."""
KEEP = 100_000
"""Items kept in an outage; the oldest are dropped beyond it."""
PATIENCE = 1.0
"""Seconds that a producer waits for the writer before it goes on regardless."""

_log = logging.getLogger("prefect.recorder")


class Recorder:
    """Writes task runs and logs to a sink, in batches, from a thread that starts with the first of them.

    Args:
        sink: Where to write.
    """

    __slots__ = (
        "_bell",
        "_full",
        "_leases",
        "_outage",
        "_parked",
        "_queue",
        "_said",
        "_start_lock",
        "_submitted",
        "_thread",
        "_turn",
        "_writer",
        "closed",
        "delay",
        "sink",
    )

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.delay = sink.delay
        self.forget()

    def forget(self) -> None:
        """Begin anew, as in a forked child: pending items, leases and the thread are the parent's."""
        self._queue: deque[TaskRunRecord | Log] = deque()
        self._submitted = Submitted(self.sink.patience)
        self._full, self._parked, self.closed = BATCH, True, False
        self._thread: threading.Thread | None = None
        self._bell = threading.Lock()
        self._bell.acquire()
        self._start_lock = threading.Lock()
        self._turn = threading.RLock()
        self._writer = 0
        self._outage: Outage | None = None
        self._said: list[tuple[int, str]] = []
        self._leases = Leases(self.sink)
        self.sink.forget()

    # --- for producers ------------------------------------------------------------------------------------

    def task_run(self, record: TaskRunRecord) -> None:
        """Note that a task run is new or has changed.

        Args:
            record: The run and its states. It may change afterwards; append it again then.
        """
        queue = self._queue
        queue.append(record)
        if self._parked or len(queue) >= self._full:
            self._attend()

    def log(self, log: Log) -> None:
        """Note a log record.

        Args:
            log: The record, which must not change any more.
        """
        queue = self._queue
        queue.append(log)
        if self._parked or len(queue) >= self._full:
            self._attend()

    def hold(self, flow_run_id: UUID) -> None:
        """Take a lease on a flow run at once, and renew it until `release`.

        Args:
            flow_run_id: A run that this process runs now.
        """
        self._leases.add(flow_run_id)
        if self.sink.has_leases:
            self._try(self._leases.take)
        self._start()
        self._ring()

    def release(self, flow_run_id: UUID, *, ended: bool = True) -> None:
        """Stop renewing the lease on a flow run.

        Args:
            flow_run_id: The run. One that is not held is passed over.
            ended: Whether the run has ended, and its lease with it. Otherwise the lease is given back now.
        """
        is_held = flow_run_id in self._leases
        self._leases.drop(flow_run_id)
        if is_held and not ended and self.sink.has_leases:
            self._try(lambda: self.sink.release(flow_run_id))

    def learn_of_outage(self, error: Exception) -> bool:
        """Take it that the store is failing, and that the user is told so by the caller.

        Args:
            error: What the store raised elsewhere.

        Returns:
            Whether that is news; otherwise the user was told already.
        """
        if self._outage is not None:
            return False
        self._outage, self._full = Outage(error), KEEP
        return True

    def learn_of_recovery(self) -> None:
        """Take it that the store works again: the next flush tries it at once."""
        if self._outage is not None:
            self._outage.retry_at = 0.0

    def holds(self, flow_run_id: UUID) -> bool:
        """Whether this recorder keeps the lease on a flow run."""
        return flow_run_id in self._leases

    def flush(self, timeout: float | None = None) -> bool:
        """Write everything that was appended before, in the calling thread.

        Args:
            timeout: Seconds to wait for another thread that is writing; None waits until it has finished.

        Returns:
            Whether everything is durable now. False: the wait was too long, the store is failing (which was
            said, and is tried again later), or this was called from within the writing.
        """
        # Who writes may be moving a run from one of the two to the other just now: so that is asked last.
        if not (self._queue or self._submitted or self._writer):
            return True
        outage = self._outage
        if outage is not None and not outage.is_due():
            return False
        return self._take_turn(-1 if timeout is None else timeout)

    @property
    def is_writing(self) -> bool:
        """Whether the calling thread is writing right now."""
        return self._writer == threading.get_ident()

    def close(self, timeout: float = 10.0) -> bool:
        """Write everything, end the thread, and say what could not be written; also done at exit.

        Args:
            timeout: Seconds this may take.

        Returns:
            Whether everything is durable.
        """
        is_first, self.closed = not self.closed, True
        atexit.unregister(self.close)
        self._ring()
        thread, deadline = self._thread, monotonic() + timeout
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
        outage = self._outage
        if (self._queue or self._submitted) and outage is None:
            self._take_turn(max(0.0, deadline - monotonic()))
        items = (*self._submitted, *self._queue.copy())
        left = list({id(item): item for item in items}.values())
        dropped = outage.dropped if outage is not None else 0
        if is_first:
            if left or dropped:
                kept = self.sink.keep(left) if left else None
                _log.error("%s", last_words(len(left), dropped, self.sink.name, kept, outage))
            self.sink.finish()
        return not (left or dropped)

    # --- waking and waiting -------------------------------------------------------------------------------

    def _ring(self) -> None:
        try:
            self._bell.release()
        except RuntimeError:  # it has rung already
            return

    def _start(self) -> None:
        with self._start_lock:
            if self._thread is None and not self.closed:
                thread = threading.Thread(target=self._run, name="prefect-recorder", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # the interpreter is ending: whoever appends writes, from now on
                    self.closed = True
                    return
                self._thread = thread
                atexit.register(self.close)
                # A child of multiprocessing ends without running what atexit knows.
                multiprocessing = sys.modules.get("multiprocessing.util")
                if multiprocessing is not None:
                    multiprocessing.Finalize(None, self.close, exitpriority=0)

    def _attend(self) -> None:
        """Wake the writer; where it is behind, wait for it."""
        if self._thread is None:
            self._start()
        if self.closed:
            if self._outage is None:
                self._take_turn(PATIENCE)
            return
        self._ring()
        if len(self._queue) < self._full or self._writer == threading.get_ident():
            return
        if self._outage is not None:
            self._trim()
        elif self._writer:
            if self._turn.acquire(timeout=PATIENCE):
                self._turn.release()
            else:
                self._full = len(self._queue) + BATCH

    def _trim(self) -> None:
        """Drop the oldest items beyond what is kept in an outage."""
        if not self._turn.acquire(blocking=False):
            return
        try:
            outage = self._outage
            while outage is not None and len(self._queue) >= KEEP:
                self._queue.popleft()
                outage.dropped += 1
        finally:
            self._turn.release()

    def _run(self) -> None:
        while not self.closed:
            self._park()
            if self._leases and monotonic() >= self._leases.due_at:
                self._try(self._leases.renew)
            self._take_turn(-1, everything=False)
            self._pause()
        # From here on producers write by themselves; the last turn is for what came before.
        self._parked = True
        self._take_turn(-1)

    def _park(self) -> None:
        """Sleep until there is something to write, and gather more for a moment; or something is due."""
        self._parked = True
        due = [monotonic() + self._submitted.patience / 2] if self._submitted else []
        while not self._queue and not self.closed:
            until = min([*due, self._leases.due_at] if self._leases else due, default=None)
            if until is None:
                self._bell.acquire()
            elif not self._listen(until):
                break
        self._parked = False
        deadline = monotonic() + self.delay
        while self._queue and len(self._queue) < BATCH and not self.closed:
            if not self._listen(deadline):
                break

    def _listen(self, until: float) -> bool:
        """Wait for the bell; whether there is time left to go on waiting."""
        self._bell.acquire(timeout=max(0.0, until - monotonic()))
        return monotonic() < until

    def _pause(self) -> None:
        """In an outage, sleep until the next attempt is due."""
        while (outage := self._outage) is not None and not self.closed and not outage.is_due():
            self._listen(outage.retry_at)

    # --- writing ------------------------------------------------------------------------------------------

    def _take_turn(self, timeout: float, *, everything: bool = True) -> bool:
        """Write what is in the queue now; then say what there is to say, with the turn given up."""
        me = threading.get_ident()
        if self._writer == me or not self._turn.acquire(timeout=timeout):
            return False
        try:
            self._writer = me
            self._submitted.give_back(self._queue, everything=everything)
            return self._write_all(everything)
        finally:
            self._writer = 0
            self._turn.release()
            self._speak()

    def _write_all(self, everything: bool) -> bool:
        queue = self._queue
        left = len(queue)
        if left == 0:
            return True
        self._full = left + BATCH
        while left > 0:
            count = min(left, BATCH)
            try:
                self._write([queue[index] for index in range(count)], everything)
            except Exception as error:  # noqa: BLE001 - whatever it is, it must not reach the user's code
                self._failed(error)
                return False
            for _ in range(count):
                queue.popleft()
            left -= count
        self._succeeded()
        return True

    def _write(self, batch: Sequence[TaskRunRecord | Log], everything: bool) -> None:
        records = {id(item): item for item in batch if not isinstance(item, Log)}
        logs = [item for item in batch if isinstance(item, Log)]
        if not everything and self._outage is None:  # else nothing might be left to try the store with
            self._submitted.keep(records)
        if records:
            self._deliver(self.sink.record_task_runs, list(records.values()))
        if logs:
            self._deliver(self.sink.create_logs, logs)

    def _deliver(self, write: Callable[[Any], None], items: Sequence[TaskRunRecord | Log]) -> None:
        """Write items; where one of them is the trouble, find it by halving, and write the others."""
        try:
            write(items)
        except Exception as error:
            if is_outage(error):
                raise
            if len(items) > 1:
                middle = len(items) // 2
                self._deliver(write, items[:middle])
                self._deliver(write, items[middle:])
            else:
                self._said.append((logging.ERROR, describe_refused(items[0], error)))

    def _try(self, act: Callable[[], None]) -> None:
        """Do something with leases; a failure is part of the outage, or begins it."""
        try:
            act()
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not reach the user's code
            self._leases.due_at = self._failed(error).retry_at
        else:
            self._succeeded()
        self._speak()

    def _succeeded(self) -> None:
        self._full = BATCH
        outage, self._outage = self._outage, None
        if outage is not None:
            self._said.append((logging.INFO, outage.farewell(self.sink.name)))

    def _failed(self, error: Exception) -> Outage:
        outage = self._outage
        if outage is None:
            outage = self._outage = Outage(error)
            self._said.append((logging.ERROR, outage.greeting(self.sink.name)))
        else:
            outage.again(error)
        self._full = KEEP
        return outage

    def _speak(self) -> None:
        """Log what happened, one line an outage; a flood of refused records is summed up."""
        if not self._said:
            return
        said, self._said = self._said, []
        try:
            for level, text in summed_up(said):
                _log.log(level, "%s", text)
        except Exception:  # noqa: BLE001 - a handler or filter of the program's; the writing must go on
            sys.excepthook(*sys.exc_info())
