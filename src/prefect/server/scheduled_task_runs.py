"""The socket that workers of tasks are given task runs by: `/task_runs/subscriptions/scheduled`."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta
from typing import Any

import msgspec

from prefect.exceptions import ServerBusy, StoreError
from prefect.operations.scheduled_task_runs import claim_task_run, keep_task_run, release_task_run
from prefect.operations.task_workers import SEEN_SECONDS, forget_task_worker, see_task_worker
from prefect.schemas.base import encode_json, whole
from prefect.schemas.objects import TaskRun
from prefect.server.sockets import ServeSocket, Socket
from prefect.server.workroom import Workroom
from prefect.store.base import Store
from prefect.types import now, uuid7

__all__ = ["Bell", "scheduled_task_runs"]

logger = logging.getLogger("prefect.server")

NOT_UNDERSTOOD, UNAVAILABLE = 4001, 1013
LOOK_SECONDS = 0.5
"""How often the store is looked at for what other processes write."""
ACKNOWLEDGE_SECONDS = 30.0
"""How long a worker may take to say that it has a task run."""
_GRACE = timedelta(seconds=10)

_decode_message = msgspec.json.Decoder(dict[str, Any]).decode


class _Subscribe(msgspec.Struct, tag_field="type", tag="subscribe"):
    keys: list[str]
    client_id: str


class Bell:
    """Wakes everybody who waits for it."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: set[asyncio.Event] = set()

    def ring(self) -> None:
        """Wake them."""
        for each in self._waiting:
            each.set()

    async def wait(self, seconds: float) -> None:
        """Wait until it rings, and no longer than some seconds."""
        rung = asyncio.Event()
        self._waiting.add(rung)
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(rung.wait(), seconds)
        finally:
            self._waiting.discard(rung)


def scheduled_task_runs(store: Store, room: Workroom, bell: Bell) -> ServeSocket:
    """Return what serves the socket.

    Args:
        store: Where task runs are.
        room: Where the store is asked.
        bell: Rings when something was written.
    """

    async def serve(socket: Socket) -> None:
        try:
            asked = await _asked(socket)
            if asked is None:
                await socket.close(NOT_UNDERSTOOD, "Expected 'subscribe' message")
                return
            await _serve(_Giver(socket, store, room, bell), asked)
        except (StoreError, ServerBusy) as error:
            logger.warning("A worker of tasks is disconnected: %s", error)
            await socket.close(UNAVAILABLE, "Service Unavailable")

    return serve


async def _asked(socket: Socket) -> _Subscribe | None:
    try:
        asked = msgspec.json.decode(await socket.receive(), type=whole(_Subscribe))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return asked if asked.keys else None


async def _serve(giver: _Giver, asked: _Subscribe) -> None:
    """Give a worker task runs, and let others know meanwhile that it is there."""
    seen = asyncio.ensure_future(giver.be_seen(asked))
    try:
        await giver.serve(asked.keys)
    finally:
        seen.cancel()
        await asyncio.gather(seen, return_exceptions=True)
        await giver.be_forgotten()


class _Giver:
    """Gives one worker task runs, the next when it has said that it has the last."""

    def __init__(self, socket: Socket, store: Store, room: Workroom, bell: Bell) -> None:
        self._socket = socket
        self._store = store
        self._room = room
        self._bell = bell
        self._holder = uuid7().hex

    async def be_seen(self, asked: _Subscribe) -> None:
        """Write down, again and again, that the worker is there."""
        while True:
            try:
                await self._room.write(
                    see_task_worker, self._store, self._holder, asked.client_id, asked.keys
                )
            except (StoreError, ServerBusy) as error:
                # Whoever asks who is there misses one; the worker is given its runs all the same.
                logger.debug("A worker of tasks is not seen: %s", error)
            await asyncio.sleep(SEEN_SECONDS)

    async def be_forgotten(self) -> None:
        """Write down that the worker has gone."""
        try:
            await self._room.write(forget_task_worker, self._store, self._holder)
        except (StoreError, ServerBusy) as error:
            logger.debug("A worker of tasks is seen for a while after it has gone: %s", error)

    async def serve(self, keys: list[str]) -> None:
        message = asyncio.ensure_future(self._socket.receive())
        try:
            while True:
                run = await self._next(keys, message)
                if run is None or not await self._give(run, message):
                    return
                message = asyncio.ensure_future(self._socket.receive())
        finally:
            message.cancel()
            await asyncio.gather(message, return_exceptions=True)

    async def _next(self, keys: list[str], message: asyncio.Future[Any]) -> TaskRun | None:
        """Wait for a task run; the worker has nothing to say meanwhile, but may go."""
        while not message.done():
            at = now()
            expires = at + timedelta(seconds=ACKNOWLEDGE_SECONDS) + _GRACE
            run = await self._room.run(claim_task_run, self._store, keys, self._holder, at, expires)
            if run is not None:
                return run
            rung = asyncio.ensure_future(self._bell.wait(LOOK_SECONDS))
            try:
                await asyncio.wait((rung, message), return_when=asyncio.FIRST_COMPLETED)
            finally:
                rung.cancel()
        message.result()
        await self._socket.close(NOT_UNDERSTOOD, "Nothing is to be acknowledged")
        return None

    async def _give(self, run: TaskRun, message: asyncio.Future[Any]) -> bool:
        """Send a task run, and wait for the word that it came; whoever is not heard of does not have it."""
        has_it = False
        try:
            await self._socket.send(encode_json(run).decode())
            await asyncio.wait((message,), timeout=ACKNOWLEDGE_SECONDS)
            has_it = message.done() and _is_acknowledgement(message.result())
            if not has_it:
                await self._socket.close(NOT_UNDERSTOOD, "Expected 'ack' message")
                return False
            return await self._room.run(keep_task_run, self._store, run.id, self._holder)
        finally:
            if not has_it:
                await self._room.run(release_task_run, self._store, run.id, self._holder)
                self._bell.ring()


def _is_acknowledgement(text: Any) -> bool:
    try:
        return _decode_message(text).get("type") == "ack"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
