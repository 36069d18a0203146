"""Counts what is said to a PostgreSQL server: a proxy that passes everything on."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

__all__ = ["Talk", "listened_to"]

_QUERY, _EXECUTE, _SYNC, _PARSE = b"Q", b"E", b"S", b"P"


class Talk:
    """What clients have said so far."""

    def __init__(self) -> None:
        self.trips = self.statements = self.parsed = 0
        """Times that a client waited for an answer; statements; statements that were parsed anew."""

    def take(self, kind: bytes) -> None:
        self.trips += kind in (_QUERY, _SYNC)
        self.statements += kind in (_QUERY, _EXECUTE)
        self.parsed += kind == _PARSE

    def forget(self) -> None:
        self.__init__()  # type: ignore[misc]


@contextmanager
def listened_to(url: str) -> Iterator[tuple[str, Talk]]:
    """Give the URL of a proxy before a server, and what is said through it."""
    parts = urlsplit(url)
    server = (parts.hostname or "127.0.0.1", parts.port or 5432)
    talk = Talk()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = f"{parts.username or 'root'}@127.0.0.1:{listener.getsockname()[1]}"
        threading.Thread(target=_serve, args=(listener, server, talk), daemon=True).start()
        query = f"{parts.query}&" if parts.query else ""
        yield (
            urlunsplit(parts._replace(netloc=place, query=f"{query}sslmode=disable&gssencmode=disable")),
            talk,
        )


def _serve(listener: socket.socket, server: tuple[str, int], talk: Talk) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            behind = socket.create_connection(server)
            for source, target, heard in ((client, behind, talk), (behind, client, None)):
                threading.Thread(target=_pass_on, args=(source, target, heard), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket, talk: Talk | None) -> None:
    """Pass on what comes; what a client says is counted before it is passed on."""
    with closing(source), closing(target), suppress(OSError):
        # The first message has no kind: it says who the client is.
        waiting, is_first = b"", True
        while said := source.recv(65536):
            waiting += said
            while talk is not None and len(waiting) >= (4 if is_first else 5):
                start = 0 if is_first else 1
                length = start + int.from_bytes(waiting[start : start + 4], "big")
                if len(waiting) < length:
                    break
                if not is_first:
                    talk.take(waiting[:1])
                waiting, is_first = waiting[length:], False
            target.sendall(said)
