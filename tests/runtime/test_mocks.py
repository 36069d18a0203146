"""Environment variables that replace attributes."""

from __future__ import annotations

import math
import os
from datetime import UTC, datetime
from uuid import uuid4

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prefect.context import FlowRunContext
from prefect.runtime import deployment, flow_run, task_run
from prefect.schemas.objects import FlowRun

MODULES = [flow_run, task_run, deployment]


def variable(module, name: str) -> str:
    return f"PREFECT__RUNTIME__{module.__name__.rpartition('.')[2].upper()}__{name.upper()}"


@pytest.fixture
def mock(monkeypatch):
    def set_mock(module, name: str, text: str):
        monkeypatch.setenv(variable(module, name), text)
        return getattr(module, name)

    return set_mock


@pytest.mark.parametrize("module", MODULES)
def test_a_mock_adds_an_attribute(module, mock):
    assert mock(module, "fake_key", "foo") == "foo"


@pytest.mark.parametrize("module", MODULES)
def test_a_mock_replaces_an_attribute_also_inside_a_run(module, mock):
    with FlowRunContext(flow_run=FlowRun(flow_id=uuid4())):
        assert mock(module, "id", "mocked") == "mocked"


def test_a_mock_ends_with_its_variable(monkeypatch):
    monkeypatch.setenv(variable(flow_run, "name"), "mocked")
    assert flow_run.name == "mocked"
    monkeypatch.delenv(variable(flow_run, "name"))
    assert flow_run.name is None


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("run_count", "4", 4),
        ("run_count", " -3 ", -3),
        ("tags", '["a", "b"]', ["a", "b"]),
        ("parameters", '{"x": [1, null]}', {"x": [1, None]}),
        ("job_variables", "{}", {}),
        ("scheduled_start_time", "2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("scheduled_start_time", "2026-01-31T08:15:00", datetime(2026, 1, 31, 8, 15, tzinfo=UTC)),
        ("scheduled_start_time", "2026-01-31 08:15", datetime(2026, 1, 31, 8, 15, tzinfo=UTC)),
        ("scheduled_start_time", "2026-01-31T08:15:00Z", datetime(2026, 1, 31, 8, 15, tzinfo=UTC)),
        ("start_time", "2026-01-31T08:15:00+02:00", datetime(2026, 1, 31, 6, 15, tzinfo=UTC)),
        ("flow_version", "3", "3"),
        ("api_url", "", ""),
    ],
)
def test_mocks_have_the_type_of_the_attribute(mock, name, text, value):
    found = mock(flow_run, name, text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("run_count", "many", "invalid literal"),
        ("tags", "a,b", "JSON list"),
        ("tags", "{}", "JSON list"),
        ("parameters", "[1]", "JSON object"),
        ("scheduled_start_time", "tomorrow", "ISO 8601"),
    ],
)
def test_what_cannot_be_cast_is_an_error_that_says_why(mock, name, text, why):
    with pytest.raises(ValueError, match="cannot be mocked") as caught:
        mock(flow_run, name, text)
    assert why in str(caught.value)
    assert variable(flow_run, name) in str(caught.value)


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize(
    ("value", "text", "expected"),
    [
        ("foo", "bar", "bar"),
        (None, "bar", "bar"),
        (1, "2", 2),
        (1.5, "2.5", 2.5),
        (True, "false", False),
        (False, "True", True),
        (datetime(2020, 1, 1, tzinfo=UTC), "2021-01-01", datetime(2021, 1, 1, tzinfo=UTC)),
        ([1], "[2]", [2]),
    ],
)
def test_mocks_of_a_tests_own_fields_have_the_type_of_their_values(
    monkeypatch, module, mock, value, text, expected
):
    monkeypatch.setitem(module.FIELDS, "new_key", lambda: value)
    assert module.new_key == value
    assert mock(module, "new_key", text) == expected
    monkeypatch.setitem(module.FIELDS, "id", lambda: value)
    assert mock(module, "id", text) == expected


def test_a_field_of_another_type_cannot_be_mocked(monkeypatch, mock):
    monkeypatch.setitem(flow_run.FIELDS, "new_key", object)
    with pytest.raises(ValueError, match="cannot be mocked"):
        mock(flow_run, "new_key", "x")


def test_a_mocked_read_does_no_other_work(monkeypatch, mock):
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", str(uuid4()))
    monkeypatch.setattr(
        "prefect.runtime.process_run.find_flow_run", lambda _: pytest.fail("looked the run up")
    )
    assert mock(flow_run, "run_count", "3") == 3
    assert mock(flow_run, "scheduled_start_time", "2020-01-01").year == 2020
    assert mock(deployment, "parameters", "{}") == {}


def test_an_environment_that_a_test_replaced_is_seen(monkeypatch):
    monkeypatch.setattr(os, "environ", {variable(flow_run, "name"): "replaced"})
    assert flow_run.name == "replaced"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
many = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)


@many
@given(st.dictionaries(st.text(), json_values))
def test_any_json_object_comes_through(monkeypatch, value):
    text = msgspec.json.encode(value).decode()
    with monkeypatch.context() as patch:
        patch.setenv(variable(flow_run, "parameters"), text)
        assert flow_run.parameters == value


@many
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_any_text_is_a_value_or_a_clear_error(monkeypatch, text):
    with monkeypatch.context() as patch:
        for module in MODULES:
            for name in module.FIELDS:
                patch.setenv(variable(module, name), text)
                try:
                    value = getattr(module, name)
                except ValueError as error:
                    assert "cannot be mocked" in str(error)
                else:
                    assert isinstance(value, str | int | list | dict | datetime)


@many
@given(st.floats(allow_nan=False))
def test_any_float_comes_through(monkeypatch, value):
    with monkeypatch.context() as patch:
        patch.setitem(flow_run.FIELDS, "ratio", lambda: 0.5)
        patch.setenv(variable(flow_run, "ratio"), repr(value))
        assert math.isclose(flow_run.ratio, value)


def test_the_example_of_the_documentation(run_python):
    code = "from prefect.runtime import task_run; print(task_run.fake_key)"
    done = run_python("-c", code, env={"PREFECT__RUNTIME__TASK_RUN__FAKE_KEY": "foo"})
    assert done.stdout == "foo\n"
