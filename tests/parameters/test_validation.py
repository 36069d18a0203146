"""Parameters of flows, checked and coerced by their annotations."""

import dataclasses
import datetime
import enum
import functools
import sys
import uuid
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Optional, TypeVar, Union

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, PydanticUserError, SecretStr, TypeAdapter, ValidationError

from prefect.exceptions import ParameterTypeError, SignatureMismatchError
from prefect.parameters.signature import Signature

if TYPE_CHECKING:
    from decimal import Decimal

T = TypeVar("T")


class Model(BaseModel):
    x: int = 1


class Revalidated(BaseModel):
    model_config = ConfigDict(revalidate_instances="always")
    x: int = 1


@dataclasses.dataclass
class Data:
    x: int


class Plain:
    pass


class Color(enum.Enum):
    RED = "red"


class Point(NamedTuple):
    x: int
    y: int


def validated(annotation: Any, value: Any) -> Any:
    def my_flow(v): ...  # type: ignore[no-untyped-def]

    my_flow.__annotations__ = {"v": annotation}
    return Signature(my_flow).validate({"v": value})["v"]


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (int, "5", 5),
        (int, 1.0, 1),
        (int, True, 1),
        (float, 1, 1.0),
        (bool, "yes", True),
        (bytes, "a", b"a"),
        (Model, {"x": "4"}, Model(x=4)),
        (Optional[Model], {"x": "4"}, Model(x=4)),  # noqa: UP045
        (list[int], ["1", 2], [1, 2]),
        (list[Model], [{"x": 2}, Model()], [Model(x=2), Model()]),
        (dict[str, Model], {"a": {"x": 1}}, {"a": Model()}),
        (list, (1, 2), [1, 2]),
        (set, [1], {1}),
        (tuple, [1], (1,)),
        (tuple[int, str], ["1", "a"], (1, "a")),
        (tuple[int, ...], ("1", "2"), (1, 2)),
        (Sequence[int], ("1",), (1,)),
        (Mapping[str, int], {"a": "1"}, {"a": 1}),
        (Data, {"x": "1"}, Data(1)),
        (Point, (1, "2"), Point(1, 2)),
        (Color, "red", Color.RED),
        (datetime.datetime, "2020-01-01", datetime.datetime(2020, 1, 1)),
        (uuid.UUID, str(uuid.UUID(int=1)), uuid.UUID(int=1)),
        (Path, "a/b", Path("a/b")),
        (Annotated[int, Field(gt=3)], "5", 5),
        (Literal["a", 1], "a", "a"),
        (Literal["a", 1], True, 1),
        (Union[int, str], "5", "5"),  # noqa: UP007
        (int | str | None, 5.0, 5),
        (None, None, None),
    ],
    ids=repr,
)
def test_values_are_coerced(annotation: Any, value: Any, expected: Any) -> None:
    made = validated(annotation, value)
    assert made == expected
    assert type(made) is type(expected)


ONES = [
    (int, 1),
    (list[int], [1]),
    (list, [1]),
    (dict[str, list[int]], {"a": [1]}),
    (Sequence[int], [1]),
    (Iterable[int], [1]),
    (Model, Model()),
    (list[Model], [Model()]),
    (Data, Data(1)),
    (Plain, Plain()),
    (np.ndarray, np.zeros(1)),
    (Any, object()),
    (object, object()),
    (T, object()),
    (Callable[[], int], print),
    (Iterator[int], iter([1])),
    (type, int),
]


@pytest.mark.parametrize(
    ("annotation", "value"), ONES, ids=lambda part: str(part).partition(" at 0x")[0][:40]
)
def test_what_fits_stays_the_same_object(annotation: Any, value: Any) -> None:
    assert validated(annotation, value) is value


def test_models_that_ask_for_it_are_validated_again() -> None:
    broken = Revalidated.model_construct(x="no")
    with pytest.raises(ParameterTypeError):
        validated(Revalidated, broken)


def test_secrets_are_wrapped() -> None:
    assert validated(SecretStr, "s").get_secret_value() == "s"


class TestErrors:
    def test_each_problem_has_a_line(self) -> None:
        def my_flow(n: int, ok: int, items: list[Model], s: str = "") -> None: ...

        with pytest.raises(ParameterTypeError) as caught:
            Signature(my_flow, "my-flow").validate({"n": "x", "ok": 1, "items": [{"x": "q"}], "s": 5})

        lines = str(caught.value).splitlines()
        assert lines[0] == "Flow run received invalid parameters:"
        assert lines[1].startswith(
            " - n: Input should be a valid integer, unable to parse string as an integer"
        )
        assert lines[1].endswith("(got 'x')")
        assert lines[2].startswith(" - items.0.x: Input should be a valid integer")
        assert lines[3] == " - s: Input should be a valid string (got 5)"
        assert lines[4].startswith("Flow 'my-flow' takes (n: int, ok: int, ")

    def test_missing_ones_too(self) -> None:
        def my_flow(n: int, m: int) -> None: ...

        with pytest.raises(ParameterTypeError, match=r" - n: Field required\n - m: Input should be"):
            Signature(my_flow).validate({"m": "x"})

    def test_names_that_do_not_exist(self) -> None:
        def my_flow(n: int) -> None: ...

        with pytest.raises(
            SignatureMismatchError, match=r"\['n'\] but was provided with parameters \['n', 'z'\]"
        ):
            Signature(my_flow).validate({"n": 1, "z": 2})

    @pytest.mark.parametrize("name", ["secret_key", "n"])
    def test_secret_values_are_not_shown(self, name: str) -> None:
        def my_flow(v) -> None: ...  # type: ignore[no-untyped-def]

        annotation: Any = int if name == "secret_key" else dict[str, SecretStr]
        namespace: dict[str, Any] = {"annotation": annotation}
        exec(f"def my_flow({name}: annotation): ...", namespace)
        with pytest.raises(ParameterTypeError) as caught:
            Signature(namespace["my_flow"]).validate({name: "hunter2"})
        assert "hunter2" not in str(caught.value)

    def test_long_values_are_cut(self) -> None:
        with pytest.raises(ParameterTypeError) as caught:
            validated(int, "x" * 1000)
        assert len(str(caught.value)) < 400

    def test_a_value_of_the_wrong_class(self) -> None:
        with pytest.raises(ParameterTypeError, match=" - v: Input should be an instance of Plain"):
            validated(Plain, 3)


class TestDefaults:
    def test_they_are_checked_as_well(self) -> None:
        as_dict: Any = {"x": "3"}

        def my_flow(n: int = "5", m: Model = as_dict) -> None: ...  # type: ignore[assignment]

        signature = Signature(my_flow)
        assert signature.validate({}) == {"n": 5, "m": Model(x=3)}
        assert signature.validate(signature.bind((), {})) == {"n": 5, "m": Model(x=3)}

    def test_none_is_no_int(self) -> None:
        nothing: Any = None

        def my_flow(n: int = nothing) -> None: ...

        with pytest.raises(ParameterTypeError, match="Input should be a valid integer"):
            Signature(my_flow).validate({})

    def test_lists_are_not_shared_between_runs(self) -> None:
        no_items: list[int] = []
        nothing: dict[str, int] = {}

        no_items: list[int] = []
        nothing: dict[str, int] = {}

        def my_flow(items: list[int] = no_items, more: dict[str, int] = nothing) -> None: ...

        signature = Signature(my_flow)
        first, second = (signature.validate(signature.bind((), {})) for _ in range(2))
        first["items"].append(1)
        first["more"]["a"] = 1
        assert second == {"items": [], "more": {}}

    def test_a_field_gives_its_default(self) -> None:
        def my_flow(n: int = Field(default=4)) -> None: ...

        assert Signature(my_flow).validate({}) == {"n": 4}


def test_further_arguments_are_not_checked() -> None:
    def my_flow(a: int, *args: int, **kwargs: int) -> None: ...

    signature = Signature(my_flow)
    bound = signature.validate(signature.bind(("1", "2"), {"q": "3"}))
    assert bound == {"a": 1, "args": ("2",), "kwargs": {"q": "3"}}
    assert signature.validate({"a": 1}) == {"a": 1, "args": (), "kwargs": {}}


def test_no_name_of_a_parameter_is_in_the_way() -> None:
    def my_flow(self: int, schema: int, json: int, _private: int, model_config: int, model_: int) -> None: ...

    names = ["self", "schema", "json", "_private", "model_config", "model_"]
    assert Signature(my_flow).validate(dict.fromkeys(names, "1")) == dict.fromkeys(names, 1)


class TestAnnotationsAsText:
    def test_they_are_resolved_where_the_function_was_written(self) -> None:
        def my_flow(m: "Model", n: "list[int]", f: "Callable[[], None] | None" = None) -> None: ...

        assert Signature(my_flow).validate({"m": {}, "n": ["1"]}) == {"m": Model(), "n": [1], "f": None}

    def test_names_of_an_enclosing_function_that_it_uses(self) -> None:
        class Local(BaseModel):
            x: int

        def my_flow(m: "Local") -> Any:
            return Local

        assert Signature(my_flow).validate({"m": {"x": "1"}})["m"] == Local(x=1)

    def test_type_parameters_of_the_function(self) -> None:
        def my_flow(n: "N", ns: "list[N]") -> Any: ...  # type: ignore[name-defined] # noqa: F821 - put in below, as 3.12 does

        # What `def my_flow[N: int](...)` does from Python 3.12 on.
        my_flow.__type_params__ = (TypeVar("N", bound=int),)  # type: ignore[attr-defined]
        assert Signature(my_flow).validate({"n": "1", "ns": ["2"]}) == {"n": 1, "ns": [2]}

    @pytest.mark.parametrize(
        "make", [lambda fn: fn, functools.partial, lambda fn: type("C", (), {"__call__": fn})()]
    )
    def test_in_all_kinds_of_callables(self, make: Callable[..., Any]) -> None:
        def my_flow(*_: Any, n: "int") -> None: ...

        assert Signature(make(my_flow)).validate({"n": "1"})["n"] == 1

    def test_what_cannot_be_resolved_is_not_checked(self) -> None:
        def my_flow(price: "Decimal", n: "int", x: "not even python" = None) -> None: ...  # type: ignore # noqa: F722

        signature = Signature(my_flow, "shop")
        with pytest.warns(UserWarning) as caught:
            assert signature.validate({"price": "1", "n": "2"}) == {"price": "1", "n": 2, "x": None}
        assert len(caught) == 2
        assert "Parameter 'price' of flow 'shop' is not validated" in str(caught[0].message)
        assert "name 'Decimal' is not defined" in str(caught[0].message)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            signature.validate({"price": "1", "n": "2"})

    def test_what_pydantic_cannot_use_is_not_checked(self) -> None:
        def my_flow(x: list["np.nope"]) -> None:  # type: ignore[name-defined]
            ...

        with pytest.warns(UserWarning, match="Parameter 'x' of flow 'my_flow' is not validated"):
            assert Signature(my_flow).validate({"x": 1}) == {"x": 1}


FITTING = """
import sys
from prefect.parameters.signature import Signature

class Plain: ...

def my_flow(n: int, names: list[str], o: "Plain | None" = None, d: dict[str, float] = {}, **kw: int): ...

Signature(my_flow).validate({"n": 1, "names": ["a"], "o": Plain(), "d": {"a": 0.5}})
print("pydantic" in sys.modules)
"""


def test_pydantic_is_not_loaded_for_what_fits(run_python: Callable[..., Any]) -> None:
    assert run_python("-c", FITTING).stdout.strip() == "False"


HINTS = st.recursive(
    st.sampled_from(
        [int, str, float, bool, bytes, None, Any, Model, Color, Literal[1, "a", True], Plain, complex]
    ),
    lambda inner: (
        inner.map(lambda hint: list[hint])  # type: ignore[valid-type]
        | inner.map(lambda hint: set[hint])  # type: ignore[valid-type]
        | inner.map(lambda hint: tuple[hint, ...])  # type: ignore[valid-type]
        | inner.map(lambda hint: tuple[hint, int])  # type: ignore[valid-type]
        | inner.map(lambda hint: dict[str, hint])  # type: ignore[valid-type]
        | inner.map(lambda hint: Sequence[hint])  # type: ignore[valid-type]
        | st.tuples(inner, inner).map(lambda pair: Union[pair])  # noqa: UP007
    ),
    max_leaves=4,
)
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(0, 2)
    | st.floats(0, 2)
    | st.sampled_from(["a", "1", "red", b"a", 1j])
)
VALUES = st.recursive(
    PLAIN | st.sampled_from([Model(), Color.RED, Plain(), {"x": 1}]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.lists(inner, max_size=2).map(tuple)
        | st.dictionaries(st.sampled_from(["a", "x"]), inner, max_size=2)
        | st.sets(PLAIN, max_size=2)
    ),
    max_leaves=4,
)


def by_pydantic(hint: Any, value: Any) -> Any:
    try:
        adapter = TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True))
    except PydanticUserError:  # a model has its own configuration
        adapter = TypeAdapter(hint)
    return adapter.validate_python(value)


@given(hint=HINTS, value=VALUES)
def test_agrees_with_pydantic(hint: Any, value: Any) -> None:
    try:
        expected = by_pydantic(hint, value)
    except ValidationError:
        with pytest.raises(ParameterTypeError):
            validated(hint, value)
    else:
        assert repr(validated(hint, value)) == repr(expected)


assert "Decimal" not in vars(sys.modules[__name__])
