"""The exception that a caller gets shows the way through the user's functions, not through the engine."""

from __future__ import annotations

import asyncio
import traceback

import pytest

import prefect
from prefect import flow, task
from prefect.exceptions import ParameterBindError
from prefect.settings import temporary_settings

HERE = __file__
OURS = prefect.__path__[0]


def names_below(error: BaseException, function: str) -> list[str]:
    """Return the functions of a traceback from the given one on, this package's too."""
    frames = traceback.extract_tb(error.__traceback__)
    names = [frame.name if frame.filename == HERE else "engine" for frame in frames]
    return names[names.index(function) :]


@task
def parse(row: str) -> int:
    return helper(row)


def helper(row: str) -> int:
    return int(row)


@flow
def load(row: str) -> int:
    return parse(row)


@flow
def submits(row: str) -> int:
    return parse.submit(row).result()


@task
async def aparse(row: str) -> int:
    return helper(row)


@flow
async def aload(row: str) -> int:
    return await aparse(row)


def test_only_the_users_frames_are_between_the_users_functions():
    with pytest.raises(ValueError, match="invalid literal") as raised:
        load("x")

    assert names_below(raised.value, "load") == ["load", "parse", "helper"]


def test_so_it_is_in_async_code():
    with pytest.raises(ValueError, match="invalid literal") as raised:
        asyncio.run(aload("x"))

    assert names_below(raised.value, "aload") == ["aload", "aparse", "helper"]


def test_what_a_future_raises_shows_where_it_was_asked_and_where_it_happened():
    with pytest.raises(ValueError, match="invalid literal") as raised:
        submits("x")

    assert names_below(raised.value, "submits") == ["submits", "parse", "helper"]


def test_a_wrong_call_is_raised_where_it_is_found():
    @flow
    def calls_wrongly() -> None:
        parse()  # type: ignore[call-overload]

    with pytest.raises(ParameterBindError) as raised:
        calls_wrongly()

    names = names_below(raised.value, "calls_wrongly")
    assert names[0] == "calls_wrongly"
    assert set(names[1:]) == {"engine"}


def test_a_retry_that_raises_the_same_exception_shows_the_last_way():
    error = KeyError("same")

    @task(retries=2)
    def raises() -> None:
        raise error

    with pytest.raises(KeyError) as raised:
        raises()

    assert names_below(raised.value, "raises") == ["raises"] * 3


def test_debug_mode_shows_all():
    with temporary_settings({"PREFECT_DEBUG_MODE": True}), pytest.raises(ValueError) as raised:
        load("x")

    assert "engine" in names_below(raised.value, "load")
