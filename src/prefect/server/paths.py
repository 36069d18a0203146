"""Paths: what is served where, be it an operation, a page or a socket."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager

from prefect.schemas.base import encode_json
from prefect.server.errors import reply_to
from prefect.server.messages import Message, Receive, Reply, Send, live, send_reply
from prefect.server.sockets import Disconnected, ServeSocket, Socket

__all__ = ["Answer", "Paths", "Place"]

logger = logging.getLogger("prefect.server")

Answer = Callable[[Message, Mapping[str, str], Receive], Awaitable[Reply]]
"""Answers a request; what its path has in the place of names is given beside it."""

_FAILED = 1011, "Internal Server Error"
_NOT_FOUND = Reply(404, encode_json({"detail": "Not Found"}))


class Place:
    """A place in the tree of paths."""

    __slots__ = ("_any", "_next", "methods", "names", "refusal", "socket", "template")

    def __init__(self) -> None:
        self.methods: dict[str, Answer] = {}
        self.socket: ServeSocket | None = None
        self.refusal: str | None = None
        """Why its socket is closed that is not greeted as it should, if it is one reason for all."""
        self.template = ""
        self.names: tuple[str, ...] = ()
        self._next: dict[str, Place] = {}
        self._any: Place | None = None

    def __iter__(self) -> Iterator[Place]:
        """Give all places from here on where something is."""
        if self.methods or self.socket:
            yield self
        for each in (*self._next.values(), *filter(None, (self._any,))):
            yield from each

    def add(self, template: str) -> Place:
        """Return the place of a path, where parts in braces stand for any one part."""
        place, names = self, []
        for part in filter(None, template.split("/")):
            if part.startswith("{"):
                names.append(part[1:-1])
                place._any = place = place._any or Place()
            else:
                place = place._next.setdefault(part, Place())
        place.template, place.names = template.rstrip("/"), tuple(names)
        return place

    def find(self, path: str, names: list[str]) -> Place | None:
        """Return the place of a path, and add what is there in place of names."""
        place = self
        for part in filter(None, path.split("/")):
            following = place._next.get(part)
            if following is None:
                following = place._any
                names.append(part)
            if following is None:
                return None
            place = following
        return place

    def find_all(
        self, parts: Sequence[str], names: tuple[str, ...] = ()
    ) -> Iterator[tuple[Place, Sequence[str]]]:
        """Give all places of a path: somebody may call a work pool `filter`, as a part of other paths is."""
        if not parts:
            yield self, names
            return
        if (following := self._next.get(parts[0])) is not None:
            yield from following.find_all(parts[1:], names)
        if self._any is not None:
            yield from self._any.find_all(parts[1:], (*names, parts[0]))


class Paths:
    """Serves what is added to it (this is an ASGI application).

    Args:
        life: Makes what is entered before anything is served, and left after that.
    """

    __slots__ = ("_life", "_root")

    def __init__(self, life: Callable[[], AbstractAsyncContextManager[None]]) -> None:
        self._life = life
        self._root = Place()

    def __iter__(self) -> Iterator[Place]:
        """Give all places where something is."""
        return iter(self._root)

    def add(self, method: str, template: str, answer: Answer) -> None:
        """Answer requests of a method to a path.

        Args:
            method: The method.
            template: The path; parts in braces stand for any one part.
            answer: Answers them.
        """
        self._root.add(template).methods[method] = answer

    def add_socket(self, template: str, serve: ServeSocket, refusal: str | None = None) -> None:
        """Serve sockets at a path.

        Args:
            template: The path; parts in braces stand for any one part.
            serve: Serves one that is accepted.
            refusal: Why one is closed that is not greeted as it should, if it is one reason for all.
        """
        place = self._root.add(template)
        place.socket, place.refusal = serve, refusal

    def socket_at(self, path: str) -> Place | None:
        """Return the place of a path, if there is a socket.

        Args:
            path: The path.
        """
        return next((place for place, _ in self._all(path) if place.socket is not None), None)

    def _all(self, path: str) -> Iterator[tuple[Place, Sequence[str]]]:
        return self._root.find_all([part for part in path.split("/") if part])

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve a request or a socket, or start and stop."""
        if scope["type"] == "http":
            await send_reply(await self._reply(scope, receive), receive, send)
        elif scope["type"] == "websocket":
            await self._serve_socket(scope, receive, send)
        else:
            await live(self._life(), receive, send)

    async def _reply(self, scope: Message, receive: Receive) -> Reply:
        method, names = scope["method"], list[str]()
        place = self._root.find(scope["path"], names)
        if place is None or method not in place.methods:
            # Seldom.
            places = list(self._all(scope["path"]))
            found = next(((place, names) for place, names in places if method in place.methods), None)
            if found is None:
                others = {other for place, _ in places for other in place.methods}
                return _reply_to_other_method(others, method) if others else _NOT_FOUND
            place, names = found[0], list(found[1])
        # For those who count requests.
        scope["path_template"] = place.template
        try:
            return await place.methods[method](scope, dict(zip(place.names, names, strict=True)), receive)
        except Exception as error:  # noqa: BLE001 - whatever it is, there is an answer that says so
            return reply_to(error)

    async def _serve_socket(self, scope: Message, receive: Receive, send: Send) -> None:
        places = ((place, names) for place, names in self._all(scope["path"]) if place.socket)
        place, names = next(places, (self._root, ()))
        if place.socket is None:
            raise LookupError(f"No socket is served at {scope['path']}, and yet it was let in.")
        socket = Socket(dict(zip(place.names, names, strict=True)), receive, send)
        try:
            await socket.accept()
            await place.socket(socket)
        except Disconnected:
            return
        except Exception:
            logger.exception("A socket failed.")
            await socket.close(*_FAILED)


def _reply_to_other_method(methods: Collection[str], method: str) -> Reply:
    allowed = [(b"allow", ", ".join(sorted({*methods, "OPTIONS"})).encode())]
    if method == "OPTIONS":
        return Reply(204, kind=None, headers=allowed)
    return Reply(405, encode_json({"detail": "Method Not Allowed"}), headers=allowed)
