"""A connection over which requests come, and what is not waited for there.

uvicorn waits without end for the rest of a request, reads on while requests wait that were sent ahead, and
httptools takes headers of any size, before a body and behind it: a client could hold a connection for as long
as it likes, and have all memory filled before anybody asks who it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sized
from typing import Any

from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["Connection"]

SILENT_SECONDS = 60.0
"""How long a client may take for the head of a request, and for a part of the body."""
PACE_BYTES = 15_000
"""How large such a part is at least, unless the body ends: 2 kbit/s, as over a bad line."""
HEAD_BYTES = HIGH_WATER_LIMIT
"""How large the line and the headers of a request may be together, and so what comes between the parts of its
body, and behind it."""
_TIMEOUT = 408, "Request Timeout", "The request did not come as a whole."
_NO_SOCKET = 400, "Bad Request", "No WebSocket can be made of the request."
_TOO_LARGE = 431, "Request Header Fields Too Large", "The headers of the request are too large."


class Connection(HttpToolsProtocol):
    """uvicorn's connection, with an end to its patience."""

    flow: _Flow

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._has_head = self._has_all = False
        self._head = 0
        """Bytes of a head that is not complete, or of what is beside a body."""
        self._part = 0
        """Bytes of a body that came of late."""
        self._end: asyncio.TimerHandle | None = None

    # uvicorn narrows the type of the transport likewise.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a first request."""
        super().connection_made(transport)
        self.flow = _Flow(transport, self.pipeline)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has come, and wait for what is missing."""
        self._head += len(data)
        super().data_received(data)
        if self._has_all and self.cycle is not None and not self.cycle.response_complete:
            # Nearly always: a request comes as a whole.
            self._wait_no_more()
        elif self.transport.is_closing() or self.transport.get_protocol() is not self:
            # It is at its end, or a WebSocket by now.
            self._wait_no_more()
        elif self._head > HEAD_BYTES:
            self._refuse(*_TOO_LARGE)
        elif self._end is None:
            # What comes byte by byte has no more time than others.
            self._wait()

    def handle_websocket_upgrade(self) -> None:
        """Become a socket, or refuse to: a head that cannot be read as one is dropped without a word."""
        super().handle_websocket_upgrade()
        becomes_one = getattr(self.transport.get_protocol(), "handshake_initiated", True)
        if not becomes_one:
            self._refuse(*_NO_SOCKET)

    def on_message_begin(self) -> None:
        """Begin to read a request."""
        self._has_head = self._has_all = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Have its headers."""
        self._has_head, self._head, self._part = True, 0, 0
        # The body has time of its own.
        self._wait_no_more()
        super().on_headers_complete()
        # Those behind the body are none of the request, which is let in for what its head says.
        self.headers = self.headers.copy()

    def on_body(self, body: bytes) -> None:
        """Have a part of its body."""
        self._head = 0
        self._part += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Have the whole of it."""
        self._has_all, self._head = True, 0
        super().on_message_complete()

    def _wait(self) -> None:
        self._end = self.loop.call_later(SILENT_SECONDS, self._end_silence)

    def _wait_no_more(self) -> None:
        if self._end is not None:
            self._end.cancel()
            self._end = None

    def _end_silence(self) -> None:
        cycle = self.cycle
        part, self._part = self._part, 0
        was_paused, self.flow.was_paused = self.flow.was_paused, self.flow.read_paused
        is_answering = cycle is not None and not cycle.more_body and not cycle.response_complete
        if is_answering or self.pipeline or was_paused:
            # Others are answered first; and where nothing is read, it is not the client that is slow.
            self._wait()
        elif part >= PACE_BYTES:
            self._wait()
        elif self._head or self._has_head:
            self._refuse(*_TIMEOUT)
        else:
            # Nothing was asked.
            self.transport.close()

    def _refuse(self, status: int, phrase: str, detail: str) -> None:
        # Within an answer nobody could tell this from the rest of it.
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            content = f'{{"detail":"{detail}"}}'
            self.transport.write(
                f"HTTP/1.1 {status} {phrase}\r\ncontent-type: application/json\r\n"
                f"content-length: {len(content)}\r\nconnection: close\r\n\r\n{content}".encode()
            )
        self.transport.close()


class _Flow(FlowControl):
    """Reads nothing more while requests wait that have come already."""

    def __init__(self, transport: asyncio.Transport, waiting: Sized) -> None:
        super().__init__(transport)
        self._waiting = waiting
        self.was_paused = False
        """Whether reading is paused, or was of late."""

    def pause_reading(self) -> None:
        self.was_paused = True
        super().pause_reading()

    def resume_reading(self) -> None:
        if not self._waiting:
            super().resume_reading()
