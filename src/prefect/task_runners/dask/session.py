"""The runs that a runner has on a cluster.

What comes from the cluster is put into a queue, and one thread takes it from there (`Errands`): so there is
no thread for each task, and each run is changed by one thread at a time. What begins or is cancelled from
other threads goes by a lock.

A run may be sent more than once, since workers die; `Sent` tells its sendings apart.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from functools import partial
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from prefect.engine.future import is_ending_runs
from prefect.engine.slots import SlotGivenUp
from prefect.exceptions import SerializationError
from prefect.logging.loggers import get_logger
from prefect.schemas.results import ResultRecord
from prefect.schemas.states import State
from prefect.task_runners.dask.cluster import Place, open_client
from prefect.task_runners.dask.losses import TOGETHER, Losses, Patience
from prefect.task_runners.dask.sent import LOST, SHARED, Over, Scattered, Sent, fetching, forget_names, id_of
from prefect.task_runners.remote import LatelyEnded, NestedRuns, RemoteFuture, RemoteRun, flush_records
from prefect.task_runners.remote.errands import Errands
from prefect.task_runners.remote.packing import LARGE

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Session"]

_IN_FLIGHT = 1_000
"""Runs that may be on the cluster, unless it has many more threads: memory stays bounded."""
_INNOCENT = 3
"""How often a run is sent again whose worker was lost before the run had begun."""
_SWEEP = 0.25
"""Seconds between looks at what has become of Dask's tasks."""
_REMEMBERED = 1_000
"""Tasks whose names Dask may remember."""
_LOST = (
    "The Dask worker that ran this task ended before the task did: killed, out of memory, or its machine "
    "went away."
)
_GONE = "The Dask cluster was lost, or has taken the task back."

_log = get_logger("task_runners.dask")


class Session:
    """A cluster with the runs that are on it.

    Args:
        place: Which cluster.
    """

    def __init__(self, place: Place) -> None:
        from prefect.task_runners.dask.worker import RunOnce  # noqa: PLC0415 - an optional extra

        self._stack = ExitStack()
        try:
            self.client: Client = open_client(place, self._stack)
        except BaseException:
            self._stack.close()
            raise
        self._topic = f"prefect-{uuid4()}"
        self._lock = threading.RLock()
        self._idle = threading.Condition(self._lock)
        self._sent: dict[bytes, Sent] = {}
        self._shared: set[str] = set()
        self._scattered = Scattered(self.client)
        self._heard_all = threading.Semaphore(0)
        self._patience = Patience(is_fixed=place.is_fixed)
        self._losses = Losses()
        self._lately = LatelyEnded()
        self._nested = NestedRuns()
        self._kept: weakref.WeakSet[RemoteFuture[Any]] = weakref.WeakSet()
        self._over = Over()
        self._swept_at = 0.0
        self._most = _IN_FLIGHT
        self._sendings = count(1)
        self._asked_at = 0.0
        try:
            self.client.register_plugin(RunOnce())
        except Exception as error:  # noqa: BLE001 - a scheduler that takes no plugins, or has no such module
            _log.warning(
                "The Dask scheduler takes no plugin (%r): tasks whose worker is lost are run again as Dask "
                "is configured to, whatever their retries.",
                error,
            )
        self._errands = Errands("prefect-dask", pace=self._pace, sweep=self._sweep, look=self._look)
        tell_again = self._lately.tell_again
        self.client.subscribe_topic(self._topic, self._heard)
        self.client.subscribe_topic(LOST, lambda event: self._errands.put(partial(tell_again, [event[1]])))

    # --- for the runner -----------------------------------------------------------------------------------

    def submit(self, run: RemoteRun, annotations: dict[str, Any]) -> None:
        """Have a run sent, as soon as what it waits for is there.

        Args:
            run: The run.
            annotations: What Dask is to know of it: resources, priority and so on.
        """
        sent = Sent(run, annotations)
        with SlotGivenUp(), self._idle:
            if len(self._sent) >= self._most and not is_ending_runs():
                # Who waits for room gets a good deal of it: sent one by one, tasks cost Dask half again.
                while len(self._sent) > self._enough and not self._may_grow():
                    self._idle.wait(1.0)
            self._sent[id_of(run)] = sent
        self._send_when_ready(sent)

    def drop(self, run: RemoteRun, state: State[Any]) -> None:
        """End a run whose `submit` was interrupted, wherever that was."""
        with self._idle:
            run.end(state)
            if (sent := self._sent.get(id_of(run))) is not None:
                self._forget(sent)

    def wait(self) -> None:
        """Wait until all runs have ended."""
        with SlotGivenUp(), self._idle:
            while self._sent:
                self._idle.wait(1.0)

    def cancel_queued(self, message: str) -> None:
        """Take back what no worker has begun."""
        self._hear_all()
        with self._lock:
            taken = [sent for sent in self._sent.values() if not sent.run.has_begun]
            handles = [sent.run.future.handle for sent in taken]
            for sent in taken:
                sent.run.cancel(message)
                self._forget(sent)
        self._cancel(handles, force=False)

    def give_up(self, message: str) -> None:
        """End all runs here; whatever workers still do is not waited for."""
        with self._lock:
            taken = list(self._sent.values())
            handles = [sent.run.future.handle for sent in taken]
            self._nested.add([sent.run for sent in taken], message)
            for sent in taken:
                sent.run.crash(message)
                self._forget(sent)
        self._cancel(handles, force=True)

    def sharing(self, values: list[Any]) -> Callable[[], None]:
        """Take it that these values are arguments of many runs: large ones go to the cluster once.

        Args:
            values: The values.

        Returns:
            A function that ends it.
        """
        with self._lock:
            self._scattered.share(values)

        def end() -> None:
            with self._lock:
                self._scattered.forget(values)

        return end

    def close(self) -> None:
        """Bring the results that somebody still may ask for, and leave the cluster."""
        for future in list(self._kept):
            data = future.state.data
            if isinstance(data, ResultRecord):
                try:
                    _ = data.result
                except Exception as error:  # noqa: BLE001 - it is raised again when the result is asked for
                    _log.warning("The result of task run %s is lost: %s", future.task_run_id, error)
            future.handle = None
        try:
            if self.client.status == "running":
                flushed = self.client.run(flush_records, on_error="ignore")
                self._lately.forget([place for place, is_told in flushed.items() if is_told])
                for key in self._shared:
                    self.client.set_metadata([SHARED, key], None)
                self.client.unsubscribe_topic(self._topic)
        except Exception as error:  # noqa: BLE001 - what remains on a cluster that is gone harms nobody
            _log.debug("Leaving the Dask cluster: %r", error)
        self._errands.close()
        self._lately.tell_again()
        self._stack.close()
        self._nested.finish()

    def _hear_all(self) -> None:
        """Wait until what workers have said before has arrived: that they have begun a run, say."""
        from prefect.task_runners.dask.calls import call_all  # noqa: PLC0415 - an optional extra

        if self._sent and self.client.status == "running":
            call_all(self.client, self._topic, self._heard_all)

    # --- sending ------------------------------------------------------------------------------------------

    @property
    def _enough(self) -> int:
        return self._most * 3 // 4

    def _may_grow(self) -> bool:
        """Ask how many threads there are, now and then: a large cluster needs more than a small one."""
        if monotonic() < self._asked_at + 5.0 or self.client.status != "running":
            return False
        self._asked_at = monotonic()
        before, self._most = self._most, max(_IN_FLIGHT, 4 * sum(self.client.nthreads().values()))
        return self._most > before

    def _send_when_ready(self, sent: Sent) -> None:
        waiting = sent.run.waits_for()
        if not waiting:
            self._send(sent)
            return
        lock, left = threading.Lock(), len(waiting)

        def ready(_: object) -> None:
            nonlocal left
            with lock:
                left -= 1
                is_last = not left
            if is_last:
                self._errands.put(lambda: self._send_when_ready(sent))

        for future in waiting:
            future.add_done_callback(ready)

    def _send(self, sent: Sent) -> None:
        import dask  # noqa: PLC0415 - an optional extra

        from prefect.task_runners.dask.worker import run_on_worker  # noqa: PLC0415 - the same

        run = sent.run
        with self._lock:
            if run.future.done():
                return
            try:
                shared, packed = run.pack(self._scattered.take)
                if shared.key not in self._shared:
                    self.client.set_metadata([SHARED, shared.key], shared.content)
                    self._shared.add(shared.key)
                parcel: Any = packed.parcel
                if len(parcel) > LARGE:
                    parcel = self.client.scatter(parcel, hash=False)
                sent.key = sent.next_key()
                sent.number = next(self._sendings)
                if sent.number % _REMEMBERED == 0:
                    forget_names()
                sent.runs_before = run.record.run.run_count
                is_known = dask.get_annotations() == sent.annotations
                with nullcontext() if is_known else dask.annotate(**sent.annotations):
                    future = self.client.submit(
                        run_on_worker,
                        self._topic,
                        id_of(run),
                        parcel,
                        *packed.handles,
                        key=sent.key,
                        pure=False,
                    )
            except SerializationError as error:
                run.fail(error)
                self._forget(sent)
                return
            except Exception as error:  # noqa: BLE001 - whatever a cluster that is gone makes Dask raise
                run.crash(f"The task could not be sent to the Dask cluster: {error!r}")
                self._forget(sent)
                return
            run.future.handle = future

    # --- what comes from the cluster ----------------------------------------------------------------------

    def _heard(self, event: tuple[float, tuple[bytes, bytes, str]]) -> None:
        run_id, message, place = event[1]
        self._errands.put((lambda: self._take(run_id, message, place)) if run_id else self._heard_all.release)

    def _pace(self) -> float | None:
        return Over.SECONDS if self._over else _SWEEP if self._sent else None

    def _sweep(self) -> bool:
        """Find the tasks of Dask's that have ended without an answer: their worker was lost, say.

        Dask would call for each task that ends, but that costs it more than a small task does.
        """
        with self._lock:
            self._over.let_go()
            if monotonic() - self._swept_at < _SWEEP:
                return False
            self._swept_at = monotonic()
            for sent in self._sent.values():
                future = sent.run.future.handle
                if future is None or future.status == "pending":
                    continue
                if future.status == "finished" and not sent.is_overdue:
                    sent.is_overdue = True  # unless the answer is just on its way
                    continue
                self._errands.put(partial(self._done, sent, future))
        return False  # what it finds is an errand

    def _look(self) -> None:
        if why := self._patience.look(self.client, len(self._sent)):
            self.give_up(why)

    def _take(self, run_id: bytes, message: bytes, place: str) -> None:
        with self._lock:
            sent = self._sent.get(run_id)
            if sent is None:
                return
            sent.place, run, handle = place, sent.run, sent.run.future.handle
            if run.take(message, fetching(run), is_kept=False):
                if run.future.handle is not None:
                    self._kept.add(run.future)
                else:
                    self._over.add(handle)
                self._lately.add(run, place, message)
                self._forget(sent)

    def _done(self, sent: Sent, future: Any) -> None:
        """Look what became of a task of Dask's. The answer of one that went well has come before."""
        with self._lock:
            run = sent.run
            if run.future.done() or future.key != sent.key:
                return
            if future.status == "error":
                self._erred(sent, future.exception())
            elif future.status == "finished":
                self._answerless(sent, future)
            else:
                run.crash(_GONE)
                self._forget(sent)

    def _answerless(self, sent: Sent, future: Any) -> None:
        """End a run whose answer was lost on the way, with a scheduler's connection say."""
        try:
            state = future.result().state
        except Exception as error:  # noqa: BLE001 - whatever fetching and reading a result raises
            sent.run.crash(f"{_GONE} {error!r}")
        else:
            sent.run.end(state)
        self._forget(sent)

    def _erred(self, sent: Sent, error: Any) -> None:
        from distributed import KilledWorker  # noqa: PLC0415 - an optional extra

        run = sent.run
        if not isinstance(error, KilledWorker):
            run.deaths += 1
            if isinstance(error, OSError) and run.deaths <= _INNOCENT and not sent.has_begun:
                # The worker was about to end: it could not even ask for what it was to do.
                self._send_again(sent)
                return
            run.crash(f"The task could not be run on the Dask cluster: {error!r}")
            self._forget(sent)
            return
        if error.task == sent.key:
            self._lost(sent, error.last_worker)
            return
        # What it was to be given was lost: first the run that makes it.
        above = next((one for one in self._sent.values() if one.key == error.task), None)
        if above is not None:
            self._lost(above, error.last_worker)
        self._send_again(sent)

    def _lost(self, sent: Sent, worker: Any) -> None:
        # Of one loss several may tell: the run's own future, and those of what was to be given its result.
        sent.key, sent.run.future.handle = "", None
        if self._losses.add(sent, worker):
            decide = partial(self._decide, worker.address)
            self._errands.put_later(TOGETHER, decide)

    def _decide(self, address: str) -> None:
        with self._lock:
            self._lately.tell_again([address])  # also where the scheduler takes no plugin
            lost = [one for one in self._losses.take(address) if not one[0].run.future.done()]
        self._nested.crash([sent.run for sent, _ in lost if sent.has_begun], _LOST)
        with self._lock:
            for sent, worker in lost:
                if not sent.run.future.done():
                    self._end_or_send_again(sent, worker)

    def _end_or_send_again(self, sent: Sent, worker: Any) -> None:
        run = sent.run
        run.deaths += 1
        has_begun = self._losses.had_begun(sent, worker, self._sent.values())
        if has_begun and not sent.has_begun:
            run.begin()
        if has_begun and run.record.run.run_count <= run.task.retries:
            run.await_retry(_LOST)
        elif has_begun or run.deaths > _INNOCENT:
            run.crash(_LOST)
            self._forget(sent)
            return
        self._send_again(sent)

    def _send_again(self, sent: Sent) -> None:
        sent.key, sent.run.future.handle = "", None
        self._errands.put(lambda: self._send_when_ready(sent))

    def _forget(self, sent: Sent) -> None:
        self._sent.pop(id_of(sent.run), None)
        if len(self._sent) in (0, self._enough):
            self._idle.notify_all()

    def _cancel(self, handles: list[Any], *, force: bool) -> None:
        if (ours := [each for each in handles if each is not None]) and self.client.status == "running":
            self.client.cancel(ours, force=force)
