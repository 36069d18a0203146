"""`prefect api`: any request to the server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec

from prefect.cli.commands import Flag, Single
from prefect.client.http import get_http_client
from prefect.exceptions import CommandFailed, ServerUnreachable
from prefect.settings import get_current_settings

if TYPE_CHECKING:
    import httpx

__all__ = ["run"]

_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_WITH_BODY = ("PATCH", "POST", "PUT")
_REFUSED, _FAILED, _UNREACHABLE = 4, 5, 7
_SECRET = ("authorization", "prefect-csrf-token")


def api(
    method: str,
    path: str,
    *,
    data: Annotated[str | None, Flag(metavar="JSON")] = None,
    header: Annotated[list[str] | None, Flag("-H", metavar="'KEY: VALUE'")] = None,
    verbose: Annotated[bool, Flag("-v")] = False,
) -> None:
    """Send any request to the server of PREFECT_API_URL, and print its answer.

    Args:
        method: GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS.
        path: Where, below PREFECT_API_URL, such as /flows/filter.
        data: The body, or @ and the name of a file that it is in.
        header: A further header; may be given several times.
        verbose: Show the headers too, on stderr.
    """
    if (method := method.upper()) not in _METHODS:
        raise CommandFailed(f"{method!r} is no method. There are {', '.join(_METHODS)}.")
    if get_current_settings().api.url is None:
        raise CommandFailed("Which server? Set PREFECT_API_URL: without it, no server is used here.")
    headers = dict(_header(each) for each in header or ())
    content = _content(data) if data is not None else b"{}" if method in _WITH_BODY else None
    transport = get_http_client().transport
    try:
        answer = transport.send(method, "/" + path.lstrip("/"), content=content, headers=headers)
    except ServerUnreachable as error:
        print(error, file=sys.stderr)
        raise SystemExit(_UNREACHABLE) from error
    if verbose:
        _show_heads(answer)
    if answer.is_error:
        print(f"Error: {answer.status_code} {answer.reason_phrase}", file=sys.stderr)
        print(answer.text, file=sys.stderr)
        raise SystemExit(_FAILED if answer.is_server_error else _REFUSED)
    if answer.text:
        print(answer.text)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise CommandFailed(f"{text!r} is no header. Give its name, a colon and its value.")
    return name.strip(), value.strip()


def _content(data: str) -> bytes:
    try:
        content = Path(data[1:]).read_bytes() if data.startswith("@") else data.encode()
        msgspec.json.decode(content)
    except OSError as error:
        raise CommandFailed(f"{data[1:]!r} cannot be read: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CommandFailed(f"What --data gives is no JSON: {error}") from error
    return content


def _show_heads(answer: httpx.Response) -> None:
    request = answer.request
    print(f"> {request.method} {request.url}", file=sys.stderr)
    for name, value in request.headers.items():
        print(f"> {name}: {'********' if name in _SECRET else value}", file=sys.stderr)
    print(f"< {answer.status_code} {answer.reason_phrase}", file=sys.stderr)
    for name, value in answer.headers.items():
        print(f"< {name}: {value}", file=sys.stderr)


run = Single("api", api).run
