"""Waiting for what is sent to a flow run: in plain loops and in async ones."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from time import monotonic
from typing import Any, Generic, Self, TypeVar
from uuid import UUID

from prefect.input.actions import delete_flow_run_input, ensure_flow_run_id, filter_flow_run_input
from prefect.schemas.inputs import FlowRunInput

__all__ = ["GetInputHandler"]

R = TypeVar("R")


class GetInputHandler(Generic[R]):
    """Gives what a flow run is sent, one after the other, and waits for more; an input is given once.

    Args:
        run_input_cls: What is waited for: a subclass of `RunInput`.
        key_prefix: What the keys of such inputs start with.
        timeout: Seconds to wait for each; None: for as long as it takes.
        poll_interval: Seconds from one look to the next.
        raise_timeout_error: Whether an iteration ends in an error when the time is up; else it just ends.
        exclude_keys: Keys to pass over.
        flow_run_id: The run; None: the current one.
        unwraps: Whether to give an input's value, rather than the input.
    """

    def __init__(
        self,
        run_input_cls: Any,
        key_prefix: str,
        timeout: float | None = 3600,
        poll_interval: float = 10,
        raise_timeout_error: bool = False,
        exclude_keys: Collection[str] | None = None,
        flow_run_id: UUID | None = None,
        *,
        unwraps: bool = False,
    ) -> None:
        self.run_input_cls = run_input_cls
        self.key_prefix = key_prefix
        self.timeout = timeout
        self.poll_interval = poll_interval
        self.raise_timeout_error = raise_timeout_error
        self.exclude_keys = set(exclude_keys or ())
        self.flow_run_id = ensure_flow_run_id(flow_run_id)
        self._unwraps = unwraps

    def __iter__(self) -> Self:
        return self

    def __aiter__(self) -> Self:
        return self

    def __next__(self) -> R:
        try:
            return self.next()
        except TimeoutError:
            if self.raise_timeout_error:
                raise
            raise StopIteration from None

    async def __anext__(self) -> R:
        try:
            return await self.anext()
        except TimeoutError:
            if self.raise_timeout_error:
                raise
            raise StopAsyncIteration from None

    def next(self) -> R:
        """Wait for the next input.

        Raises:
            TimeoutError: None came in time.
        """
        deadline = self._deadline()
        while (found := self._take()) is None:
            time.sleep(self._pause(deadline))
        return self.to_instance(found)

    async def anext(self) -> R:
        """Wait for the next input; as `next`, for async code."""
        deadline = self._deadline()
        while (found := await asyncio.to_thread(self._take)) is None:  # noqa: ASYNC110 - sent from elsewhere
            await asyncio.sleep(self._pause(deadline))
        return self.to_instance(found)

    def to_instance(self, flow_run_input: FlowRunInput) -> R:
        """Return what an input holds.

        Args:
            flow_run_input: The input.
        """
        made = self.run_input_cls.load_from_flow_run_input(flow_run_input)
        return made.value if self._unwraps else made  # type: ignore[no-any-return]

    def _take(self) -> FlowRunInput | None:
        found = filter_flow_run_input(self.key_prefix, 1, self.exclude_keys, self.flow_run_id)
        if not found:
            return None
        self.exclude_keys.add(found[0].key)
        delete_flow_run_input(found[0].key, self.flow_run_id)
        return found[0]

    def _deadline(self) -> float | None:
        return None if self.timeout is None else monotonic() + self.timeout

    def _pause(self, deadline: float | None) -> float:
        if deadline is None:
            return self.poll_interval
        left = deadline - monotonic()
        if left <= 0:
            raise TimeoutError(f"No input came within {self.timeout} seconds.")
        return min(left, self.poll_interval)
