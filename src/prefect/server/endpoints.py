"""Endpoints: how requests come to the routes of operations, and answers go back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import parse_qsl

from prefect.schemas.events import EventPage
from prefect.server.compression import compressed
from prefect.server.errors import Refusal
from prefect.server.files import reply_of
from prefect.server.messages import JSON, Message, Receive, Reply
from prefect.server.paths import Paths
from prefect.server.routes import ROUTES, Route
from prefect.server.workroom import Workroom
from prefect.store.base import Store

__all__ = ["add_operations"]

LARGEST_BODY = 10_000_000
"""Bytes."""
_OLDEST_API = (0, 8, 0)
_CHANGING = frozenset(("PATCH", "PUT", "DELETE"))

Headers = Mapping[bytes, bytes]


def add_operations(
    paths: Paths, prefix: str, store: Store, workroom: Workroom, wake: Callable[[], None]
) -> None:
    """Serve all operations.

    Args:
        paths: Where.
        prefix: What their paths begin with.
        store: Where everything is kept.
        workroom: Where operations are carried out.
        wake: Is called after something may have been written.
    """
    for route in ROUTES:
        endpoint = _Endpoint(route, prefix, store, workroom, wake)
        paths.add(route.operation.method, prefix + route.operation.path, endpoint.answer)


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

    async def answer(self, scope: Message, path: Mapping[str, str], receive: Receive) -> Reply:
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
        base = self._base(scope, headers) if self._needs_base else ""
        accepted = headers.get(b"accept-encoding", b"")
        made = await self._call(self._make, path, query, body, accepted, base)
        if self._tells:
            self._wake()
        return made

    def _base(self, scope: Message, headers: Headers) -> str:
        host = headers.get(b"host", b"").decode("latin-1")
        return f"{scope['scheme']}://{host}{scope.get('root_path', '')}{self._prefix}"

    def _make(
        self, path: Mapping[str, str], query: Mapping[str, str], body: bytes, accepted: bytes, base: str
    ) -> Reply:
        """Carry the operation out (in a thread)."""
        status, content, file = self._route.answer(self._store, path, query, body, base)
        if file is not None:
            return reply_of(file, self._workroom)
        content, more = compressed(content, accepted)
        return Reply(status, content, None if status == HTTPStatus.NO_CONTENT else JSON, more)


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
        raise Refusal("The body is not complete.")
    return b"".join(parts)


def _too_large() -> Refusal:
    return Refusal("Request Entity Too Large", 413)


def _check_version(version: bytes | None) -> None:
    if version is not None and not _is_served(version):
        said = version.decode("latin-1")
        raise Refusal(f"API version {said!r} is not served: 0.8.0 is the oldest that is.")


@lru_cache(maxsize=64)
def _is_served(version: bytes) -> bool:
    try:
        return tuple(int(part) for part in version.split(b".")) >= _OLDEST_API
    except ValueError:
        return False


def _check_content_type(body: bytes, content_type: bytes) -> None:
    """A page of another site can send a browser's forms here, but no JSON."""
    if body and content_type.partition(b";")[0].strip().lower() != JSON:
        raise Refusal(f"The body must be sent as {JSON.decode()}.", 415)
