"""The application: where everything that serves is put together."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, cast

from litestar import Litestar, Request, Response
from litestar.exceptions import ClientException, InternalServerException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.plugins import SwaggerRenderPlugin
from litestar.response import Stream
from litestar.routes import WebSocketRoute

from prefect.operations.events import record_events
from prefect.schemas.base import encode_json
from prefect.schemas.events import EventPage
from prefect.server.access import PREFIX, access_of, prefix_of
from prefect.server.compression import compressed
from prefect.server.errors import failure_of
from prefect.server.events import events_in
from prefect.server.files import streamed
from prefect.server.gate import Gate, Socket
from prefect.server.inbox import Inbox
from prefect.server.messages import ASGIApp
from prefect.server.openapi import describe
from prefect.server.routes import ROUTES, Route
from prefect.server.subscriptions import Subscriptions
from prefect.server.worker_channel import worker_channel
from prefect.server.workroom import Workroom
from prefect.settings import get_current_settings
from prefect.store.base import Store

if TYPE_CHECKING:
    from prefect.server.metrics import Metrics

__all__ = ["PREFIX", "make_app"]

LARGEST_BODY = 10_000_000
"""Bytes."""
_OLDEST_API = (0, 8, 0)
_JSON = "application/json"
_CHANGING = frozenset(("PATCH", "PUT", "DELETE"))

AnyRequest = Request[Any, Any, Any]
AnyResponse = Response[bytes] | Stream


def make_app(store: Store, workroom: Workroom | None = None, *, checks_hosts: bool = True) -> Gate:
    """Return the application that serves a store as the settings say.

    Args:
        store: Where everything is kept; whoever gives it closes it.
        workroom: Where operations are carried out; None: one of the usual size.
        checks_hosts: Whether, where no credentials are asked for, the server must have been reached by a name
            of this machine.
    """
    server = get_current_settings().server
    settings = server.api
    prefix = prefix_of(settings)
    room = workroom or Workroom(writes_alone=store.dialect == "sqlite")
    store.keeps_events = True
    subscriptions = Subscriptions(store, room)
    inbox = Inbox(room, partial(record_events, store), subscriptions.wake)
    metrics = _metrics(store, room, inbox) if server.metrics_enabled else None

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncGenerator[None]:
        inbox.open()
        try:
            yield
        finally:
            await subscriptions.close()
            await inbox.close()
            room.close()

    app = Litestar(
        route_handlers=[
            *(_handler(route, prefix, store, room, subscriptions.wake) for route in ROUTES),
            events_in(f"{prefix}/events/in", inbox),
            *subscriptions.handlers(prefix),
            worker_channel(f"{prefix}/work_pools/{{work_pool_name:str}}/workers/connect", store, room),
            *_documentation(prefix),
            *(() if metrics is None else (_figures(prefix, metrics, room),)),
        ],
        exception_handlers={Exception: _answer_failure},
        lifespan=[lifespan],
        request_max_body_size=LARGEST_BODY,
        openapi_config=None,
        logging_config=None,
    )
    access = access_of(settings, store, checks_hosts=checks_hosts)
    # Litestar has a type of its own for each message.
    return Gate(cast(ASGIApp, app), access, prefix, _sockets(app), metrics)


def _sockets(app: Litestar) -> list[Socket]:
    """Return where sockets are served; a handler's `refusal` is the reason why sockets are not let in."""
    routes = (route for route in app.routes if isinstance(route, WebSocketRoute))
    return [Socket.at(route.path_format, route.route_handler.opt.get("refusal")) for route in routes]


def _handler(
    route: Route, prefix: str, store: Store, workroom: Workroom, wake: Callable[[], None]
) -> HTTPRouteHandler:
    def answer(
        path: dict[str, str], query: dict[str, str], body: bytes, accepted: str, base: str
    ) -> AnyResponse:
        status, content, file = route.answer(store, path, query, body, base)
        return compressed(content, status, accepted) if file is None else streamed(file, workroom)

    operation = route.operation
    # Others may write too, but do so shortly, or after they have read for long.
    call = workroom.write if operation.creates or operation.method in _CHANGING else workroom.run

    async def handle(request: AnyRequest) -> AnyResponse:
        headers = request.headers
        _check_version(headers.get("x-prefect-api-version"))
        body = b""
        if route.body_type is not None:
            body = await _read_body(request)
            _check_content_type(body, headers.get("content-type", ""))
        answered = await call(
            answer,
            request.path_params,
            dict(request.query_params),
            body,
            headers.get("accept-encoding", ""),
            str(request.base_url).rstrip("/") + prefix if route.result_type is EventPage else "",
        )
        if operation.method != "GET":
            wake()
        return answered

    path = prefix + operation.path
    for name in route.in_path:
        path = path.replace(f"{{{name}}}", f"{{{name}:str}}")
    # Litestar holds bodies and statuses apart; here each answer says its own.
    return HTTPRouteHandler(path, http_method=[operation.method], status_code=200)(handle)


async def _read_body(request: AnyRequest) -> bytes:
    try:
        return await request.body()
    except InternalServerException as error:
        # The client went away in the middle of it: nobody reads the answer, and nothing has failed here.
        raise ClientException("The body is not complete.") from error


def _answer_failure(request: AnyRequest, error: Exception) -> Response[bytes]:
    status, content, headers = failure_of(error)
    return Response(content, status_code=status, headers=dict(headers), media_type=_JSON)


def _documentation(prefix: str) -> list[HTTPRouteHandler]:
    page = SwaggerRenderPlugin(favicon="<link rel='icon' href='data:,'>")

    @lru_cache(maxsize=1)
    def document() -> dict[str, Any]:
        return describe(ROUTES, prefix)

    async def openapi(request: AnyRequest) -> Response[bytes]:
        return compressed(encode_json(document()), 200, request.headers.get("accept-encoding", ""))

    async def docs(request: AnyRequest) -> Response[bytes]:
        return Response(page.render(request, document()), media_type="text/html")

    return [
        HTTPRouteHandler("/openapi.json", http_method=["GET"])(openapi),
        HTTPRouteHandler("/docs", http_method=["GET"])(docs),
    ]


def _metrics(store: Store, workroom: Workroom, inbox: Inbox) -> Metrics:
    from prefect.server.metrics import Metrics  # noqa: PLC0415 - only where it is asked for: 60 ms

    return Metrics(store, workroom, inbox)


def _figures(prefix: str, metrics: Metrics, workroom: Workroom) -> HTTPRouteHandler:
    async def figures() -> Response[bytes]:
        return Response(await workroom.run(metrics.text), media_type=metrics.media_type)

    # The interface's path, and the one where Prometheus looks.
    return HTTPRouteHandler([f"{prefix}/metrics", "/metrics"], http_method=["GET"])(figures)


def _check_version(version: str | None) -> None:
    if version is not None and not _is_served(version):
        raise ClientException(f"API version {version!r} is not served: 0.8.0 is the oldest that is.")


@lru_cache(maxsize=64)
def _is_served(version: str) -> bool:
    try:
        return tuple(int(part) for part in version.split(".")) >= _OLDEST_API
    except ValueError:
        return False


def _check_content_type(body: bytes, content_type: str) -> None:
    """A page of another site can send a browser's forms here, but no JSON."""
    if body and content_type.partition(";")[0].strip().lower() != _JSON:
        raise ClientException(f"The body must be sent as {_JSON}.", status_code=415)
