"""Stable hashes: equal content, equal hash; in every process."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
import threading
from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from prefect.exceptions import HashError
from prefect.rules.hashing import hash_arguments, hash_objects

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


def spelled(value: Any) -> str:
    """A text that is equal for equal JSON values, types counted, and for no others."""
    return json.dumps(value, sort_keys=True)


class Color(Enum):
    RED = 1
    BLUE = 2


class Level(IntEnum):
    ONE = 1


@dataclass
class Point:
    x: int
    tags: list[str] = field(default_factory=list)


class Model(BaseModel):
    a: int = 1
    nested: dict[str, list[int]] = {}


class Plain:
    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


Pair = namedtuple("Pair", "a b")


def add(x: int, y: int = 1) -> int:
    return x + y


def shifted(by: int) -> Any:
    return lambda x: x + by


@settings(max_examples=60, deadline=None)
@given(json_values, json_values)
def test_hashes_are_equal_exactly_when_the_values_are(a: Any, b: Any) -> None:
    assert (hash_objects(a) == hash_objects(b)) == (spelled(a) == spelled(b))


@settings(max_examples=60, deadline=None)
@given(json_values)
def test_a_copy_has_the_same_hash(value: Any) -> None:
    assert hash_objects(json.loads(json.dumps(value))) == hash_objects(value)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_order_of_arguments_does_not_matter(arguments: dict[str, Any]) -> None:
    assert hash_arguments(arguments) == hash_arguments(dict(reversed(arguments.items())))


@settings(max_examples=60, deadline=None)
@given(st.lists(scalars, max_size=5), st.lists(scalars, max_size=5))
def test_lists_do_not_run_into_each_other(a: list[Any], b: list[Any]) -> None:
    if spelled([a, b]) != spelled([a + b, []]):
        assert hash_objects(a, b) != hash_objects(a + b, [])


DIFFERENT = [
    1, 1.0, True, "1", b"1", bytearray(b"1"), None, ..., 0, 0.0, -0.0, False, "", b"", [], (), {}, set(),
    frozenset(), [1], (1,), {1}, {1: 2}, {"1": 2}, {(1, 2): 3}, 1j, Decimal("1"), Decimal("1.0"), [[1], 2],
    [1, [2]], date(2026, 1, 2), datetime(2026, 1, 2), datetime(2026, 1, 2, tzinfo=UTC), time(1, 2),
    datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=1))), timedelta(1), UUID(int=1), Path("a"),
    Path("a/b"), Color.RED, Color.BLUE, Level.ONE, Point(1), Point(2), Point(1, ["a"]), Model(), Model(a=2),
    Plain(a=1), Plain(a=2), Pair(1, 2), OrderedDict(a=1, b=2), OrderedDict(b=2, a=1), Point, Model, int, add,
    len,
    [].append, "x".join, functools.partial(add, 1), functools.partial(add, 2), shifted(1), shifted(2),
    lambda x: x + 1, lambda x: x + 3, re.compile("a"), re.compile("b"), re, os, range(3), range(4), "\ud800",
    2**70, float("inf"), float("nan"),
]  # fmt: skip


def test_different_values_have_different_hashes() -> None:
    hashes: dict[str, Any] = {}
    for value in DIFFERENT:
        digest = hash_objects(value)
        assert digest not in hashes, (value, hashes[digest])
        hashes[digest] = value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Point(1, ["a"]), Point(1, ["a"])),
        (Model(), Model(a=1)),
        (Plain(a=1, b={1, "x"}), Plain(b={"x", 1}, a=1)),
        (defaultdict(list, a=1, b=2), defaultdict(list, b=2, a=1)),
        ({3, 1, 2}, {2, 3, 1}),
        ({1: "a", (2, 3): "b"}, {(2, 3): "b", 1: "a"}),
        (shifted(1), shifted(1)),
    ],
)
def test_equal_values_have_equal_hashes(one: Any, other: Any) -> None:
    assert hash_objects(one) == hash_objects(other)


def test_a_function_is_hashed_by_what_it_does() -> None:
    sources = (
        "def f(x):\n    return x + 1",
        "# moved\n\ndef f(x):\n    return x + 1  # plus one",
        "def f(x):\n    return x + 2",
    )
    made = []
    for source in sources:
        names: dict[str, Any] = {"__name__": "somewhere"}
        exec(source, names)
        made.append(hash_objects(names["f"]))
    assert made[0] == made[1] != made[2]


def test_a_cycle_is_hashed() -> None:
    one: list[Any] = [1]
    one.append(one)
    other: list[Any] = [1]
    other.append(other)
    assert hash_objects(one) == hash_objects(other) != hash_objects([1, [1]])


def test_too_deep_a_nesting_is_said() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(HashError, match="nested too deeply"):
        hash_objects(value)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (threading.Lock(), "lock"),
        ((i for i in "ab"), "generator"),
        (sys.__stdout__, "TextIOWrapper"),
        (sys._getframe(), "frame"),
    ],
)
def test_what_has_no_content_is_an_error_that_names_argument_and_type(value: Any, kind: str) -> None:
    with pytest.raises(HashError, match=rf"Argument 'conn' cannot be hashed: .*{kind}"):
        hash_arguments({"a": 1, "conn": {"inside": [value]}})


CHILD = """
import pathlib, datetime, uuid, sys
sys.path.insert(0, sys.argv[1])
import test_hashing as t
from prefect.rules.hashing import hash_objects
print(hash_objects({"a", "b", "c"}, frozenset("xyz"), {"k": {1, "x"}}, t.Color, t.Point(1, ["a"]), t.add,
    t.Model(a=3), t.shifted(4), t.Plain(a={"p", "q"}), lambda x: x in {"a", "b"}, pathlib.Path("x"), len))
"""


def test_hashes_are_the_same_in_every_process() -> None:
    printed = {
        subprocess.run(
            [sys.executable, "-c", CHILD, str(Path(__file__).parent)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1


def test_arrays_are_hashed_by_content() -> None:
    np = pytest.importorskip("numpy")
    base = np.arange(12, dtype="int64").reshape(3, 4)
    assert hash_objects(base) == hash_objects(np.asfortranarray(base)) == hash_objects(base.copy())
    others = [
        base.astype("int32"),
        base.reshape(4, 3),
        base + 1,
        base.T,
        np.array(["a", None], dtype=object),
        np.int64(1),
    ]
    assert len({hash_objects(value) for value in [base, *others]}) == len(others) + 1
    objects = np.array([{"a": 1}, "x"], dtype=object)
    assert hash_objects(objects) == hash_objects(np.array([{"a": 1}, "x"], dtype=object))
    assert hash_objects(np.float64(1.5)) == hash_objects(np.float64(1.5))
    assert hash_objects(np.array(["2026-01-01"], dtype="datetime64[D]")) != hash_objects(
        np.array(["2026-01-02"], dtype="datetime64[D]")
    )


def test_frames_are_hashed_by_content() -> None:
    pd = pytest.importorskip("pandas")

    def frame(**changed: Any) -> Any:
        columns = {"a": [1, 2, 3], "b": ["x", None, "z"], "c": [0.5, 1.5, None], **changed}
        return pd.DataFrame(columns, index=changed.pop("index", None))

    grown = pd.DataFrame({"a": [1, 2, 3]})
    grown["b"] = ["x", None, "z"]
    grown["c"] = [0.5, 1.5, None]
    assert hash_objects(frame()) == hash_objects(frame()) == hash_objects(grown)
    others = [
        frame(a=[1, 2, 4]),
        frame(a=[1.0, 2, 3]),
        frame().rename(columns={"a": "d"}),
        frame().set_index("a"),
        frame()["a"],
        frame()["b"],
        frame().index,
        pd.Timestamp("2026-01-01"),
        pd.DataFrame({"a": pd.Categorical(["x", "y"])}),
    ]
    assert len({hash_objects(value) for value in [frame(), *others]}) == len(others) + 1
