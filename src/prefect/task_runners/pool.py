"""A pool of threads whose members may wait for each other.

`concurrent.futures` has two properties that a workflow cannot live with: a thread that waits for work it has
put into its own pool occupies the place that this work needs, and an interpreter waits at exit for threads
that sit in a C call. Here what is limited is not threads but *slots*: a thread needs one to run, gives it up
while it waits for another run (`engine.slots`), and must get one back before it goes on. So at
most `max_workers` tasks run at any moment, and however deep tasks submit tasks, somebody can always run.
Threads are daemons and end when idle.

All state is guarded by one lock, held for a few instructions; threads sleep on locks of their own and are
woken one at a time. A freed slot goes first to a thread that wants to go on, then to the oldest work.
"""

from __future__ import annotations

import threading
from _thread import LockType, allocate_lock
from collections import deque
from collections.abc import Callable
from weakref import WeakSet

from prefect.engine.future import is_ending_runs
from prefect.engine.slots import SlotGivenUp, held_slot
from prefect.types import call_in_forked_child

__all__ = ["Pool", "Work"]

_IDLE_SECONDS = 5.0
"""How long a thread without work stays."""

Work = Callable[[], None]


_pools: WeakSet[Pool] = WeakSet()


class Pool:
    """Runs work in threads, at most `max_workers` at a time.

    Args:
        max_workers: The number of slots.
        backlog: How much work may wait for a slot before `put` makes its caller wait.
        name: Begins the threads' names.
    """

    def __init__(self, max_workers: int, backlog: int, name: str) -> None:
        self._size = max_workers
        self._backlog = backlog
        self._name = name
        self._is_kept = True
        self._forget()
        _pools.add(self)

    def _forget(self) -> None:
        """Begin anew, as in a forked child: threads and work are the parent's."""
        self._free = self._size
        self._lock = allocate_lock()
        self._queue: deque[Work] = deque()
        self._idle: list[_Worker] = []
        self._returning: deque[LockType] = deque()
        self._putting: deque[LockType] = deque()
        self._outstanding = 0
        self._finishing: list[LockType] = []
        self._is_starting = False
        self._threads = 0

    def put(self, work: Work) -> None:
        """Have work done; it must not raise. Waits while the backlog is full, without holding a slot.

        A done callback does not wait: its thread holds a slot, and has none to give up.

        Args:
            work: What to do.
        """
        while True:
            with self._lock:
                if len(self._queue) < self._backlog or is_ending_runs():
                    self._outstanding += 1
                    self._queue.append(work)
                    try:
                        self._start_next()
                    except RuntimeError:
                        self._outstanding -= 1
                        self._queue.pop()
                        raise
                    return
                room = allocate_lock()
                room.acquire()
                self._putting.append(room)
            with SlotGivenUp():
                room.acquire()

    def give_up(self) -> None:
        """Free the calling thread's slot, since it is going to wait."""
        with self._lock:
            self._free_slot()

    def take_back(self) -> None:
        """Wait for a slot, to go on after waiting."""
        with self._lock:
            if self._free > 0:
                self._free -= 1
                return
            turn = allocate_lock()
            turn.acquire()
            self._returning.append(turn)
        turn.acquire()

    def take_queued(self) -> list[Work]:
        """Take back all work that nobody has begun."""
        with self._lock:
            taken = list(self._queue)
            self._queue.clear()
            self._done(len(taken))
            self._make_room()
            return taken

    def join(self) -> None:
        """Wait until all work has been done."""
        with self._lock:
            if not self._outstanding:
                return
            finished = allocate_lock()
            finished.acquire()
            self._finishing.append(finished)
        with SlotGivenUp():  # of another pool: this work may wait for that one's
            finished.acquire()

    def close(self) -> None:
        """Let the threads go as soon as they have nothing to do; work that comes later gets new ones."""
        with self._lock:
            self._is_kept = False
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.wake.release()

    def abandon(self) -> None:
        """Have nobody wait any longer until all work has been done."""
        with self._lock:
            self._stop_waiting()

    # All below is called with the lock held.

    def _start_next(self) -> None:
        """Have a thread do the oldest work, if a slot is free and no thread is about to begin already.

        One at a time: the thread that begins starts the next. While tasks are short this wakes few threads,
        where one for each task would have them all contend.
        """
        if not self._queue or self._free <= 0 or self._is_starting:
            return
        # All is settled before the thread may begin: Ctrl-C in the main thread may come while it starts one.
        work = self._queue.popleft()
        self._free -= 1
        self._is_starting = True
        if self._idle:
            worker = self._idle.pop()
            worker.work = work
            worker.wake.release()
        else:
            self._start_thread(work)
        self._make_room()

    def _start_thread(self, work: Work) -> None:
        name = f"{self._name}-{self._threads + 1}"
        try:
            threading.Thread(target=_Worker(self, work).run, name=name, daemon=True).start()
        except RuntimeError:
            self._queue.appendleft(work)
            self._free += 1
            self._is_starting = False
            if len(self._queue) == self._outstanding:  # nobody is left to do it
                raise
            return  # the system gives no more threads: those that are at work go on with the rest
        self._threads += 1

    def _free_slot(self) -> None:
        if self._returning:
            self._returning.popleft().release()
        else:
            self._free += 1
            self._start_next()

    def _make_room(self) -> None:
        # Whoever is woken looks again, and waits again if somebody else was faster. Half of the room at a
        # time, so that a producer does not wake for every single task.
        if self._putting and len(self._queue) <= self._backlog // 2:
            for room in self._putting:
                room.release()
            self._putting.clear()

    def _done(self, count: int) -> None:
        self._outstanding -= count
        if not self._outstanding:
            self._stop_waiting()

    def _stop_waiting(self) -> None:
        for finished in self._finishing:
            finished.release()
        self._finishing.clear()


class _Worker:
    """A thread of a pool."""

    __slots__ = ("pool", "wake", "work")

    def __init__(self, pool: Pool, work: Work) -> None:
        self.pool = pool
        self.work: Work | None = work
        self.wake = allocate_lock()
        self.wake.acquire()

    def run(self) -> None:
        pool, lock = self.pool, self.pool._lock
        held_slot.set(pool)
        while True:
            with lock:
                pool._is_starting = False
                pool._start_next()
            # Once it is idle, a thread is given work together with a ring: it must not look before.
            work, self.work = self.work, None
            while work is not None:
                work()
                work = None  # an idle thread must not keep a task's arguments alive
                with lock:
                    pool._done(1)
                    if pool._queue and not pool._returning:
                        work = pool._queue.popleft()
                        pool._make_room()
                        continue
                    if pool._is_kept:
                        pool._idle.append(self)
                    pool._free_slot()
                    if not pool._is_kept:
                        return
            if not self._is_woken():
                return

    def _is_woken(self) -> bool:
        """Wait for work; tells whether there is some."""
        if self.wake.acquire(timeout=_IDLE_SECONDS):
            return self.work is not None  # the pool was closed
        with self.pool._lock:
            if self in self.pool._idle:
                self.pool._idle.remove(self)
                return False
        self.wake.acquire()  # woken at the last moment
        return self.work is not None


def _after_fork() -> None:
    for pool in list(_pools):
        pool._forget()


call_in_forked_child(_after_fork)
