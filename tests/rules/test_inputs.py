"""What is found and replaced inside arguments, and what is never looked at."""

from __future__ import annotations

import copy
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from unittest.mock import MagicMock, Mock

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from prefect.rules.inputs import contains_only_atoms, find, replace
from prefect.schemas.states import State, StateType
from prefect.types.annotations import allow_failure, quote, unmapped


class Marker:
    """Stands for a future."""

    def __init__(self, value: Any = None) -> None:
        self.value = value


WANTED = (Marker,)


def value_of(marker: Marker) -> Any:
    return marker.value


def replaced(value: Any) -> Any:
    return replace(value, WANTED, value_of)


class Point(NamedTuple):
    x: Any
    y: Any


@dataclass
class Data:
    x: Any
    rest: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Frozen:
    x: Any


@dataclass
class Late:
    x: Any
    y: Any = field(init=False)


class Struct(msgspec.Struct, frozen=True):
    x: Any


class Model(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True, extra="allow", frozen=True)
    x: Any


class Names(list):  # type: ignore[type-arg]
    label = "none"


def test_a_wanted_value_itself() -> None:
    marker = Marker(1)
    assert find(marker, WANTED) == [marker]
    assert replaced(marker) == 1


@pytest.mark.parametrize(
    ("given_value", "expected"),
    [
        ([1, Marker(2), [Marker(3)]], [1, 2, [3]]),
        ((1, Marker(2)), (1, 2)),
        ({1, Marker(2)}, {1, 2}),
        (frozenset({Marker(2)}), frozenset({2})),
        ({"a": Marker(1), Marker("b"): 2, "c": {"d": [Marker(3)]}}, {"a": 1, "b": 2, "c": {"d": [3]}}),
        (Point(Marker(1), 2), Point(1, 2)),
        (Data(Marker(1), [Marker(2)]), Data(1, [2])),
        (Frozen([Marker(1)]), Frozen([1])),
        (Struct({"a": Marker(1)}), Struct({"a": 1})),
        (Model(x=[Marker(1)], other=Marker(2)), Model(x=[1], other=2)),
        (OrderedDict(a=Marker(1)), OrderedDict(a=1)),
        (Counter({Marker("a"): 3}), Counter(a=3)),
        (allow_failure([Marker(1)]), allow_failure([1])),
        (unmapped(Marker(1)), unmapped(1)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_containers_are_rebuilt_in_their_own_type(given_value: Any, expected: Any) -> None:
    made = replaced(given_value)
    assert made == expected
    assert type(made) is type(expected)
    assert find(made, WANTED) == []
    assert find(given_value, WANTED), "the argument itself stays as it was"


def test_subclasses_keep_what_they_have() -> None:
    names = Names([Marker(1)])
    names.label = "some"
    made = replaced(names)
    assert (type(made), made, made.label) == (Names, [1], "some")
    grouped = replaced(defaultdict(list, a=[Marker(1)]))
    assert grouped == {"a": [1]}
    assert grouped["new"] == []


def test_fields_that_are_not_set_stay_so() -> None:
    made = replaced(Late(Marker(1)))
    assert made.x == 1
    assert not hasattr(made, "y")


@pytest.mark.parametrize(
    "value",
    [
        1,
        "text",
        None,
        [1, 2, [3]],
        {"a": (1, {2})},
        Data(1),
        Point(1, 2),
        Model(x=1),
        Struct(1),
        np.arange(3),
        object(),
        Marker,
        Data,
        range(3),
        {}.items(),
        ValueError([1]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_holds_nothing_wanted_is_the_same_object(value: Any) -> None:
    assert replaced(value) is value
    assert find(value, WANTED) == []


def test_parts_that_hold_nothing_wanted_stay_the_same_objects() -> None:
    inner = [1, 2]
    made = replaced([inner, Marker(1)])
    assert made[0] is inner


def test_quoted_values_are_left_alone() -> None:
    quoted = quote([Marker(1)])
    assert find([quoted], WANTED) == []
    assert replaced([quoted, Marker(2)])[0] is quoted


def test_a_quote_can_be_wanted() -> None:
    assert replace([quote(1)], (quote,), lambda item: item.unquote()) == [1]


def test_states_are_values_of_their_own() -> None:
    state = State(type=StateType.COMPLETED, data=[Marker(1)])
    assert find([state], WANTED) == []
    assert find([state], (State,)) == [state]


def test_a_function_can_say_what_is_wanted() -> None:
    big, small = Data(10), Data(1)

    def is_big(value: Any) -> bool:
        return isinstance(value, Data) and value.x > 5

    assert find([small, {"a": big}], is_big) == [big]
    assert replace([small, {"a": big}], is_big, lambda _: "big") == [small, {"a": "big"}]
    assert find([object(), Data(object())], lambda value: type(value) is object) != []


def test_found_in_the_order_in_which_they_stand() -> None:
    markers = [Marker(n) for n in range(4)]
    value = [markers[0], [markers[1], (markers[2],)], markers[3]]
    assert find(value, WANTED) == markers


def test_iterators_are_never_consumed() -> None:
    def generate() -> Iterator[Marker]:
        yield Marker(1)

    generator, iterator = generate(), iter([Marker(2)])
    zipped = zip([Marker(3)], strict=True)
    assert find([generator, iterator, zipped], WANTED) == []
    assert (next(generator).value, next(iterator).value, next(zipped)[0].value) == (1, 2, 3)


def test_arrays_and_mocks_are_never_looked_into() -> None:
    array = np.array([Marker(1), Marker(2)], dtype=object)
    mocks = [Mock(), MagicMock(), Mock(spec=list), MagicMock(spec=Data)]
    assert find([array, *mocks], WANTED) == []
    assert not any(mock.mock_calls for mock in mocks)


def test_structures_that_hold_themselves_end() -> None:
    ring: list[Any] = [1]
    ring.append(ring)
    assert find(ring, WANTED) == []
    assert replaced(ring) is ring
    marker = Marker(2)
    ring.append(marker)
    assert find(ring, WANTED) == [marker]
    made = replaced(ring)
    assert (made[0], made[2]) == (1, 2)


def test_what_stands_in_several_places_is_made_once() -> None:
    calls: list[Marker] = []

    def by(marker: Marker) -> Any:
        calls.append(marker)
        return [marker.value]

    marker, shared = Marker(1), [Marker(2)]
    made = replace([marker, shared, {"a": marker, "b": shared}], WANTED, by)
    assert made == [[1], [[2]], {"a": [1], "b": [[2]]}]
    assert made[1] is made[2]["b"]
    assert len(calls) == 2


def test_shared_parts_do_not_multiply_the_work() -> None:
    value: list[Any] = [Data(1)]
    for _ in range(60):
        value = [value, value]
    asked = 0

    def never(_: Any) -> bool:
        nonlocal asked
        asked += 1
        return False

    assert find(value, never) == []
    assert asked < 300


def test_deep_nesting_is_no_matter() -> None:
    deep: list[Any] = [1]
    for _ in range(50_000):
        deep = [deep]
    assert find(deep, WANTED) == []
    assert replaced(deep) is deep
    while isinstance(deep[0], list):  # taken apart here, because freeing it at once recurses
        deep = deep[0]


def test_ten_million_numbers_are_not_walked() -> None:
    asked: list[Any] = []
    numbers = [0.5] * 10_000_000

    def ask(value: Any) -> bool:
        asked.append(value)
        return False

    assert find(numbers, ask) == []
    assert replace(numbers, ask, value_of) is numbers
    assert find({"a": numbers, "b": np.zeros(10)}, WANTED) == []
    assert asked == [numbers, numbers]
    assert contains_only_atoms(numbers)


def test_many_objects_of_no_interest_are_not_walked() -> None:
    class Row:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"{name} was looked at")

    rows = [Row() for _ in range(1000)]
    assert find([rows, rows], WANTED) == []


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ([], True),
        ([1, 0.5, "a", b"b", None, True, 1j], True),
        ([1, [2]], False),
        ([object()], False),
        ({"a": 1}, True),
        ({"a": []}, False),
        ({(1,): 1}, False),
        ({1, 2}, True),
    ],
)
def test_only_atoms(container: Any, expected: bool) -> None:
    assert contains_only_atoms(container) is expected


def test_a_subclass_of_an_atom_is_none() -> None:
    class Text(str):
        pass

    assert not contains_only_atoms([Text("a")])


ATOMS = st.none() | st.integers() | st.text(max_size=3)
VALUES = st.recursive(
    ATOMS | ATOMS.map(Marker),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=2), inner, max_size=3)
        | inner.map(Data)
        | inner.map(Struct)
    ),
    max_leaves=20,
)


def naive(value: Any) -> Any:
    """Replace as plainly as it can be written."""
    if isinstance(value, Marker):
        return value.value
    if isinstance(value, list | tuple):
        return type(value)(naive(item) for item in value)
    if isinstance(value, dict):
        return {key: naive(item) for key, item in value.items()}
    if isinstance(value, Data):
        return Data(naive(value.x), naive(value.rest))
    if isinstance(value, Struct):
        return Struct(naive(value.x))
    return value


@given(VALUES)
def test_replaces_as_the_plain_way_would(value: Any) -> None:
    before = copy.deepcopy(naive(value))
    made = replaced(value)
    assert made == before
    assert find(made, WANTED) == []
    assert (made is value) == (not find(value, WANTED)) or isinstance(value, Marker)
