"""Checks against JSON schemas, and that none holds a process up."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefect.parameters import schema_child
from prefect.parameters.schema_check import SchemaError, ValueMismatch, check_values, mismatches
from prefect.parameters.schema_mismatches import find_mismatches
from prefect.rules.patterns import may_take_long
from prefect.schemas.base import encode_json

ENDLESS = "^(a+)+$"


def of(**keywords):
    return {"type": "object", "properties": {"x": keywords}}


@pytest.mark.parametrize(
    "pattern",
    ["^[a-z]+$", r"^\d{4}-\d{2}-\d{2}$", "^(dev|prod)$", r"^[\w.]+@[\w.]+$", "a|b|c", "", r"^s3://[^/]+/.*$"],
)
def test_usual_patterns_are_checked_here(pattern):
    assert not may_take_long(of(pattern=pattern), {"x": "prod-2026-01-01"})


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (ENDLESS, "a" * 40 + "!"),
        ("^(a|a)*$", "a" * 40 + "!"),
        ("^(a?){30}a{30}$", "a" * 30),
        (r"a*a*a*a*b", "a" * 2000),
        (r"\s+$", " " * 100_000 + "x"),
        ("a?" * 40 + "a" * 40, "a" * 40),
    ],
)
def test_patterns_that_may_take_for_ever_are_not(pattern, text):
    assert may_take_long(of(pattern=pattern), {"x": text})
    assert may_take_long({"patternProperties": {pattern: {}}}, {text: 1})


@pytest.mark.processes
@pytest.mark.parametrize(
    ("schema", "values"),
    [
        (of(pattern=ENDLESS), {"x": "a" * 40 + "!"}),
        ({"patternProperties": {ENDLESS: {}}}, {"a" * 40 + "!": 1}),
        ({"patternProperties": {ENDLESS: {}}, "additionalProperties": False}, {"a" * 40 + "!": 1}),
    ],
    ids=["pattern", "patternProperties", "additionalProperties"],
)
def test_an_endless_search_is_given_up_and_holds_no_other_thread_up(schema, values):
    with pytest.raises(SchemaError, match="cannot be checked in time"):
        _while_another_thread_runs(lambda: check_values(values, schema))


def _while_another_thread_runs(call):
    """Call, and see that another thread is not kept waiting for seconds."""
    longest, stop = [0.0], threading.Event()

    def look():
        last = time.monotonic()
        while not stop.wait(0.01):
            longest[0], last = max(longest[0], time.monotonic() - last), time.monotonic()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        call()
    finally:
        stop.set()
        thread.join()
        assert longest[0] < schema_child.WORK_SECONDS + 1


@pytest.mark.processes
def test_a_child_finds_what_is_found_here():
    schema = {
        "type": "object",
        "properties": {"x": {"type": "string", "pattern": "^([a-z]+-?)+$"}, "n": {"type": "integer"}},
        "required": ["x", "y"],
    }
    for values in ({"x": "a-b", "y": 1}, {"x": "A"}, {"x": 1, "n": "é"}):
        for partial in (False, True):
            assert may_take_long(schema, values)
            here = find_mismatches(encode_json(schema), values, partial=partial)
            assert mismatches(values, schema, partial=partial) == here
    with pytest.raises(ValueMismatch, match=r"for field 'x'\. Failure reason: 'A' does not match"):
        check_values({"x": "A", "y": 1}, schema)
    with pytest.raises(SchemaError, match="Invalid schema"):
        check_values({"x": "A"}, of(pattern="(x)+("))


@pytest.mark.parametrize("dialect", [False, pytest.param(True, marks=pytest.mark.processes)])
def test_references_that_multiply_are_given_up(monkeypatch, dialect):
    monkeypatch.setattr("prefect.parameters.schema_mismatches.LONGEST_SECONDS", 0.5)
    definitions = {"l0": {"type": "integer"}}
    for level in range(1, 40):
        below = {"$ref": f"#/$defs/l{level - 1}"}
        definitions[f"l{level}"] = {"allOf": [below, below]}
    schema = {"$defs": definitions, "properties": {"x": {"$ref": "#/$defs/l39"}}}
    if dialect:
        schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    with pytest.raises(SchemaError, match="cannot be checked in time"):
        check_values({"x": 1}, schema)


@settings(max_examples=200, deadline=2000)
@given(
    pattern=st.from_regex(r"\A(([ab.]|\[ab\]|\(a\|b\))([*+?]|\{1,3\})?){1,4}\Z"),
    text=st.text("ab", max_size=30),
)
def test_what_is_checked_here_is_quick(pattern, text):
    if may_take_long(of(pattern=pattern), {"x": text}):
        return
    before = time.thread_time()
    find_mismatches(encode_json(of(pattern=pattern)), {"x": text})
    assert time.thread_time() - before < 1


def test_a_large_value_is_not_repeated() -> None:
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}}
    with pytest.raises(ValueMismatch, match=r"field 'x'.*z … z.*is not of type 'integer'") as caught:
        check_values({"x": "z" * 100_000}, schema)
    assert len(str(caught.value)) < 600


MODEL = {
    "type": "object",
    "required": ["z"],
    "properties": {"z": {"type": "integer"}, "y": {"type": "string"}},
}
NESTED = {
    "properties": {
        "model": {"$ref": "#/definitions/Model"},
        "maybe": {"anyOf": [{"$ref": "#/definitions/Model"}, {"type": "null"}], "default": None},
        "models": {"type": "array", "items": {"$ref": "#/definitions/Model"}},
        "n": {"type": "integer"},
        "given": {"type": "integer", "default": 3},
        "needed": {"type": "integer"},
        "one": {"type": "string", "enum": ["x"]},
        "kinds": {"type": ["integer", "string"]},
    },
    "required": ["needed"],
    "definitions": {"Model": MODEL},
}


@pytest.mark.parametrize(
    "values", [{}, {"model": {}}, {"maybe": {}}, {"models": [{}]}], ids=["plain", "model", "maybe", "list"]
)
def test_partial_values_may_lack_what_is_required_wherever_it_is(values):
    check_values(values, NESTED, partial=True)
    with pytest.raises(ValueMismatch):
        check_values(values, NESTED)


@pytest.mark.parametrize(
    ("values", "is_right"),
    [
        ({"n": None}, True),
        ({"kinds": None}, True),
        ({"maybe": None}, True),
        ({"maybe": {"z": 1, "y": None}}, True),
        ({"models": [{"z": 1, "y": None}]}, True),
        ({"given": None}, False),
        ({"needed": None}, False),
        ({"model": None}, False),
        ({"model": {"z": None}}, False),
        ({"one": None}, False),
        ({"n": "x"}, False),
    ],
    ids=str,
)
def test_null_stands_for_what_may_be_missing_and_has_no_default(values, is_right):
    values = {"needed": 1, **values}
    if is_right:
        check_values(values, NESTED, nullable=True)
    else:
        with pytest.raises(ValueMismatch):
            check_values(values, NESTED, nullable=True)


def test_a_schema_that_is_nested_too_deep_is_none():
    deep = {"type": "integer"}
    for _ in range(900):
        deep = {"items": deep}
    with pytest.raises(SchemaError):
        check_values({"x": 1}, {"properties": {"x": deep}}, nullable=True)
