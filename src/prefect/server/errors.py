"""What clients are answered when something is wrong: one function, one form for each kind of error."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec

from prefect.exceptions import (
    ChangeRefused,
    ConcurrencyLimitReached,
    InvalidTemplate,
    LeaseLost,
    ObjectAlreadyExists,
    ObjectNotFound,
    ObjectUnsupported,
    ProtectedBlockError,
    RequestRefused,
    ReservedNameError,
    ServerBusy,
    StoreConflict,
    StoreError,
    TooMuchAsked,
)
from prefect.schemas.base import encode_json
from prefect.server.messages import Header, Reply

__all__ = ["InvalidRequest", "OutOfRange", "Refusal", "reply_to"]

logger = logging.getLogger("prefect.server")

RETRY_SECONDS = 1.0
"""When a client may try again, where the store or the server has too much to do."""
_MOST_SENT_BACK = 100_000
_REFUSED_BY_DATABASE = "This refers to something that is not there, or was there already."
_STEP = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")


class InvalidRequest(ValueError):
    """A request's query or body is not what the operation takes.

    Args:
        where: `query` or `body`.
        error: What is wrong.
        given: What was sent.
    """

    def __init__(self, where: str, error: Exception, given: Any) -> None:
        super().__init__(str(error))
        self.where = where
        self.given = given


class OutOfRange(ValueError):
    """A window that is too large, or none."""


class Refusal(Exception):
    """A request that is none of HTTP's that are served here, whatever it asks for.

    Args:
        detail: What is wrong.
        status: The status that says so.
    """

    def __init__(self, detail: str, status: int = 400) -> None:
        super().__init__(detail)
        self.status = status


_STATUSES: tuple[tuple[int, tuple[type[BaseException], ...]], ...] = (
    (400, (ChangeRefused,)),
    (403, (ProtectedBlockError, ReservedNameError)),
    (409, (ObjectAlreadyExists, StoreConflict)),
    (410, (LeaseLost,)),
    (422, (OutOfRange, ObjectUnsupported, RequestRefused, TooMuchAsked)),
    (423, (ConcurrencyLimitReached,)),
)
"""What has no form of its own: its text is all there is to say."""


def reply_to(error: BaseException) -> Reply:
    """Return the answer that an error makes.

    Args:
        error: What was raised while a request was dealt with.
    """
    if isinstance(error, Refusal):
        return _failure(error.status, {"detail": str(error)})
    if isinstance(error, InvalidRequest):
        return _failure(422, _invalid(error.where, str(error), error.given))
    if isinstance(error, msgspec.ValidationError | OverflowError):
        # What fits the schema, and yet no run or no database.
        return _failure(422, _invalid("body", str(error), None))
    if isinstance(error, ObjectNotFound):
        return _failure(404, {"detail": error.help_message or "Not Found"})
    if isinstance(error, InvalidTemplate):
        said = {"line": error.line, "message": error.reason, "source": error.source}
        return _failure(422, {"error": said})
    if isinstance(error, StoreConflict) and error.__cause__ is not None:
        # It is the database's own text: where that is, and what is in its rows, is nobody's business.
        logger.warning("%s", error)
        return _failure(409, {"detail": _REFUSED_BY_DATABASE})
    for status, kinds in _STATUSES:
        if isinstance(error, kinds):
            return _failure(status, {"detail": str(error)}, _headers(error))
    if isinstance(error, StoreError | ServerBusy):
        logger.warning("%s", error)
        unavailable = {"exception_message": "Service Unavailable"}
        return _failure(503, unavailable, [_retry_after(RETRY_SECONDS)])
    logger.error("A request failed.", exc_info=error)
    return _failure(500, {"exception_message": "Internal Server Error"})


def _headers(error: BaseException) -> list[Header]:
    wait = error.retry_after if isinstance(error, ConcurrencyLimitReached) else None
    return [] if wait is None else [_retry_after(wait)]


def _retry_after(seconds: float) -> Header:
    return b"retry-after", str(seconds).encode()


def _failure(status: int, body: Any, headers: Sequence[Header] = ()) -> Reply:
    return Reply(status, encode_json(body), headers=headers)


def _invalid(where: str, message: str, given: Any) -> dict[str, Any]:
    what, _, path = message.partition(" - at `$")
    location: list[str | int] = [where]
    for name, index in _STEP.findall(path):
        location.append(name or (int(index) if index.isdigit() else index))
    plain = _plain(given)
    detail = {"type": "value_error", "loc": location, "msg": what, "input": _at(plain, location[1:])}
    return {
        "exception_message": "Invalid request received.",
        "exception_detail": [detail],
        "request_body": plain,
    }


def _plain(given: Any) -> Any:
    if not isinstance(given, bytes):
        return given
    # What is long is not sent back: the client has it, and may be refused for just that.
    if len(given) <= _MOST_SENT_BACK:
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return msgspec.json.decode(given)
    return given[:1000].decode(errors="replace")


def _at(value: Any, location: list[str | int]) -> Any:
    for step in location:
        if isinstance(value, dict) and step in value:
            value = value[str(step)]
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value
