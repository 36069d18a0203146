"""What all groups of the client's methods stand on: a caller of operations."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

import msgspec

from prefect.client.base import Caller
from prefect.client.current import get_caller
from prefect.client.http import HttpClient, known_operation
from prefect.client.options import ClientOptions, client_options
from prefect.schemas.base import encode_json
from prefect.schemas.results import ResultRecord, ResultRecordMetadata
from prefect.schemas.states import State
from prefect.settings import get_current_settings
from prefect.store.base import Store
from prefect.types import uuid7

if TYPE_CHECKING:
    import httpx

__all__ = ["Group", "ServerType", "proposal_of"]

P = ParamSpec("P")
R = TypeVar("R")


class ServerType(str, Enum):  # noqa: UP042 - as elsewhere in the interface, its text is the member's
    """What a client talks to."""

    EPHEMERAL = "ephemeral"
    """Nothing: operations are carried out in this process, over the store on this machine."""
    SERVER = "server"
    CLOUD = "cloud"
    UNCONFIGURED = "unconfigured"


class Group:
    """Base of the groups of methods: calls operations wherever the settings say.

    Args:
        api: The URL of an API; None: what the settings say.
        auth_string: `user:password` for the server.
        api_key: The key to send to the server.
        httpx_settings: `headers` to add to each request, a `timeout` in seconds, `verify`: whether the
            server's certificate must be trusted.
    """

    def __init__(
        self,
        api: str | None = None,
        *,
        auth_string: str | None = None,
        api_key: str | None = None,
        httpx_settings: dict[str, Any] | None = None,
    ) -> None:
        self._options: ClientOptions | None = None
        self._found: Caller | None = None
        if api is not None and not isinstance(api, str):
            raise TypeError(f"`api` must be the URL of a server, not {type(api).__name__}.")
        if api is not None or get_current_settings().api.url is not None:
            options = client_options(api, login=auth_string, key=api_key)
            self._options = _changed(options, httpx_settings or {})

    @property
    def _caller(self) -> Caller:
        # A store is opened by the first call, which the async client makes in a thread.
        if self._found is None:
            self._found = get_caller() if self._options is None else HttpClient(self._options)
        return self._found

    def _call(self, operation: Callable[Concatenate[Store, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        return self._caller.call(operation, *_with_ids(operation, args), **kwargs)

    def _respond(
        self, operation: Callable[Concatenate[Store, P], Any], *args: P.args, **kwargs: P.kwargs
    ) -> httpx.Response:
        """Call an operation whose answer users get as a server sends it."""
        caller, args = self._caller, _with_ids(operation, args)  # type: ignore[assignment]
        if isinstance(caller, HttpClient):
            return caller.respond(operation, *args, **kwargs)
        import httpx  # noqa: PLC0415 - slow to load, and seldom used without a server

        result = caller.call(operation, *args, **kwargs)
        content = b"" if result is None else encode_json(result)
        request = httpx.Request("POST", f"http://localhost/{getattr(operation, '__name__', '')}")
        headers = {"content-type": "application/json"}
        return httpx.Response(200 if content else 204, content=content, headers=headers, request=request)


def _with_ids(operation: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Read ids that are given as text, as users may: without a server, no request makes texts of them all."""
    if not any(isinstance(value, str) for value in args):
        return args
    _, layout = known_operation(operation)
    types = dict(layout.in_path) | dict(layout.others)
    return tuple(
        UUID(value) if isinstance(value, str) and types[name] is UUID else value
        for name, value in zip(layout.names, args, strict=False)
    )


def _changed(options: ClientOptions, httpx_settings: dict[str, Any]) -> ClientOptions:
    unknown = set(httpx_settings) - {"headers", "timeout", "verify"}
    if unknown:
        raise TypeError(
            f"httpx_settings may hold headers, timeout and verify, not {', '.join(sorted(unknown))}."
        )
    headers = dict(options.headers) | dict(httpx_settings.get("headers") or {})
    timeout = httpx_settings.get("timeout", options.timeout)
    if timeout is not None and not isinstance(timeout, int | float):
        raise TypeError("The timeout in httpx_settings must be a number of seconds.")
    return options._replace(
        headers=tuple(headers.items()),
        timeout=float(timeout or 0) or options.timeout,
        verify=bool(httpx_settings.get("verify", options.verify)),
    )


def proposal_of(state: State[Any]) -> State[Any]:
    """Return a state as it is proposed to a server.

    Of its data only where a result is kept stays: a result that lives in this process is none of the
    server's. It gets an id of the transition, so that the proposal may be sent twice.
    """
    data = state.data.metadata if isinstance(state.data, ResultRecord) else state.data
    details = state.state_details
    if details.transition_id is None:
        details = msgspec.structs.replace(details, transition_id=uuid7())
    return msgspec.structs.replace(
        state, data=data if isinstance(data, ResultRecordMetadata) else None, state_details=details
    )
