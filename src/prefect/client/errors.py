"""What an answer with an error status is raised as."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from prefect.exceptions import (
    ConcurrencyLimitReached,
    LeaseLost,
    ObjectAlreadyExists,
    ObjectLimitReached,
    ObjectNotFound,
)

if TYPE_CHECKING:
    import httpx

    from prefect.exceptions import PrefectHTTPStatusError

__all__ = ["error_of", "raise_for_status", "status_error_of"]

_LONGEST_DETAIL = 2000
_DEFAULT_WAIT = 1.0
"""Seconds to wait for a slot, where the server does not say."""
_LIMIT = re.compile(r"\b(limit|maximum number)\b", re.IGNORECASE)


def raise_for_status(response: httpx.Response) -> None:
    """Raise what an answer says, unless it says that all went well.

    Args:
        response: The answer, read to its end.

    Raises:
        prefect.exceptions.ObjectNotFound: 404.
        prefect.exceptions.ObjectAlreadyExists: 409.
        prefect.exceptions.ObjectLimitReached: 403, because of a limit.
        prefect.exceptions.LeaseLost: 410.
        prefect.exceptions.ConcurrencyLimitReached: 423.
        prefect.exceptions.PrefectHTTPStatusError: Any other status that is no success.
    """
    if not response.is_success:
        raise error_of(response)


def error_of(response: httpx.Response) -> Exception:
    """Return the error that an answer is raised as; see `raise_for_status`."""
    detail, error = _detail_of(response), status_error_of(response)
    # A server says what it did not find; what has no route at all, it cannot name.
    said = detail if detail not in ("", "Not Found") else None
    if response.status_code == 404:
        return _because(ObjectNotFound(error, said), error)
    if response.status_code == 409:
        return _because(ObjectAlreadyExists(error, said), error)
    if response.status_code == 403 and _LIMIT.search(detail):
        return _because(ObjectLimitReached(detail), error)
    if response.status_code == 410:
        return _because(LeaseLost(detail), error)
    if response.status_code == 423:
        return _because(ConcurrencyLimitReached(detail, _seconds(response.headers.get("retry-after"))), error)
    return error


def status_error_of(response: httpx.Response) -> PrefectHTTPStatusError:
    """Return the `PrefectHTTPStatusError` that tells of an answer."""
    from prefect.exceptions import PrefectHTTPStatusError  # noqa: PLC0415 - httpx

    detail = _detail_of(response)
    request = response.request
    what = f"{response.status_code} {response.reason_phrase}".rstrip()
    message = f"{what} from {request.method} {request.url}"
    if response.is_redirect:
        target = response.headers.get("location", "")
        detail = f"the server sends on to {target}. Set PREFECT_API_URL to where the API is."
    elif hint := _hint_of(response, detail):
        known = "" if detail == response.reason_phrase else detail.rstrip(".")
        detail = f"{known}. {hint}" if known else hint
    if detail and detail != response.reason_phrase:
        message += f": {detail}"
    return PrefectHTTPStatusError(message, request=request, response=response)


def _hint_of(response: httpx.Response, detail: str) -> str:
    """Say which setting may be wrong, where an answer tells of one; nothing where it does not."""
    request = response.request
    if response.status_code == 401:
        if "authorization" in request.headers:
            return "Set PREFECT_API_AUTH_STRING, or PREFECT_API_KEY, to what the server asks for."
        return "Set PREFECT_API_AUTH_STRING to the server's user:password, or PREFECT_API_KEY to its key."
    if response.status_code == 404 and detail == "Not Found" and "api" not in request.url.path.split("/"):
        return "PREFECT_API_URL may lack the path of the API, which usually is /api."
    if response.status_code == 503:
        return "The server has too much to do, or cannot use its database; its log says which."
    return ""


def _seconds(asked: str | None) -> float:
    try:
        return max(0.0, float(asked or ""))
    except ValueError:
        return _DEFAULT_WAIT


def _because(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def _detail_of(response: httpx.Response) -> str:
    """Return what an answer says to people; of one that is no JSON, the text itself."""
    try:
        body: Any = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return response.text[:_LONGEST_DETAIL].strip()
    if not isinstance(body, dict):
        return response.text[:_LONGEST_DETAIL].strip()
    said = body.get("detail") or body.get("exception_message") or ""
    problems = body.get("exception_detail")
    if isinstance(said, list):
        said, problems = "the request is not valid", said
    text = said if isinstance(said, str) else msgspec.json.encode(said).decode()
    if isinstance(problems, list):
        text = f"{text.rstrip('.')}: {'; '.join(_problem(problem) for problem in problems)}"
    return text[:_LONGEST_DETAIL]


def _problem(problem: Any) -> str:
    if not isinstance(problem, dict):
        return str(problem)
    place = ".".join(str(step) for step in problem.get("loc") or ())
    return f"{place}: {problem.get('msg')}" if place else str(problem.get("msg"))
