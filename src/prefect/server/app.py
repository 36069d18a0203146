"""The application: where everything that serves is put together."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, cast

from litestar import Litestar, Request, Response
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.plugins import SwaggerRenderPlugin
from litestar.routes import WebSocketRoute

from prefect.operations.events import record_events
from prefect.schemas.base import encode_json
from prefect.server.access import PREFIX, access_of, prefix_of
from prefect.server.compression import compressed
from prefect.server.endpoints import Endpoints
from prefect.server.errors import failure_of
from prefect.server.events import events_in
from prefect.server.gate import Gate, Socket
from prefect.server.inbox import Inbox
from prefect.server.messages import ASGIApp
from prefect.server.openapi import describe
from prefect.server.routes import ROUTES
from prefect.server.subscriptions import Subscriptions
from prefect.server.worker_channel import worker_channel
from prefect.server.workroom import Workroom
from prefect.settings import get_current_settings
from prefect.store.base import Store

if TYPE_CHECKING:
    from prefect.server.metrics import Metrics

__all__ = ["PREFIX", "make_app"]

AnyRequest = Request[Any, Any, Any]


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
            events_in(f"{prefix}/events/in", inbox),
            *subscriptions.handlers(prefix),
            worker_channel(f"{prefix}/work_pools/{{work_pool_name:str}}/workers/connect", store, room),
            *_documentation(prefix),
            *(() if metrics is None else (_figures(prefix, metrics, room),)),
        ],
        exception_handlers={Exception: _answer_failure},
        lifespan=[lifespan],
        openapi_config=None,
        logging_config=None,
    )
    access = access_of(settings, store, checks_hosts=checks_hosts)
    # Litestar has a type of its own for each message.
    served = Endpoints(prefix, store, room, subscriptions.wake, cast(ASGIApp, app))
    return Gate(served, access, prefix, _sockets(app), metrics)


def _sockets(app: Litestar) -> list[Socket]:
    """Return where sockets are served; a handler's `refusal` is the reason why sockets are not let in."""
    routes = (route for route in app.routes if isinstance(route, WebSocketRoute))
    return [Socket.at(route.path_format, route.route_handler.opt.get("refusal")) for route in routes]


def _answer_failure(request: AnyRequest, error: Exception) -> Response[bytes]:
    status, content, headers = failure_of(error)
    return Response(content, status_code=status, headers=dict(headers), media_type="application/json")


def _documentation(prefix: str) -> list[HTTPRouteHandler]:
    page = SwaggerRenderPlugin(favicon="<link rel='icon' href='data:,'>")

    @lru_cache(maxsize=1)
    def document() -> dict[str, Any]:
        return describe(ROUTES, prefix)

    async def openapi(request: AnyRequest) -> Response[bytes]:
        accepted = request.headers.get("accept-encoding", "").encode("latin-1")
        content, headers = compressed(encode_json(document()), accepted)
        said = {name.decode(): value.decode() for name, value in headers}
        return Response(content, headers=said, media_type="application/json")

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
