"""Calls operations on a server."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast
from urllib.parse import quote

import msgspec

from prefect.client.bodies import query_of, sendable
from prefect.client.errors import raise_for_status
from prefect.client.options import ClientOptions, client_options
from prefect.client.transport import Transport
from prefect.exceptions import PrefectException
from prefect.operations.calling import Layout, layout_of
from prefect.operations.registry import OPERATIONS, Operation
from prefect.schemas.base import whole
from prefect.schemas.queries import DEFAULT_LIMIT
from prefect.schemas.responses import TextFile
from prefect.store.base import Store
from prefect.store.values import json_text

if TYPE_CHECKING:
    import httpx

__all__ = ["HttpClient", "get_http_client", "known_operation"]

P = ParamSpec("P")
R = TypeVar("R")


class HttpClient:
    """Calls operations on a server; connections are shared by all clients of one server in a process.

    Args:
        options: Where the server is and how to talk to it, or only its URL; the rest is as in the settings.
        sleep: How to wait before a request is sent again.
    """

    __slots__ = ("transport",)

    def __init__(
        self, options: ClientOptions | str | None = None, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        if not isinstance(options, ClientOptions):
            options = client_options(options)
        self.transport = Transport(options, sleep)

    @property
    def url(self) -> str:
        """The URL of the server's API, without user and password."""
        return self.transport.options.url

    @property
    def name(self) -> str:
        """What messages call the server."""
        return self.url

    @property
    def page(self) -> int:
        """How many objects servers give at most."""
        return DEFAULT_LIMIT

    def call(self, operation: Callable[Concatenate[Store, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call an operation on the server.

        Args:
            operation: One of `prefect.operations` that servers offer.
            args: Its arguments, without the store.
            kwargs: Its named arguments.

        Returns:
            What the operation returns.

        Raises:
            prefect.exceptions.ServerUnreachable: The server does not answer.
            prefect.exceptions.ObjectNotFound: What the call is about is not there.
            prefect.exceptions.ObjectAlreadyExists: What it should make is there.
            prefect.exceptions.PrefectHTTPStatusError: The server refused it, or failed.
            TypeError: Arguments do not fit, or only a store in this process has this operation.
        """
        if operation not in OPERATIONS:
            from prefect.client.composed import COMPOSED  # noqa: PLC0415 - no run needs them

            if operation in COMPOSED:
                return cast(R, COMPOSED[operation](self, *args, **kwargs))
        response = self.respond(operation, *args, **kwargs)
        return cast(R, _result_of(response, known_operation(operation)[1].result_type))

    def respond(
        self, operation: Callable[Concatenate[Store, P], Any], *args: P.args, **kwargs: P.kwargs
    ) -> httpx.Response:
        """Call an operation on the server, and return the answer as it came; see `call`."""
        known, layout = known_operation(operation)
        given = _bind(known, layout, args, kwargs)
        path = known.path
        for name in layout.in_path:
            path = path.replace(f"{{{name}}}", quote(str(given.pop(name)), safe=""))
        params = query_of(given) if layout.in_query and given else None
        content = None
        if given and not layout.in_query:
            (body,) = given.values() if layout.is_body else (given,)
            content = json_text(sendable(body)).encode()
        return self.request(known.method, path, params=params, content=content)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        **options: Any,
    ) -> httpx.Response:
        """Send a request, again if need be, and return the answer to it.

        Args:
            method: The HTTP method.
            path: The path below the server's URL.
            params: The query.
            content: The body, as JSON.
            options: Further arguments of `httpx.Client.request`.

        Raises:
            prefect.exceptions.ServerUnreachable: The server does not answer.
            prefect.exceptions.PrefectException: The answer is no success; see `call`.
        """
        response = self.transport.send(method, path, params=params, content=content, **options)
        raise_for_status(response)
        return response


_clients: dict[ClientOptions, HttpClient] = {}


def get_http_client(url: str | None = None) -> HttpClient:
    """Return this process's client of a server.

    Args:
        url: The URL of its API; None: the one in the settings.

    Raises:
        prefect.exceptions.ConfigurationError: The URL is none, or there is none.
    """
    options = client_options(url)
    return _clients.get(options) or _clients.setdefault(options, HttpClient(options))


@cache
def known_operation(operation: Callable[..., Any]) -> tuple[Operation, Layout]:
    """Return what is known of an operation, and how its calls are laid out.

    Raises:
        TypeError: No server offers it.
    """
    known = OPERATIONS.get(operation)
    if known is None or known.internal:
        name = getattr(operation, "__name__", operation)
        raise TypeError(f"{name} is no operation that a server offers.")
    return known, layout_of(known)


def _bind(
    operation: Operation, layout: Layout, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    given = dict(zip(layout.names, args, strict=False))
    unknown = [name for name in kwargs if name not in layout.names or name in given]
    given |= kwargs
    missing = [name for name in layout.names if name not in given and name not in layout.defaults]
    if unknown or missing or len(args) > len(layout.names):
        raise TypeError(f"{operation.name}() takes {', '.join(layout.names) or 'no arguments'}.")
    return given


def _result_of(response: httpx.Response, wanted: Any) -> Any:
    # A change is answered without a body, whatever it gives where it is made.
    if response.status_code == 204 or wanted is None or wanted is type(None):
        return None
    if wanted is TextFile:
        kind, _, _ = response.headers.get("content-type", "").partition(";")
        return TextFile(kind, response.headers.get("content-disposition", ""), iter([response.text]))
    try:
        return msgspec.json.decode(response.content, type=whole(wanted), strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        request = response.request
        raise PrefectException(
            f"{request.method} {request.url} was not answered as an API answers ({error}). "
            "Check that PREFECT_API_URL is the address of an API; it mostly ends in /api."
        ) from error
