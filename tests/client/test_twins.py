"""The client for async code has what the plain one has, and type checkers are told the same."""

from __future__ import annotations

import importlib.util
import inspect
import json
from pathlib import Path

import pytest

from prefect import get_client
from prefect.client.orchestration import PrefectClient, SyncPrefectClient
from prefect.client.orchestration.asynchronous import AT_ONCE

HERE = Path(__file__).parent


def public(owner: type) -> set[str]:
    return {name for name in dir(owner) if not name.startswith("_")}


def methods() -> list[str]:
    return sorted(name for name in public(SyncPrefectClient) if callable(getattr(SyncPrefectClient, name)))


def test_both_have_the_same_methods():
    assert public(PrefectClient) - public(SyncPrefectClient) == {"loop"}
    assert public(SyncPrefectClient) <= public(PrefectClient)


@pytest.mark.parametrize("name", methods())
def test_twins_take_the_same_arguments(name):
    plain, awaited = getattr(SyncPrefectClient, name), getattr(PrefectClient, name)
    assert inspect.signature(plain) == inspect.signature(awaited)
    assert inspect.iscoroutinefunction(awaited) is (name not in AT_ONCE)
    assert not inspect.iscoroutinefunction(plain)
    assert plain.__doc__ == awaited.__doc__


def test_the_stub_is_made_from_the_plain_client():
    spec = importlib.util.spec_from_file_location("async_stub", HERE / "async_stub.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    assert made.STUB.read_text(encoding="utf-8") == made.stub(), "run python tests/client/async_stub.py"


def test_arguments_are_those_of_the_interface():
    """Their names, order and kinds; types are named otherwise here and there."""
    recorded = json.loads((HERE / "interface.json").read_text(encoding="utf-8"))
    different = {
        name: [str(parameter) for parameter in found]
        for name in methods()
        if name in recorded and (found := parameters_of(name)) != recorded[name]
    }
    assert different == {}


def parameters_of(name: str) -> list[list[str]]:
    signature = inspect.signature(getattr(SyncPrefectClient, name))
    return [[parameter.name, parameter.kind.name] for parameter in signature.parameters.values()]


def test_the_async_client_needs_async_with():
    with pytest.raises(RuntimeError, match="sync_client=True"), get_client():
        pass
