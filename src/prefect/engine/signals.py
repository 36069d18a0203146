"""What ends a run from outside, as exceptions in its code: SIGTERM, and that somebody has cancelled it.

SIGTERM: a run that is told to end is written down as Crashed before its process ends.

Cancelled: code that sleeps or computes does not ask. So a thread asks for it, now and then, and has a
`Cancellation` raised there. In the main thread a signal does so, which also ends a sleep: SIGURG, because it
does nothing to a process that has no handler for it (any more). A coroutine is cancelled, and the engine
makes a `Cancellation` of that. Python offers nothing of the kind for other threads: runs in them end before
their next task.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING, Any

from prefect.client.local import LocalClient
from prefect.engine.notes import notes_of
from prefect.engine.stopping import stored_state
from prefect.exceptions import Cancellation, TerminationSignal
from prefect.schemas.states import StateType
from prefect.types import call_in_forked_child

if TYPE_CHECKING:
    from prefect.context.runs import FlowRunContext

__all__ = ["cancellation_as_exception", "meant_by", "termination_as_exception"]

LOOK_AFTER = 2.0
"""Seconds from one look at a run's state in the store to the next."""
LOOK_AT_SERVER_AFTER = 10.0
"""The same, where a server is asked."""
_PAUSE = 0.5
_SOON = 0.01
_SIGNAL: signal.Signals | None = getattr(signal, "SIGURG", None)


@contextmanager
def termination_as_exception() -> Generator[None, None, None]:
    """Raise `TerminationSignal` in the main thread on SIGTERM, while the block runs.

    A handler that the program has set itself is left alone; so is everything outside of the main thread,
    where Python allows no handlers.
    """
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    signal.signal(signal.SIGTERM, _raise_termination)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) is _raise_termination:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _raise_termination(number: int, frame: FrameType | None) -> None:
    if _is_forking(frame):
        if os.getpid() == _fork.process:
            again = threading.Timer(_SOON, os.kill, [os.getpid(), number])
            again.daemon = True
            again.start()
            return
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.raise_signal(number)  # a child that has done nothing yet
    # Once is enough: a second signal ends the process as it always would.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise TerminationSignal(number)


# What is raised while a process is forked is lost: it comes out of what Python calls before and after that,
# and is ignored. A pool that ends processes which have hardly begun (`multiprocessing.Pool`) would wait for
# ever for one that goes on. What reaches a child before Python is ready for it there is held up.


class _Fork(threading.local):
    """The last fork of a thread."""

    mask: Any = None
    """The signals that were blocked before, while it is under way."""
    place: tuple[int, Any, int] | None = None
    """The frame, code and instruction that forks."""
    process: int = 0


_fork = _Fork()


def _place_of(frame: FrameType) -> tuple[int, Any, int]:
    return id(frame), frame.f_code, frame.f_lasti


def _is_forking(frame: FrameType | None) -> bool:
    while frame is not None and _fork.place is not None:
        if _place_of(frame) == _fork.place:
            return True
        frame = frame.f_back
    return False


def _before_fork() -> None:
    if signal.getsignal(signal.SIGTERM) is _raise_termination:
        _fork.place, _fork.process = _place_of(sys._getframe(1)), os.getpid()
        _fork.mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def _after_fork() -> None:
    if _fork.mask is not None:
        mask, _fork.mask = _fork.mask, None
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)


# --- cancelled ----------------------------------------------------------------------------------------------


class _Watched:
    """A run that is asked after.

    Args:
        context: The run's context.
        task: The asyncio task that carries it out, if one does.
        starter: The process that ends this one when the run is cancelled, as long as it is there; None: none.
    """

    __slots__ = ("context", "has_heard", "interrupt", "is_active", "is_told", "look_at", "starter", "task")

    def __init__(self, context: FlowRunContext, task: Any, starter: int | None) -> None:
        self.context = context
        self.task = task
        self.starter = starter
        self.is_active = True
        self.is_told = False
        self.has_heard = False
        self.interrupt: Callable[[], None] = _signal_main if task is None else self._cancel_task
        self.look_at = monotonic() + self.every

    @property
    def every(self) -> float:
        """Seconds from one look to the next."""
        is_local = isinstance(notes_of(self.context).journal.client, LocalClient)
        return LOOK_AFTER if is_local else LOOK_AT_SERVER_AFTER

    def look(self) -> None:
        """Interrupt the run if it was cancelled, and nobody else sees to that."""
        self.look_at = monotonic() + self.every
        # A process whose parent has ended gets another one.
        if self.starter is not None and os.getppid() == self.starter:
            return
        state = stored_state(self.context)
        if state is not None and state.type in (StateType.CANCELLING, StateType.CANCELLED):
            self.is_told = True
            self.interrupt()

    def remind(self) -> None:
        """Signal again: what comes when a sleep is about to begin does not end it, and is seen after that."""
        if not self.has_heard and self.task is None and signal.getsignal(_SIGNAL or 0) == self.on_signal:
            self.interrupt()

    def _cancel_task(self) -> None:
        def cancel() -> None:
            if self.is_active:  # asked in the loop's own thread, where it also ends
                self.task.cancel()

        with suppress(RuntimeError):  # the loop has ended meanwhile
            self.task.get_loop().call_soon_threadsafe(cancel)

    def on_signal(self, _number: int, _frame: FrameType | None) -> None:
        """Raise, in the main thread, where the run still goes on."""
        run = self.context.flow_run
        if not self.is_told or not self.is_active or run is None or run.state is None:
            return
        self.has_heard = True
        # A paused run asks for itself.
        if not run.state.is_final() and not run.state.is_paused():
            raise Cancellation(_message(self.context))


def _signal_main() -> None:
    assert _SIGNAL is not None
    signal.pthread_kill(threading.main_thread().ident or 0, _SIGNAL)


def _message(context: FlowRunContext) -> str:
    name = context.flow_run.name if context.flow_run is not None else ""
    return f"Flow run {name!r} was cancelled."


_watched: dict[int, _Watched] = {}
"""By the ids of their contexts."""
_watching: list[threading.Thread] = []
"""The thread that looks, while there is one."""
_lock = threading.Lock()


@contextmanager
def cancellation_as_exception(context: FlowRunContext, *, is_new: bool) -> Generator[None, None, None]:
    """Raise `Cancellation` in a run's code when somebody has cancelled the run, while the block runs.

    Args:
        context: The run's context.
        is_new: Whether the run was made here. Of others, whoever has started this process sees to it, until
            it ends itself.
    """
    task = _current_asyncio_task()
    is_main = threading.current_thread() is threading.main_thread()
    by_signal = task is None
    if by_signal and (not is_main or _SIGNAL is None or signal.getsignal(_SIGNAL) is not signal.SIG_DFL):
        yield
        return
    watched = _Watched(context, task, None if is_new else os.getppid())
    if by_signal:
        assert _SIGNAL is not None
        signal.signal(_SIGNAL, watched.on_signal)
    _watch(watched)
    try:
        yield
    finally:
        watched.is_active = False
        _watched.pop(id(context), None)
        if by_signal:
            assert _SIGNAL is not None
            signal.signal(_SIGNAL, signal.SIG_DFL)


def _current_asyncio_task() -> Any:
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return None
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None  # no loop runs in this thread


def meant_by(context: FlowRunContext, error: BaseException) -> BaseException:
    """Return what an interruption of a run's code means: that the run was cancelled, or just itself.

    Args:
        context: The run's context.
        error: What came out of the run's code.
    """
    watched = _watched.get(id(context))
    if watched is None or not watched.is_told or watched.task is None or isinstance(error, Cancellation):
        return error
    if type(error).__name__ != "CancelledError":
        return error
    watched.task.uncancel()
    return Cancellation(_message(context))


def _watch(watched: _Watched) -> None:
    _watched[id(watched.context)] = watched
    with _lock:
        if not _watching:
            thread = threading.Thread(target=_look_on, name="prefect-cancellation", daemon=True)
            _watching.append(thread)
            try:
                thread.start()
            except RuntimeError:  # no more threads, as at the end of a program of Python 3.12
                _watching.clear()


def _look_on() -> None:
    # It is not woken for new runs, which are not looked at for seconds: so a short run costs nothing.
    pause = threading.Event()
    while True:
        pause.wait(_PAUSE)
        with _lock:
            if not _watched:
                _watching.clear()
                return
        at = monotonic()
        for each in list(_watched.values()):
            if not each.is_active:
                continue
            if each.is_told:
                each.remind()
            elif each.look_at <= at:
                each.look()


def _forget() -> None:
    global _lock
    # A forked child has none of the thread, and its run is the parent's.
    _lock = threading.Lock()
    _watching.clear()
    _watched.clear()


call_in_forked_child(_forget)
