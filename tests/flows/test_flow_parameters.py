"""Parameters of flow runs: coerced, checked, recorded."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import pydantic
import pytest

from prefect import flow, task
from prefect.exceptions import ParameterTypeError
from prefect.runtime import flow_run
from prefect.types.annotations import quote
from recorded import flow_run_of, history_of


class Colour(Enum):
    RED = "red"


class Person(pydantic.BaseModel):
    name: str
    age: int = 3


@dataclass
class Point:
    x: int
    y: int = 0


@pytest.mark.parametrize(
    ("annotation", "given", "expected"),
    [
        (int, "5", 5),
        (int, 5.0, 5),
        (float, 1, 1.0),
        (str, "a", "a"),
        (bool, "true", True),
        (list[int], ["1", 2], [1, 2]),
        (dict[str, float], {"a": "1.5"}, {"a": 1.5}),
        (tuple[int, str], ["1", "a"], (1, "a")),
        (set[int], [1, 1], {1}),
        (int | None, None, None),
        (int | str, "5", "5"),
        (Literal["a", "b"], "b", "b"),
        (Colour, "red", Colour.RED),
        (Person, {"name": "Ann"}, Person(name="Ann")),
        (list[Person], [{"name": "Ann", "age": "4"}], [Person(name="Ann", age=4)]),
        (Point, {"x": "1"}, Point(1)),
        (datetime, "2024-01-02T03:04:05", datetime(2024, 1, 2, 3, 4, 5)),
        (timedelta, 60, timedelta(minutes=1)),
        (Path, "/tmp", Path("/tmp")),
        (UUID, "00000000-0000-0000-0000-000000000001", UUID(int=1)),
        (Annotated[int, pydantic.Field(gt=3)], "4", 4),
        (Any, "5", "5"),
    ],
)
def test_values_are_coerced(annotation: Any, given: Any, expected: Any) -> None:
    def work(x: Any) -> Any:
        return x

    work.__annotations__["x"] = annotation
    result = flow(work)(given)
    assert result == expected and type(result) is type(expected)


def test_a_value_that_fits_stays_the_same_object() -> None:
    person, numbers = Person(name="Ann"), [1, 2, 3]

    @flow
    def work(who: Person, what: list[int], anything: Any) -> Any:
        return who is person, what is numbers, anything is numbers

    assert work(person, numbers, numbers) == (True, True, True)


@flow(name="strict")
def strict(x: int, *, who: Person | None = None, many: list[int] | None = None) -> int:
    return x


def test_an_invalid_value_names_flow_parameter_and_problem() -> None:
    with pytest.raises(ParameterTypeError) as caught:
        strict("a", many=[1, "b"])
    text = str(caught.value)
    assert text.startswith("Flow run received invalid parameters:\n - x: Input should be a valid integer")
    assert " - many" in text and "Flow 'strict' takes (x: " in text
    with pytest.raises(ParameterTypeError, match=r"who.*Field required"):
        strict(1, who={"age": 3})


def test_an_invalid_run_is_recorded_as_failed() -> None:
    seen = []
    hooked = strict.with_options(on_failure=[lambda f, r, s: seen.append(s.message)], retries=2)
    state = hooked("a", return_state=True)
    assert state.is_failed()
    assert (state.message or "").startswith(
        "Validation of flow parameters failed with error: ParameterTypeError"
    )
    assert history_of(state) == ["Pending", "Failed"]
    run = flow_run_of(state)
    assert run.end_time is not None and run.parameters.keys() == {"x", "who", "many"}
    assert seen == [state.message]


def test_an_invalid_nested_run_fails_its_parent_only_if_it_is_raised() -> None:
    @flow
    def outer() -> Any:
        return strict("a", return_state=True).name

    assert outer() == "Failed"
    with pytest.raises(ParameterTypeError):
        flow(lambda: strict("a"))()


def test_validation_can_be_left_out() -> None:
    @flow(validate_parameters=False)
    def loose(x: int) -> Any:
        return x

    assert loose("a") == "a"


def test_defaults_are_validated_and_recorded() -> None:
    @flow
    def work(a: int = "5", *args: int, b: int = 2, **kwargs: Any) -> Any:  # type: ignore[assignment]
        return a, args, b, kwargs, flow_run.parameters

    state = work(return_state=True)
    a, args, b, kwargs, seen = state.result()
    assert (a, args, b, kwargs) == (5, (), 2, {})
    assert seen["a"] == 5 and flow_run_of(state).parameters["b"] == 2
    assert work(1, 2, 3, b="4", c=5)[:4] == (1, (2, 3), 4, {"c": 5})


def test_async_flows_are_checked_when_they_are_awaited() -> None:
    @flow
    async def work(x: int) -> int:
        return x

    assert asyncio.run(work("5")) == 5  # type: ignore[arg-type]
    with pytest.raises(ParameterTypeError):
        asyncio.run(work("a"))  # type: ignore[arg-type]


def test_futures_become_values_before_they_are_checked() -> None:
    @flow
    def inner(x: int, y: list[int]) -> Any:
        return x, y

    @flow
    def outer() -> Any:
        five = task(lambda: "5").submit()
        return inner(five, [five])

    assert outer() == (5, [5])


def test_quoted_values() -> None:
    assert flow(lambda x: x)(quote([1])) == [1]


def test_annotations_that_cannot_be_resolved_are_left_alone() -> None:
    def work(x: Missing, y: int) -> Any:  # type: ignore[name-defined]  # noqa: F821
        return x, y

    with pytest.warns(UserWarning, match="Missing"):
        assert flow(work)("a", "5") == ("a", 5)


def test_values_that_are_no_json_are_recorded_as_something() -> None:
    @flow
    def work(x: Any) -> int:
        return 1

    state = work(object(), return_state=True)
    assert state.is_completed()
    assert set(flow_run_of(state).parameters) == {"x"}
    state = work({"deep": Person(name="Ann"), 3: {1, 2}}, return_state=True)
    assert state.is_completed()
    assert flow_run_of(state).parameters["x"]


def test_tasks_do_not_check_their_arguments() -> None:
    @task
    def loose(x: int) -> Any:
        return x

    assert loose("a") == "a"  # type: ignore[arg-type]


def test_parameters_changed_in_the_body_are_not_changed_in_the_record() -> None:
    @flow
    def work(items: list[int]) -> None:
        items.append(9)

    state = work([1], return_state=True)
    assert flow_run_of(state).parameters == {"items": [1]}
