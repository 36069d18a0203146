"""Endpoints: how requests come to the routes of operations, and answers go back.

Litestar would make an object of each part of a request and of its answer, two thirds of what is spent here on
both, and its plain ASGI handlers take no names in their paths. So paths are looked up here, and what is no
operation is left to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NamedTuple, cast
from urllib.parse import parse_qsl

from litestar import Request
from litestar.exceptions import ClientException

from prefect.schemas.base import encode_json
from prefect.schemas.events import EventPage
from prefect.schemas.responses import TextFile
from prefect.server.compression import compressed
from prefect.server.errors import failure_of
from prefect.server.files import streamed
from prefect.server.messages import ASGIApp, Header, Message, Receive, Send, send_answer
from prefect.server.routes import ROUTES, Route
from prefect.server.workroom import Workroom
from prefect.store.base import Store

__all__ = ["Endpoints"]

LARGEST_BODY = 10_000_000
"""Bytes."""
_OLDEST_API = (0, 8, 0)
_JSON = b"application/json"
_CHANGING = frozenset(("PATCH", "PUT", "DELETE"))

Headers = Mapping[bytes, bytes]


class _Made(NamedTuple):
    status: int
    content: bytes
    headers: Sequence[Header] = ()
    file: TextFile | None = None


class Endpoints:
    """Serves all operations (this is an ASGI application).

    Args:
        prefix: What their paths begin with.
        store: Where everything is kept.
        workroom: Where operations are carried out.
        wake: Is called after something may have been written.
        rest: Serves whatever is no operation.
    """

    def __init__(
        self, prefix: str, store: Store, workroom: Workroom, wake: Callable[[], None], rest: ASGIApp
    ) -> None:
        self.rest = rest
        self._root = _Place()
        for route in ROUTES:
            endpoint = _Endpoint(route, prefix, store, workroom, wake)
            place = self._root.add(prefix + route.operation.path)
            place.methods[route.operation.method] = endpoint

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve a request, or have the rest serve it."""
        names: list[str] = []
        place = self._root.find(scope["path"], names) if scope["type"] == "http" else None
        if place is None:
            await self.rest(scope, receive, send)
            return
        endpoint = place.methods.get(scope["method"])
        if endpoint is not None:
            # As Litestar notes it.
            scope["path_template"] = place.template
            await endpoint.serve(scope, dict(zip(place.names, names, strict=True)), receive, send)
            return
        allowed = [(b"allow", ", ".join(sorted({*place.methods, "OPTIONS"})).encode())]
        if scope["method"] == "OPTIONS":
            await send_answer(send, 204, b"", None, allowed)
        else:
            await send_answer(send, 405, encode_json({"detail": "Method Not Allowed"}), _JSON, allowed)


class _Place:
    """A place in the tree of paths."""

    __slots__ = ("_any", "_next", "methods", "names", "template")

    def __init__(self) -> None:
        self.methods: dict[str, _Endpoint] = {}
        self.template = ""
        self.names: tuple[str, ...] = ()
        self._next: dict[str, _Place] = {}
        self._any: _Place | None = None

    def add(self, template: str) -> _Place:
        """Return the place of a path, where parts in braces stand for any one part."""
        place, names = self, []
        for part in filter(None, template.split("/")):
            if part.startswith("{"):
                names.append(part[1:-1])
                place._any = place = place._any or _Place()
            else:
                place = place._next.setdefault(part, _Place())
        place.template, place.names = template.rstrip("/"), tuple(names)
        return place

    def find(self, path: str, names: list[str]) -> _Place | None:
        """Return the place of a path, if something is there, and add what is there in place of names."""
        place: _Place | None = self
        for part in filter(None, path.split("/")):
            following = place._next.get(part)
            if following is None:
                following = place._any
                names.append(part)
            if following is None:
                return None
            place = following
        return place if place.methods else None


class _Endpoint:
    """Where one operation is served."""

    __slots__ = ("_call", "_needs_base", "_prefix", "_route", "_store", "_tells", "_wake", "_workroom")

    def __init__(
        self, route: Route, prefix: str, store: Store, workroom: Workroom, wake: Callable[[], None]
    ) -> None:
        operation = route.operation
        self._route = route
        self._prefix = prefix
        self._store = store
        self._workroom = workroom
        self._wake = wake
        self._tells = operation.method != "GET"
        self._needs_base = route.result_type is EventPage
        # Others may write too, but do so shortly, or after they have read for long.
        writes = operation.creates or operation.method in _CHANGING
        self._call = workroom.write if writes else workroom.run

    async def serve(self, scope: Message, path: Mapping[str, str], receive: Receive, send: Send) -> None:
        try:
            made = await self._answer(scope, path, receive)
        except Exception as error:  # noqa: BLE001 - whatever it is, there is an answer that says so
            failure = failure_of(error)
            said = [(name.encode(), value.encode()) for name, value in failure.headers.items()]
            await send_answer(send, failure.status, failure.body, _JSON, said)
            return
        if made.file is None:
            kind = None if made.status == HTTPStatus.NO_CONTENT else _JSON
            await send_answer(send, made.status, made.content, kind, made.headers)
        else:
            file = streamed(made.file, self._workroom)
            await file.to_asgi_response(None, Request(cast(Any, scope)))(scope, receive, send)  # type: ignore[arg-type]

    async def _answer(self, scope: Message, path: Mapping[str, str], receive: Receive) -> _Made:
        headers = dict(scope["headers"])
        _check_version(headers.get(b"x-prefect-api-version"))
        body, query = b"", {}
        if self._route.body_type is not None:
            body = await _read_body(headers, receive)
            _check_content_type(body, headers.get(b"content-type", b""))
        elif self._route.query_type is not None:
            pairs = parse_qsl(scope["query_string"].decode(errors="replace"), keep_blank_values=True)
            # Of what is said twice, the first counts.
            query = dict(reversed(pairs))
        base = self._base(scope) if self._needs_base else ""
        accepted = headers.get(b"accept-encoding", b"")
        made = await self._call(self._make, path, query, body, accepted, base)
        if self._tells:
            self._wake()
        return made

    def _base(self, scope: Any) -> str:
        return str(Request(scope).base_url).rstrip("/") + self._prefix

    def _make(
        self, path: Mapping[str, str], query: Mapping[str, str], body: bytes, accepted: bytes, base: str
    ) -> _Made:
        """Carry the operation out (in a thread)."""
        status, content, file = self._route.answer(self._store, path, query, body, base)
        return _Made(status, *compressed(content, accepted), file)


async def _read_body(headers: Headers, receive: Receive) -> bytes:
    if int(headers.get(b"content-length", 0)) > LARGEST_BODY:
        raise _too_large()
    message = await receive()
    body: bytes = message.get("body", b"")
    if message["type"] == "http.request" and not message.get("more_body"):
        # Nearly always.
        if len(body) > LARGEST_BODY:
            raise _too_large()
        return body
    parts, size = [body], len(body)
    while message["type"] == "http.request" and message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST_BODY:
            raise _too_large()
    if message["type"] != "http.request":
        # The client went away in the middle of it: nobody reads the answer, and nothing has failed here.
        raise ClientException("The body is not complete.")
    return b"".join(parts)


def _too_large() -> ClientException:
    return ClientException("Request Entity Too Large", status_code=413)


def _check_version(version: bytes | None) -> None:
    if version is not None and not _is_served(version):
        said = version.decode("latin-1")
        raise ClientException(f"API version {said!r} is not served: 0.8.0 is the oldest that is.")


@lru_cache(maxsize=64)
def _is_served(version: bytes) -> bool:
    try:
        return tuple(int(part) for part in version.split(b".")) >= _OLDEST_API
    except ValueError:
        return False


def _check_content_type(body: bytes, content_type: bytes) -> None:
    """A page of another site can send a browser's forms here, but no JSON."""
    if body and content_type.partition(b";")[0].strip().lower() != _JSON:
        raise ClientException(f"The body must be sent as {_JSON.decode()}.", status_code=415)
