"""Cache policies: which facts make a key, and how policies add up."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefect.cache_policies import (
    DEFAULT,
    FLOW_PARAMETERS,
    INPUTS,
    NO_CACHE,
    NONE,
    RUN_ID,
    TASK_SOURCE,
    CacheKeyFnPolicy,
    CachePolicy,
    CompoundCachePolicy,
    FlowParameters,
    Inputs,
    RunId,
    TaskSource,
)
from prefect.exceptions import HashError
from prefect.locking.memory import MemoryLockManager
from prefect.results.cache_policies import task_input_hash


def add(x: int) -> int:
    return x + 1


def context(fn: Any = add, flow_run: int | None = 1, task_run: int = 2) -> Any:
    run = SimpleNamespace(id=UUID(int=task_run), flow_run_id=None if flow_run is None else UUID(int=flow_run))
    return SimpleNamespace(task=SimpleNamespace(fn=fn, task_key="add-1"), task_run=run)


def key(policy: CachePolicy, inputs: Any = None, flow: Any = None, ctx: Any = None) -> str | None:
    return policy.compute_key(ctx or context(), {"x": 1, "y": 2} if inputs is None else inputs, flow or {})


built_in = st.sampled_from(
    [INPUTS, INPUTS - "x", INPUTS - "y", TASK_SOURCE, RUN_ID, FLOW_PARAMETERS, NONE, DEFAULT, DEFAULT - "x"]
)


@settings(max_examples=60, deadline=None)
@given(built_in, built_in, built_in)
def test_sums_do_not_depend_on_order_or_grouping(a: CachePolicy, b: CachePolicy, c: CachePolicy) -> None:
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert key(a + b, flow={"z": 1}) == key(b + a, flow={"z": 1})


@settings(max_examples=60, deadline=None)
@given(built_in, built_in)
def test_subtraction_reaches_every_part(a: CachePolicy, b: CachePolicy) -> None:
    assert (a + b) - "x" == (a - "x") + (b - "x")
    assert a - "x" - "x" == a - "x" and a - "x" - "y" == a - "y" - "x"
    assert key(a - "x", {"x": 1, "y": 2}) == key(a - "x", {"x": 9, "y": 2})


@settings(max_examples=60, deadline=None)
@given(built_in)
def test_nothing_is_added_by_none_or_by_itself(a: CachePolicy) -> None:
    assert a + NONE == NONE + a == a
    assert (key(a + a, flow={"z": 1}) is None) == (a is NONE)
    assert a + a + a == a + a


def test_the_constants() -> None:
    assert NO_CACHE is NONE
    assert Inputs() == INPUTS and TaskSource() == TASK_SOURCE and RunId() == RUN_ID
    assert FlowParameters() == FLOW_PARAMETERS and INPUTS != TASK_SOURCE
    assert INPUTS + TASK_SOURCE + RUN_ID == DEFAULT
    assert Inputs(exclude=["b", "a"]) == INPUTS - "a" - "b" != INPUTS
    assert CompoundCachePolicy(policies=[RUN_ID, INPUTS]) == INPUTS + RUN_ID
    assert (
        repr(DEFAULT - "x") == "CompoundCachePolicy(policies=[TaskSource(), RunId(), Inputs(exclude=['x'])])"
    )
    assert len({INPUTS, Inputs(), RUN_ID}) == 2


def test_inputs() -> None:
    assert key(INPUTS, {"x": 1, "y": 2}) == key(INPUTS, {"y": 2, "x": 1}) != key(INPUTS, {"x": 2, "y": 1})
    assert key(INPUTS, {}) is None
    assert key(INPUTS - "x", {"x": 1}) is not None
    assert key(INPUTS, ctx=context(flow_run=7)) == key(INPUTS)


def test_task_source() -> None:
    def other(x: int) -> int:
        return x + 2

    assert key(TASK_SOURCE, {"x": 1}) == key(TASK_SOURCE, {"x": 2})
    assert key(TASK_SOURCE, ctx=context(other)) != key(TASK_SOURCE)
    assert TASK_SOURCE.compute_key(None, {}, {}) is None


def test_task_source_without_source() -> None:
    def made(code: str) -> Any:
        names: dict[str, Any] = {"__name__": "typed_in"}
        exec(f"def f(x): return {code}", names)
        return context(names["f"])

    assert key(TASK_SOURCE, ctx=made("x + 1")) == key(TASK_SOURCE, ctx=made("x + 1"))
    # The same bytecode with another constant, another name.
    assert len({key(TASK_SOURCE, ctx=made(code)) for code in ("x + 1", "x + 2", "f(x)", "g(x)")}) == 4
    assert key(TASK_SOURCE, ctx=context(functools.partial(add, 1))) is not None


def test_run_id() -> None:
    assert key(RUN_ID, ctx=context(task_run=2)) == key(RUN_ID, ctx=context(task_run=3))
    assert key(RUN_ID, ctx=context(flow_run=9)) != key(RUN_ID)
    assert key(RUN_ID, ctx=context(flow_run=None)) == str(UUID(int=2))


def test_flow_parameters() -> None:
    assert key(FLOW_PARAMETERS, flow={"a": 1}) != key(FLOW_PARAMETERS, flow={"a": 2})
    assert key(FLOW_PARAMETERS, {"x": 1}, {"a": 1}) == key(FLOW_PARAMETERS, {"x": 2}, {"a": 1})
    assert FLOW_PARAMETERS.compute_key(None, {}, None) is None  # type: ignore[arg-type]


def test_none_has_no_key() -> None:
    assert key(NONE) is None and key(NONE + NONE) is None and key(CompoundCachePolicy()) is None


def test_default_is_of_source_run_and_inputs() -> None:
    keys = {
        key(DEFAULT),
        key(DEFAULT, {"x": 2}),
        key(DEFAULT, ctx=context(flow_run=8)),
        key(DEFAULT, ctx=context(lambda x: x)),
    }
    assert len(keys) == 4 and key(DEFAULT) in keys


def test_a_key_of_ones_own() -> None:
    policy = CachePolicy.from_cache_key_fn(lambda ctx, arguments: f"{ctx.task_run.id.int}-{arguments['x']}")
    assert isinstance(policy, CacheKeyFnPolicy) and key(policy) == "2-1"
    assert key(CachePolicy.from_cache_key_fn(lambda ctx, arguments: None)) is None
    with pytest.raises(TypeError, match="a text or None; this one returned 3"):
        key(CachePolicy.from_cache_key_fn(lambda ctx, arguments: 3))  # type: ignore[arg-type, return-value]


def test_the_same_texts_from_other_policies_are_another_key() -> None:
    first = CachePolicy.from_cache_key_fn(lambda ctx, arguments: arguments["x"])
    second = CachePolicy.from_cache_key_fn(lambda ctx, arguments: arguments["y"])
    both = first + second
    assert key(both, {"x": "a", "y": "b"}) != key(both, {"x": "b", "y": "a"})
    assert key(both, {"x": "a", "y": None}) != key(both, {"x": None, "y": "a"})
    assert key(both, {"x": None, "y": None}) is None


def test_a_policy_of_ones_own() -> None:
    @dataclass
    class Weekly(CachePolicy):
        week: int

        def compute_key(self, task_ctx: Any, inputs: Any, flow_parameters: Any, **kwargs: Any) -> str:
            return f"week-{self.week}"

    assert key(Weekly(3)) == "week-3"
    assert key(Weekly(3) + INPUTS) != key(Weekly(4) + INPUTS)
    assert Weekly(3) - "x" == Weekly(3)
    assert Weekly(3).configure(key_storage="/keys").week == 3
    with pytest.raises(NotImplementedError, match="define compute_key"):
        key(CachePolicy())


def test_a_failing_part_fails_the_whole() -> None:
    class Broken(CachePolicy):
        def compute_key(self, *args: Any, **kwargs: Any) -> str:
            raise RuntimeError("no key")

    for policy in (INPUTS + Broken(), Broken() + DEFAULT):
        with pytest.raises(RuntimeError, match="no key"):
            key(policy)


@pytest.mark.parametrize("policy", [INPUTS, DEFAULT, DEFAULT + FLOW_PARAMETERS], ids=repr)
def test_an_argument_that_cannot_be_hashed_is_named(policy: CachePolicy) -> None:
    with pytest.raises(HashError, match=r"Argument 'conn'.*lock.*cache_key_fn.*NO_CACHE"):
        key(policy, {"x": 1, "conn": threading.Lock()})
    assert key(policy - "conn", {"x": 1, "conn": threading.Lock()}) is not None


@pytest.mark.parametrize("wrong", [5, None, "x", lambda ctx, arguments: "k"])
def test_only_policies_are_added_and_only_names_subtracted(wrong: Any) -> None:
    with pytest.raises(TypeError):
        INPUTS + wrong
    if not isinstance(wrong, str):
        for policy in (INPUTS, DEFAULT, RUN_ID):
            with pytest.raises(TypeError, match="name of a parameter"):
                policy - wrong


def test_settings_of_a_policy() -> None:
    configured = INPUTS.configure(key_storage="/keys")
    assert configured.key_storage == "/keys" and INPUTS.key_storage is None
    assert (configured + TASK_SOURCE).key_storage == (TASK_SOURCE + configured).key_storage == "/keys"
    assert (configured - "x").key_storage == "/keys" and key(configured) == key(INPUTS)
    assert (configured + NONE).key_storage == "/keys"
    with pytest.raises(ValueError, match="different storage locations"):
        configured + TASK_SOURCE.configure(key_storage="/others")
    assert INPUTS.configure(isolation_level="READ_COMMITTED").isolation_level == "READ_COMMITTED"
    with pytest.raises(ValueError, match="READ_COMMITTED or SERIALIZABLE"):
        INPUTS.configure(isolation_level="CHAOS")


def test_policies_that_are_added_share_their_locks() -> None:
    locks = MemoryLockManager()
    locked = INPUTS.configure(isolation_level="SERIALIZABLE", lock_manager=locks)
    both = TASK_SOURCE + locked
    assert both.lock_manager is locks and both.isolation_level == "SERIALIZABLE"
    assert both.policies == [TASK_SOURCE, INPUTS]


def test_task_input_hash() -> None:
    first = task_input_hash(context(), {"x": 1})
    assert first == task_input_hash(context(flow_run=5), {"x": 1}) != task_input_hash(context(), {"x": 2})
    with pytest.raises(HashError, match="Argument 'x'"):
        task_input_hash(context(), {"x": threading.Lock()})


CHILD = """
import sys; sys.path.insert(0, sys.argv[1])
import test_cache_policies as t
print(t.key(t.DEFAULT + t.FLOW_PARAMETERS, {"x": {"b", "a"}, "f": t.add}, {"z": frozenset("abc")}))
"""


def test_keys_are_the_same_in_every_process() -> None:
    printed = {
        subprocess.run(
            [sys.executable, "-c", CHILD, os.path.dirname(__file__)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1
