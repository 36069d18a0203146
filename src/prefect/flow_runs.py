"""Pausing, suspending, resuming and awaiting flow runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import msgspec

from prefect.client.current import get_caller
from prefect.context import FlowRunContext, TaskRunContext
from prefect.engine.drivers import drive
from prefect.engine.pausing import pause, pause_key, suspend
from prefect.engine.steps import Block, Steps
from prefect.exceptions import FlowPauseTimeout, FlowRunWaitTimeout, NotPausedError, ObjectNotFound
from prefect.logging.loggers import get_logger
from prefect.operations.flow_runs import (
    read_flow_run,
    set_flow_run_state,
)
from prefect.operations.flow_runs import (
    resume_flow_run as resume_operation,
)
from prefect.schemas.actions import FlowRunResume
from prefect.schemas.asynchrony import is_async_here
from prefect.schemas.objects import FlowRun
from prefect.schemas.responses import SetStateStatus
from prefect.schemas.states import State
from prefect.states import Paused, Suspended

if TYPE_CHECKING:
    from prefect.input.keys import Keyset

__all__ = [
    "apause_flow_run",
    "aresume_flow_run",
    "asuspend_flow_run",
    "await_flow_run",
    "pause_flow_run",
    "resume_flow_run",
    "suspend_flow_run",
    "wait_for_flow_run",
]

R = TypeVar("R")


def pause_flow_run(
    wait_for_input: Any = None, timeout: int = 3600, poll_interval: int = 10, key: str | None = None
) -> Any:
    """Hold the current flow run until somebody resumes it; its process waits. Async code has to await it.

    Args:
        wait_for_input: What to ask for: a `RunInput`, any pydantic model, or a plain type.
        timeout: Seconds after which the run fails if nobody resumed it.
        poll_interval: Seconds from one look for that to the next.
        key: Names the pause, which a run passes once; None: its number.

    Returns:
        What the run was resumed with, if `wait_for_input` is given.

    Raises:
        prefect.exceptions.FlowPauseTimeout: Nobody resumed it in time.
        RuntimeError: There is no flow run here, or a task.
    """
    return _carry_out(lambda: _pause(wait_for_input, timeout, poll_interval, key))


async def apause_flow_run(
    wait_for_input: Any = None,
    timeout: int = 3600,  # noqa: ASYNC109 - the interface's own name
    poll_interval: int = 10,
    key: str | None = None,
) -> Any:
    """Hold the current flow run until somebody resumes it; as `pause_flow_run`, for async code."""
    return await _adrive(_pause(wait_for_input, timeout, poll_interval, key))


def suspend_flow_run(
    wait_for_input: Any = None,
    flow_run_id: UUID | None = None,
    timeout: int | None = None,
    key: str | None = None,
) -> Any:
    """End a flow run's process; when it is resumed, it begins from the top. Async code has to await it.

    Only runs of deployments can be suspended: something must start them again. With results that are kept,
    tasks that have run are not run again.

    Args:
        wait_for_input: What to ask for; as for `pause_flow_run`.
        flow_run_id: The run; None: the current one. Another run ends before its next task.
        timeout: Seconds after which the run fails if nobody resumed it; None: it waits for ever.
        key: Names the pause, which a run passes once; None: its number.

    Returns:
        What the run was resumed with, if `wait_for_input` is given.

    Raises:
        RuntimeError: The run cannot be suspended.
    """
    return _carry_out(lambda: _suspend(wait_for_input, flow_run_id, timeout, key))


async def asuspend_flow_run(
    wait_for_input: Any = None,
    flow_run_id: UUID | None = None,
    timeout: int | None = None,  # noqa: ASYNC109 - the interface's own name
    key: str | None = None,
) -> Any:
    """End a flow run's process until it is resumed; as `suspend_flow_run`, for async code."""
    return await _adrive(_suspend(wait_for_input, flow_run_id, timeout, key))


def resume_flow_run(flow_run_id: UUID, run_input: dict[str, Any] | None = None) -> Any:
    """Let a paused flow run go on; async code has to await it.

    Args:
        flow_run_id: The run.
        run_input: What it waits for.

    Raises:
        prefect.exceptions.NotPausedError: It is not paused.
        prefect.exceptions.FlowPauseTimeout: It was paused for too long.
        RuntimeError: It waits for another input.
    """
    return _carry_out(lambda: _resume(flow_run_id, run_input))


async def aresume_flow_run(flow_run_id: UUID, run_input: dict[str, Any] | None = None) -> None:
    """Let a paused flow run go on; as `resume_flow_run`, for async code."""
    await _adrive(_resume(flow_run_id, run_input))


async def wait_for_flow_run(
    flow_run_id: UUID,
    timeout: int | None = 10_800,  # noqa: ASYNC109 - the interface's own name
    poll_interval: int | None = None,
    client: Any = None,
    log_states: bool = False,
) -> FlowRun:
    """Wait until a flow run has ended.

    Args:
        flow_run_id: The run.
        timeout: Seconds to wait; None: for as long as it takes.
        poll_interval: Seconds from one look to the next.
        client: Accepted for the interface's sake: the settings say where the run is.
        log_states: Whether to log the states that it goes through.

    Returns:
        The run, as it is then.

    Raises:
        prefect.exceptions.FlowRunWaitTimeout: It did not end in time.
    """
    waiting = _Waiting(flow_run_id, timeout, log_states)
    while (run := await asyncio.to_thread(waiting.look)) is None:  # noqa: ASYNC110 - it is elsewhere
        await asyncio.sleep(waiting.pause(poll_interval))
    return run


def await_flow_run(
    flow_run_id: UUID, timeout: float | None = 10_800, poll_interval: float | None = None
) -> FlowRun:
    """Wait until a flow run has ended; as `wait_for_flow_run`, for plain code."""
    waiting = _Waiting(flow_run_id, timeout, log_states=False)
    while (run := waiting.look()) is None:
        time.sleep(waiting.pause(poll_interval))
    return run


class _Waiting:
    def __init__(self, flow_run_id: UUID, timeout: float | None, log_states: bool) -> None:
        self._run_id = flow_run_id
        self._timeout = timeout
        self._deadline = None if timeout is None else monotonic() + timeout
        self._logged: UUID | None = None if log_states else flow_run_id
        self._logs = log_states

    def look(self) -> FlowRun | None:
        run = get_caller().call(read_flow_run, self._run_id)
        state = run.state
        if state is not None and self._logs and self._logged != state.id:
            self._logged = state.id
            get_logger("flow_runs").info("Flow run is in state %r", state.name)
        return run if state is not None and state.is_final() else None

    def pause(self, interval: float | None) -> float:
        seconds = 5.0 if interval is None else float(interval)
        if self._deadline is None:
            return seconds
        left = self._deadline - monotonic()
        if left <= 0:
            raise FlowRunWaitTimeout(
                f"Flow run with ID {self._run_id} exceeded watch timeout of {self._timeout} seconds"
            )
        return min(seconds, left)


def _pause(wait_for_input: Any, timeout: int, poll_interval: int, key: str | None) -> Steps[Any]:
    context = _context("pause")
    key = pause_key(context, key)
    state = Paused(timeout_seconds=timeout, pause_key=key)
    awaited = _Awaited(wait_for_input, state) if wait_for_input is not None else None
    if awaited is not None:
        state = yield Block(lambda: awaited.announce(_run_id(context)))
    get_logger("flow_runs").info("Pausing flow, execution will continue when this flow run is resumed.")
    yield from pause(context, state, timeout, poll_interval)
    return (yield Block(lambda: awaited.answer(_run_id(context)))) if awaited is not None else None


def _suspend(
    wait_for_input: Any, flow_run_id: UUID | None, timeout: int | None, key: str | None
) -> Steps[Any]:
    context = FlowRunContext.get()
    own = context.flow_run.id if context is not None and context.flow_run is not None else None
    if flow_run_id is not None and UUID(str(flow_run_id)) != own:
        yield Block(lambda: _suspend_other(UUID(str(flow_run_id)), wait_for_input, timeout, key))
        return None
    context = _context("suspend")
    state = Suspended(timeout_seconds=timeout, pause_key=pause_key(context, key))
    awaited = _Awaited(wait_for_input, state) if wait_for_input is not None else None
    if awaited is not None:
        state = yield Block(lambda: awaited.announce(_run_id(context)))
    yield from suspend(context, state)
    return (yield Block(lambda: awaited.answer(_run_id(context)))) if awaited is not None else None


def _suspend_other(run_id: UUID, wait_for_input: Any, timeout: int | None, key: str | None) -> None:
    state = Suspended(timeout_seconds=timeout, pause_key=key or str(run_id))
    if wait_for_input is not None:
        state = _Awaited(wait_for_input, state).announce(run_id)
    answer = get_caller().call(set_flow_run_state, run_id, state)
    if answer.status is not SetStateStatus.ACCEPT:
        raise RuntimeError(f"Flow run cannot be suspended: {getattr(answer.details, 'reason', None)}")


def _resume(flow_run_id: UUID, run_input: dict[str, Any] | None) -> Steps[None]:
    run_id = UUID(str(flow_run_id))
    yield Block(lambda: _resume_now(run_id, run_input))


def _resume_now(run_id: UUID, run_input: dict[str, Any] | None) -> None:

    answer = get_caller().call(resume_operation, run_id, FlowRunResume(run_input=run_input))
    if answer.status is SetStateStatus.ACCEPT:
        return
    reason = getattr(answer.details, "reason", None)
    if answer.state is not None and answer.state.is_failed():
        raise FlowPauseTimeout("Flow run can no longer be resumed.")
    if answer.status is SetStateStatus.ABORT:
        raise NotPausedError("Cannot resume a run that isn't paused!")
    raise RuntimeError(f"Cannot resume this run: {reason}")


class _Awaited:
    """What a paused run waits for."""

    def __init__(self, wanted: Any, state: State[Any]) -> None:
        # Here, because most pauses wait for nothing but to be resumed.
        from prefect.input.keys import keyset_from_paused_state  # noqa: PLC0415 - takes pydantic
        from prefect.input.run_input import run_input_subclass_from_type  # noqa: PLC0415 - pydantic

        self._kind = run_input_subclass_from_type(wanted)
        self._keyset: Keyset = keyset_from_paused_state(state)
        self._state = state

    def announce(self, run_id: UUID) -> State[Any]:
        """Say what is awaited, before the run is paused: whoever sees it paused can then answer."""
        self._kind._save(self._keyset, run_id)
        details = msgspec.structs.replace(self._state.state_details, run_input_keyset=dict(self._keyset))
        return msgspec.structs.replace(self._state, state_details=details)

    def answer(self, run_id: UUID) -> Any:
        """Return the answer."""
        return self._kind._load(self._keyset, run_id)


def _context(verb: str) -> FlowRunContext:
    context = FlowRunContext.get()
    if TaskRunContext.get() is not None:
        raise RuntimeError(f"Cannot {verb} task runs.")
    if context is None or context.flow_run is None:
        raise RuntimeError(
            f"Flow runs can only be {verb}{'d' if verb[-1] == 'e' else 'ed'} from within a flow."
        )
    return context


def _run_id(context: FlowRunContext) -> UUID:
    if context.flow_run is None:
        raise ObjectNotFound(help_message="There is no flow run here.")
    return context.flow_run.id


def _carry_out(steps: Callable[[], Steps[R]]) -> Any:
    if is_async_here():
        return _adrive(steps())
    return drive(steps())


def _adrive(steps: Steps[R]) -> Coroutine[Any, Any, R]:
    from prefect.engine.async_drivers import adrive  # noqa: PLC0415 - asyncio is 40 ms of every start

    return adrive(steps)
