"""The socket of workers: `/work_pools/{name}/workers/connect`.

A worker says who it is, is told what its work pool is like, and from then on says that it is there. When the
pool changes, whichever process changed it, it is told what the pool is like now. Runs are not sent here:
workers fetch them.
"""

from __future__ import annotations

import asyncio
import logging

import msgspec

from prefect.exceptions import ObjectNotFound, ReservedNameError, ServerBusy, StoreError
from prefect.operations.work_pools import read_work_pool
from prefect.operations.workers import join_pool, send_worker_heartbeat
from prefect.schemas.base import encode_json
from prefect.schemas.lenient import Reader
from prefect.schemas.work_pools import WorkPool
from prefect.schemas.worker_channel import (
    REQUIRED_WORKER_CHANNEL_CAPABILITIES,
    WORK_POOL_WORKER_CHANNEL_VERSION,
    WorkerHeartbeatFrame,
    WorkerHelloFrame,
    WorkerHelloPayload,
    WorkerReadyFrame,
    WorkerReadyPayload,
    WorkPoolSnapshotFrame,
    WorkPoolSnapshotPayload,
)
from prefect.server.sockets import ServeSocket, Socket
from prefect.server.workroom import Workroom
from prefect.store.base import Store

__all__ = ["REFUSAL", "worker_channel"]

logger = logging.getLogger("prefect.server")

REFUSAL = "authentication_failed"
"""Why a socket is closed that does not greet, or not with the right credentials."""
PROTOCOL_ERROR = 1002, "protocol_error"
NOT_ALLOWED = 1008, "authorization_failed"
UNSUPPORTED = 1008, "unsupported_version"
UNAVAILABLE = 1011, "transient_server_error"
HELLO_SECONDS = 30.0
LOOK_SECONDS = 1.0
"""How often it is looked whether a pool has changed."""

_decode_hello = Reader(WorkerHelloFrame).decode
_decode_heartbeat = Reader(WorkerHeartbeatFrame).decode


class _Closed(Exception):
    """The socket is to be closed.

    Args:
        code: The code.
        reason: The reason that the worker is told.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def worker_channel(store: Store, room: Workroom) -> ServeSocket:
    """Return what serves the socket; the name of the pool is in its path, as `work_pool_name`.

    Args:
        store: Where pools and workers are.
        room: Where the store is asked.
    """

    async def serve(socket: Socket) -> None:
        try:
            await _Channel(socket, store, room).serve()
        except _Closed as closed:
            await socket.close(closed.code, closed.reason)

    return serve


class _Channel:
    def __init__(self, socket: Socket, store: Store, room: Workroom) -> None:
        self._socket = socket
        self._store = store
        self._room = room
        self._pool_name: str = socket.names["work_pool_name"]
        self._sequence = 1

    async def serve(self) -> None:
        try:
            pool = await self._welcome()
            reading = asyncio.create_task(self._read())
            watching = asyncio.create_task(self._watch(pool))
            try:
                done, _ = await asyncio.wait((reading, watching), return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                await _end(reading, watching)
        except ObjectNotFound as error:
            raise _Closed(*NOT_ALLOWED) from error
        except (StoreError, ServerBusy) as error:
            logger.warning("A worker of the pool %r is disconnected: %s", self._pool_name, error)
            raise _Closed(*UNAVAILABLE) from error

    async def _welcome(self) -> WorkPool:
        hello = await self._hello()
        try:
            pool, queues = await self._room.run(join_pool, self._store, self._pool_name, hello)
        except ReservedNameError as error:
            raise _Closed(*NOT_ALLOWED) from error
        except ValueError as error:
            # What it would have a pool made of is no job template.
            raise _Closed(*PROTOCOL_ERROR) from error
        asked = hello.requested_capabilities
        ready = WorkerReadyPayload(
            consumer_id=hello.consumer_id,
            effective_heartbeat_interval_seconds=hello.heartbeat_interval_seconds,
            accepted_capabilities=[one for one in asked if one in REQUIRED_WORKER_CHANNEL_CAPABILITIES],
            rejected_capabilities=[one for one in asked if one not in REQUIRED_WORKER_CHANNEL_CAPABILITIES],
            resolved_work_queues=queues,
            initial_snapshot=self._snapshot(pool, "initial"),
        )
        await self._send(WorkerReadyFrame(payload=ready))
        return pool

    async def _hello(self) -> WorkerHelloPayload:
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                text = await self._socket.receive()
            hello = _decode_hello(text).payload
        except (TimeoutError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _Closed(*PROTOCOL_ERROR) from error
        if WORK_POOL_WORKER_CHANNEL_VERSION not in hello.supported_channel_versions:
            raise _Closed(*UNSUPPORTED)
        if not set(REQUIRED_WORKER_CHANNEL_CAPABILITIES) <= set(hello.requested_capabilities):
            raise _Closed(*PROTOCOL_ERROR)
        return hello

    async def _read(self) -> None:
        while True:
            text = await self._socket.receive()
            try:
                beat = _decode_heartbeat(text).payload
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise _Closed(*PROTOCOL_ERROR) from error
            await self._room.run(
                send_worker_heartbeat,
                self._store,
                self._pool_name,
                beat.worker_name,
                beat.heartbeat_interval_seconds,
            )

    async def _watch(self, pool: WorkPool) -> None:
        """Tell of each change of the pool; only the database knows of those that others make."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            found = await self._room.run(read_work_pool, self._store, self._pool_name)
            if found.id != pool.id:
                raise _Closed(*NOT_ALLOWED)
            if found.updated != pool.updated:
                pool = found
                self._sequence += 1
                snapshot = self._snapshot(pool, "work_pool_updated")
                await self._send(WorkPoolSnapshotFrame(payload=snapshot))

    def _snapshot(self, pool: WorkPool, reason: str) -> WorkPoolSnapshotPayload:
        return WorkPoolSnapshotPayload(snapshot_sequence=self._sequence, reason=reason, work_pool=pool)

    async def _send(self, frame: WorkerReadyFrame | WorkPoolSnapshotFrame) -> None:
        await self._socket.send(encode_json(frame).decode())


async def _end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
