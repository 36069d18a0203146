"""What is raised is caught by code that was written for Prefect 3, and can be sent to another process."""

from __future__ import annotations

import pickle

import pytest

import prefect.exceptions
from prefect.exceptions import EventTooLarge, PrefectException, exception_traceback

NOT_CAUGHT_BY_EXCEPTION = {
    "Abort": "PrefectSignal",
    "Pause": "PrefectSignal",
    "PrefectSignal": "BaseException",
    "ExternalSignal": "BaseException",
    "TerminationSignal": "ExternalSignal",
}
ALSO = {
    "BlockMissingCapabilities": PrefectException,
    "FlowRunWatchError": PrefectException,
    "InfrastructureError": PrefectException,
    "InfrastructureNotAvailable": PrefectException,
    "InfrastructureNotFound": PrefectException,
    "InvalidNameError": ValueError,
    "InvalidRepositoryURLError": PrefectException,
    "MissingContextError": RuntimeError,
    "MissingProfileError": ValueError,
    "ParameterBindError": TypeError,
    "PrefectImportError": ImportError,
    "ReservedArgumentError": TypeError,
    "SignatureMismatchError": TypeError,
    "UnspecifiedFlowError": PrefectException,
}


@pytest.mark.parametrize("name", NOT_CAUGHT_BY_EXCEPTION)
def test_signals_are_no_exceptions(name: str) -> None:
    signal = getattr(prefect.exceptions, name)
    assert not issubclass(signal, Exception)
    assert NOT_CAUGHT_BY_EXCEPTION[name] in [base.__name__ for base in signal.__bases__]


def test_what_comes_from_outside_the_process_is_no_signal_of_a_run() -> None:
    assert not issubclass(prefect.exceptions.ExternalSignal, prefect.exceptions.PrefectSignal)


@pytest.mark.parametrize("name", ALSO)
def test_errors_are_caught_by_their_kind(name: str) -> None:
    error = getattr(prefect.exceptions, name)("why")
    assert isinstance(error, ALSO[name])
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (type(error), "why")


def test_an_event_that_is_too_large_says_by_how_much() -> None:
    error = pickle.loads(pickle.dumps(EventTooLarge(5000, maximum=3000)))
    assert (error.size, error.maximum) == (5000, 3000)
    assert str(error) == "An event of 5,000 bytes is too large: at most 3,000 are taken."


def test_an_exception_is_written_with_its_traceback() -> None:
    try:
        raise ValueError("here")
    except ValueError as error:
        lines = exception_traceback(error).splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "ValueError: here"
