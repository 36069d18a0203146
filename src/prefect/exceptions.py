"""Every error that Proconsul raises, in one place.

::

    Exception
    ├── PrefectException
    │   ├── CrashedRun, FailedRun, CancelledRun, PausedRun, UnfinishedRun   a run's state, raised
    │   ├── MissingResult                    a run finished, but its result is not kept
    │   ├── MissingContextError              (also a RuntimeError) no run is active here
    │   ├── UpstreamTaskError                an upstream run did not complete
    │   ├── ParameterTypeError, ParameterBindError, SignatureMismatchError, ReservedArgumentError
    │   ├── MappingMissingIterable, MappingLengthMismatch
    │   ├── ScriptError, MissingFlowError, UnspecifiedFlowError, FlowScriptError, InvalidNameError
    │   ├── PrefectHTTPStatusError           (also an httpx.HTTPStatusError) a server answered with an error
    │   ├── ObjectNotFound, ObjectAlreadyExists, ObjectLimitReached, ObjectUnsupported
    │   ├── BlockMissingCapabilities, EventTooLarge
    │   ├── ProtectedBlockError              what clients rely on cannot be deleted
    │   ├── CommandFailed                    a command cannot do what it was told
    │   ├── ConcurrencyLimitReached          no slot is free; later there may be
    │   ├── LeaseLost                        slots are held no more: they were not renewed in time
    │   ├── RequestRefused                   (also a ValueError) what is asked for does not fit what is there
    │   │   ├── ChangeRefused                what is to be changed is no longer open to it
    │   │   └── InvalidTemplate              a text that should be a template is none
    │   ├── ReservedNameError                nobody may give that name, or change what has it
    │   ├── ServerUnreachable                (also a ConnectionError) a server does not answer
    │   ├── ServerBusy                       too many requests are under way
    │   ├── StoreError
    │   │   ├── StoreUnavailable             cannot be opened or written: disk, permissions, server away
    │   │   ├── StoreCorrupt                 the file is no (sound) database
    │   │   │   └── UnreadableRow            one row makes no sense
    │   │   ├── StoreTooNew                  written by a newer release
    │   │   ├── StoreConflict                refused: it refers to something that is not there
    │   │   └── TooMuchAsked                 more than the database does at once
    │   ├── ConfigurationError, ProfileSettingsValidationError
    │   ├── MissingProfileError              (also a ValueError) there is no such profile
    │   ├── InfrastructureError, InfrastructureNotFound, InfrastructureNotAvailable
    │   ├── SerializationError, HashError, InvalidRepositoryURLError
    │   ├── FlowRunTimeoutError, TaskRunTimeoutError  (also TimeoutError)
    │   └── NotPausedError, FlowPauseTimeout, FlowRunWaitTimeout, FlowRunWatchError
    └── ImportError
        └── PrefectImportError               what a package gives that is not installed
    BaseException                            not to be caught by `except Exception`
    ├── PrefectSignal
    │   ├── Abort                            the run is not to be carried out here, or not any more
    │   ├── Pause                            the run is suspended: its process leaves it
    │   └── Cancellation                     the run is being cancelled
    └── ExternalSignal
        └── TerminationSignal                SIGTERM, raised in the main thread
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from httpx import HTTPStatusError, Request, Response

__all__ = [
    "Abort",
    "BlockMissingCapabilities",
    "Cancellation",
    "CancelledRun",
    "ChangeRefused",
    "CommandFailed",
    "ConcurrencyLimitReached",
    "ConfigurationError",
    "CrashedRun",
    "EventTooLarge",
    "ExternalSignal",
    "FailedRun",
    "FlowPauseTimeout",
    "FlowRunTimeoutError",
    "FlowRunWaitTimeout",
    "FlowRunWatchError",
    "FlowScriptError",
    "HashError",
    "InfrastructureError",
    "InfrastructureNotAvailable",
    "InfrastructureNotFound",
    "InvalidNameError",
    "InvalidRepositoryURLError",
    "InvalidTemplate",
    "LeaseLost",
    "MappingLengthMismatch",
    "MappingMissingIterable",
    "MissingContextError",
    "MissingFlowError",
    "MissingProfileError",
    "MissingResult",
    "NotPausedError",
    "ObjectAlreadyExists",
    "ObjectLimitReached",
    "ObjectNotFound",
    "ObjectUnsupported",
    "ParameterBindError",
    "ParameterTypeError",
    "Pause",
    "PausedRun",
    "PrefectException",
    "PrefectHTTPStatusError",
    "PrefectImportError",
    "PrefectSignal",
    "ProfileSettingsValidationError",
    "ProtectedBlockError",
    "RequestRefused",
    "ReservedArgumentError",
    "ReservedNameError",
    "ScriptError",
    "SerializationError",
    "ServerBusy",
    "ServerUnreachable",
    "SignatureMismatchError",
    "StoreConflict",
    "StoreCorrupt",
    "StoreError",
    "StoreTooNew",
    "StoreUnavailable",
    "TaskRunTimeoutError",
    "TerminationSignal",
    "TooMuchAsked",
    "UnfinishedRun",
    "UnreadableRow",
    "UnspecifiedFlowError",
    "UpstreamTaskError",
    "exception_traceback",
]


class PrefectException(Exception):
    """Base of all errors that Proconsul raises."""


class CrashedRun(PrefectException):
    """The run crashed: its process or infrastructure ended before the user's code did."""


class FailedRun(PrefectException):
    """The run failed, and there is no exception of the user's to raise in its place."""


class CancelledRun(PrefectException):
    """The run was cancelled."""


class PausedRun(PrefectException):
    """The run is paused.

    Args:
        message: What is paused, for people.
        state: The paused state, where there is one.
    """

    def __init__(self, *args: Any, state: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.state = state


class UnfinishedRun(PrefectException):
    """The run has not finished, so it has no result yet."""


class MissingResult(PrefectException):
    """The run finished, but its result is not available here.

    A result lives with the process that made it unless it is persisted: `persist_result=True` keeps it.
    """


class MissingContextError(PrefectException, RuntimeError):
    """There is no active flow or task run here."""


class UpstreamTaskError(PrefectException):
    """A run that this one depends on did not complete."""


class ParameterTypeError(PrefectException):
    """A parameter's value does not fit its annotation."""

    @classmethod
    def from_validation_error(cls, error: Any, what: str = "Flow run") -> ParameterTypeError:
        """Make the error from pydantic's, a line for each bad parameter.

        Args:
            error: A `pydantic.ValidationError`.
            what: The run that got the parameters, as the text names it.
        """
        lines = [f" - {'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors()]
        return cls(f"{what} received invalid parameters:\n" + "\n".join(lines))


class ParameterBindError(TypeError, PrefectException):
    """Arguments do not fit the function's signature."""

    @classmethod
    def from_bind_failure(
        cls,
        fn: Any,
        error: TypeError,
        call_args: tuple[Any, ...],
        call_kwargs: dict[str, Any],
        signature: str,
    ) -> ParameterBindError:
        """Make the error from a failed `Signature.bind`.

        Args:
            fn: The function that was called.
            error: What `bind` raised.
            call_args: The positional arguments of the call.
            call_kwargs: The keyword arguments of the call.
            signature: The function's signature as text, without parentheses.
        """
        name = getattr(fn, "__name__", type(fn).__name__)
        shown = [text if len(text) <= 100 else f"{text[:100]}…" for text in map(repr, call_args)]
        given = f"({', '.join(shown)}{',' if len(shown) == 1 else ''})"
        return cls(
            f"Error binding parameters for function {name!r}: {error}.\n"
            f"Function {name!r} has signature {signature!r} but received args: {given} "
            f"and kwargs: {list(call_kwargs)}."
        )


class SignatureMismatchError(PrefectException, TypeError):
    """Parameters were given by names that the function does not have."""

    @classmethod
    def from_bad_params(cls, expected: Iterable[str], provided: Iterable[str]) -> SignatureMismatchError:
        """Make the error from the names expected and the names given."""
        return cls(
            f"Function expects parameters {list(expected)} but was provided with parameters {list(provided)}"
        )


class ReservedArgumentError(PrefectException, TypeError):
    """A task's function has a parameter whose name the interface keeps for itself."""


class MappingMissingIterable(PrefectException):
    """`.map` was called without any iterable argument."""


class MappingLengthMismatch(PrefectException):
    """`.map` was called with iterables of different lengths."""


class ScriptError(PrefectException):
    """A script raised while it was loaded.

    Args:
        user_exc: What the script raised.
        path: The script.
    """

    def __init__(self, user_exc: Exception, path: str) -> None:
        super().__init__(f"Script at {path!r} encountered an exception: {user_exc!r}")
        self.user_exc = user_exc


class FlowScriptError(PrefectException):
    """A script that should hold a flow raised while it was loaded."""

    def __init__(self, user_exc: Exception, script_path: str) -> None:
        super().__init__(f"Flow script at {script_path!r} encountered an exception: {user_exc!r}")
        self.user_exc = user_exc


class MissingFlowError(PrefectException):
    """A script holds no flow of the wanted name."""


class UnspecifiedFlowError(PrefectException):
    """A script holds several flows, and nobody says which is meant."""


class InvalidNameError(PrefectException, ValueError):
    """A name holds characters that names must not hold."""


if TYPE_CHECKING:

    class PrefectHTTPStatusError(PrefectException, HTTPStatusError):
        """A server answered with an error status; see `_http_status_error`."""

        @classmethod
        def from_httpx_error(cls, httpx_error: HTTPStatusError) -> PrefectHTTPStatusError:
            """Make the error from httpx's own."""


class ObjectNotFound(PrefectException):
    """The object that was asked for does not exist.

    Args:
        http_exc: The error below this one, where there is one.
        help_message: What to say to people in place of the plain text.
    """

    def __init__(self, http_exc: Exception | None = None, help_message: str | None = None) -> None:
        super().__init__(help_message or (str(http_exc) if http_exc else "Object not found"))
        self.http_exc = http_exc
        self.help_message = help_message


class ObjectAlreadyExists(PrefectException):
    """An object of that name or key is already there."""

    def __init__(self, http_exc: Exception | None = None, help_message: str | None = None) -> None:
        super().__init__(help_message or (str(http_exc) if http_exc else "Object already exists"))
        self.http_exc = http_exc
        self.help_message = help_message


class ObjectLimitReached(PrefectException):
    """No more objects of this kind are allowed."""


class ObjectUnsupported(PrefectException):
    """The API does not support this kind of object."""


class BlockMissingCapabilities(PrefectException):
    """A block cannot do what it is to be used for."""


class EventTooLarge(PrefectException):
    """An event is larger than servers take.

    Args:
        size: Its bytes.
        maximum: The most that are taken.
    """

    def __init__(self, size: int, maximum: int) -> None:
        super().__init__(f"An event of {size:,} bytes is too large: at most {maximum:,} are taken.")
        self.size = size
        self.maximum = maximum

    def __reduce__(self) -> tuple[type[EventTooLarge], tuple[int, int]]:
        return type(self), (self.size, self.maximum)


class ProtectedBlockError(PrefectException):
    """A block type that clients rely on cannot be deleted."""


class CommandFailed(PrefectException):
    """A command of the command line cannot do what it was told, or was told not to."""


class ConcurrencyLimitReached(PrefectException):
    """A limit has no slot free now.

    Args:
        message: Which one, for people.
        retry_after: Seconds after which it is worth asking again.
    """

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[type[ConcurrencyLimitReached], tuple[str, float]]:
        return type(self), (str(self), self.retry_after)


class LeaseLost(PrefectException):
    """Slots of a limit are held no more: their lease was not renewed in time, or was taken away."""


class RequestRefused(PrefectException, ValueError):
    """What is asked for is well formed, but does not fit what is there."""


class ChangeRefused(RequestRefused):
    """What is to be changed is in no state in which it can be."""


class InvalidTemplate(RequestRefused):
    """A text that should be a template is none.

    Args:
        reason: What is wrong with it.
        line: Where; 0: as a whole.
        source: The text.
    """

    def __init__(self, reason: str, line: int, source: str) -> None:
        super().__init__(f"Line {line}: {reason}" if line else reason)
        self.reason = reason
        self.line = line
        self.source = source

    def __reduce__(self) -> tuple[type[InvalidTemplate], tuple[str, int, str]]:
        return type(self), (self.reason, self.line, self.source)


class ReservedNameError(PrefectException):
    """A name that nobody may give, or an object that nobody may change."""


class ServerUnreachable(PrefectException, ConnectionError):
    """The server that PREFECT_API_URL names does not answer."""


class ServerBusy(PrefectException):
    """The server has too much to do already; what was asked may be asked again later."""


class StoreError(PrefectException):
    """The store that keeps runs and logs could not do what was asked."""


class StoreUnavailable(StoreError):
    """The store cannot be opened or written: a full disk, missing permissions, a database server away."""


class StoreCorrupt(StoreError):
    """The file is not a sound database."""


class UnreadableRow(StoreCorrupt):
    """A row of the store makes no sense: it was damaged, or another program wrote it.

    Args:
        table: The table that the row is in.
        row_id: The row's id.
        reason: What is wrong with it.
    """

    def __init__(self, table: str, row_id: str, reason: str) -> None:
        super().__init__(
            f"Row {row_id} of table {table} cannot be read: {reason}. Restore it from a copy, or delete it."
        )
        self.table = table
        self.row_id = row_id
        self.reason = reason

    def __reduce__(self) -> tuple[type[UnreadableRow], tuple[str, str, str]]:
        return type(self), (self.table, self.row_id, self.reason)


class StoreTooNew(StoreError):
    """The store was written by a newer release than this one."""


class StoreConflict(StoreError):
    """The store refused a change, because it refers to something that is not there."""


class TooMuchAsked(StoreError):
    """A query has more in it than the database takes at once."""


class ConfigurationError(PrefectException):
    """A setting is wrong."""


class ProfileSettingsValidationError(PrefectException):
    """A profile holds settings that do not fit.

    Args:
        errors: Pairs of a setting and what is wrong with its value.
    """

    def __init__(self, errors: list[tuple[Any, Any]]) -> None:
        super().__init__("; ".join(f"{getattr(s, 'name', s)}: {e}" for s, e in errors))
        self.errors = errors


class MissingProfileError(PrefectException, ValueError):
    """There is no profile of that name."""


class InfrastructureError(PrefectException):
    """What runs are carried out on could not be made, or could not be asked."""


class InfrastructureNotFound(PrefectException):
    """What a run was carried out on is not there, or no more."""


class InfrastructureNotAvailable(PrefectException):
    """What a run is carried out on cannot be reached from here."""


class InvalidRepositoryURLError(PrefectException):
    """An address leads to no repository of code."""


class SerializationError(PrefectException):
    """A value cannot be serialized or deserialized."""


class HashError(PrefectException, ValueError):
    """A value cannot be hashed in a stable way."""


class FlowRunTimeoutError(PrefectException, TimeoutError):
    """A flow run took longer than its `timeout_seconds`."""


class TaskRunTimeoutError(PrefectException, TimeoutError):
    """A task run took longer than its `timeout_seconds`."""


class NotPausedError(PrefectException):
    """A run that is not paused was told to resume."""


class FlowPauseTimeout(PrefectException):
    """A paused run was not resumed in time."""


class FlowRunWaitTimeout(PrefectException):
    """A run did not finish in the time that was given."""


class FlowRunWatchError(PrefectException):
    """A run could not be watched to its end."""


class PrefectImportError(ImportError):
    """What is to be imported needs a package that is not installed."""


class PrefectSignal(BaseException):
    """Base of the signals that `except Exception` in user code must not swallow."""


class Abort(PrefectSignal):
    """A state change was refused for good: the run must stop without touching its state."""


class Pause(PrefectSignal):
    """Stop the run and put it in a paused state.

    Args:
        state: The paused state.
    """

    def __init__(self, *args: Any, state: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.state = state


class Cancellation(PrefectSignal):
    """End the run: somebody has cancelled it."""


class ExternalSignal(BaseException):
    """Base of the signals that come from outside the process."""


class TerminationSignal(ExternalSignal, SystemExit):
    """The process was told to end.

    It is a `SystemExit` as well, so that a process which does nothing about it cleans up and ends with the
    exit status that shells expect, 128 more than the signal.

    Args:
        signal: The signal's number.
    """

    def __init__(self, signal: int) -> None:
        super().__init__(f"Terminated by signal {signal}")
        self.signal = signal
        self.code = 128 + signal


def exception_traceback(exc: BaseException) -> str:
    """Return an exception as Python prints it, with its traceback."""
    return "".join(traceback.format_exception(exc))


def __getattr__(name: str) -> Any:
    """Make `PrefectHTTPStatusError` when it is asked for: its base is httpx's, which is slow to load."""
    if name == "PrefectHTTPStatusError":
        made = globals()[name] = _http_status_error()
        return made
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _http_status_error() -> type[Exception]:
    from httpx import HTTPStatusError  # noqa: PLC0415 - see __getattr__

    class PrefectHTTPStatusError(PrefectException, HTTPStatusError):
        """A server answered with an error status.

        Args:
            message: What it answered, for people.
            request: The request.
            response: The answer.
        """

        def __init__(self, message: str, *, request: Request, response: Response) -> None:
            HTTPStatusError.__init__(self, message, request=request, response=response)

        @classmethod
        def from_httpx_error(cls, httpx_error: HTTPStatusError) -> PrefectHTTPStatusError:
            """Make the error from httpx's own."""
            response = httpx_error.response
            message = f"{httpx_error}\nResponse: {response.text}"
            return cls(message, request=httpx_error.request, response=response)

        def __reduce__(self) -> Any:
            return _rebuild_http_status_error, (str(self), self.request, self.response)

    PrefectHTTPStatusError.__qualname__ = "PrefectHTTPStatusError"
    return PrefectHTTPStatusError


def _rebuild_http_status_error(message: str, request: Request, response: Response) -> Exception:
    return PrefectHTTPStatusError(message, request=request, response=response)
