"""The JSON schema of parameters."""

from datetime import date
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel, Field, SecretStr

from prefect.parameters.json_schema import parameter_schema


class Model(BaseModel):
    x: int = 1


def other_model() -> type[BaseModel]:
    class Model(BaseModel):
        y: str

    return Model


def test_each_parameter_has_its_place_type_and_default() -> None:
    items: Any = [1]

    def my_flow(  # type: ignore[no-untyped-def]
        n: int, b, c: list[int] = items, d: "date | None" = None, e: float = Field(default=1.5)
    ) -> None: ...

    assert parameter_schema(my_flow) == {
        "title": "Parameters",
        "type": "object",
        "properties": {
            "n": {"type": "integer", "position": 0, "title": "n"},
            "b": {"position": 1, "title": "b"},
            "c": {"type": "array", "items": {"type": "integer"}, "default": [1], "position": 2, "title": "c"},
            "d": {
                "anyOf": [{"type": "string", "format": "date"}, {"type": "null"}],
                "default": None,
                "position": 3,
                "title": "d",
            },
            "e": {"type": "number", "default": 1.5, "position": 4, "title": "e"},
        },
        "required": ["n", "b"],
        "definitions": {},
    }


def test_models_are_definitions() -> None:
    default = Model(x=2)

    def my_flow(m: Model, n: list[Model], o: Model = default) -> None: ...

    schema = parameter_schema(my_flow)
    assert schema["properties"]["m"] == {"$ref": "#/definitions/Model", "position": 0, "title": "m"}
    assert schema["properties"]["n"]["items"] == {"$ref": "#/definitions/Model"}
    assert schema["properties"]["o"]["default"] == {"x": 2}
    assert schema["definitions"]["Model"]["properties"] == {
        "x": {"default": 1, "title": "X", "type": "integer"}
    }


def test_models_of_one_name_have_definitions_of_their_own() -> None:
    def my_flow(m, n) -> None: ...  # type: ignore[no-untyped-def]

    my_flow.__annotations__ = {"m": Model, "n": other_model()}
    schema = parameter_schema(my_flow)
    first, second = (schema["properties"][name]["$ref"].rsplit("/", 1)[1] for name in ("m", "n"))
    assert set(schema["definitions"][first]["properties"]) == {"x"}
    assert set(schema["definitions"][second]["properties"]) == {"y"}


def test_what_has_no_json_form_may_be_anything() -> None:
    default = object()

    def my_flow(a: np.ndarray, b: Any = default, c: SecretStr = SecretStr("hunter2")) -> None: ...

    properties = parameter_schema(my_flow)["properties"]
    assert properties["a"] == {"position": 0, "title": "a"}
    assert properties["b"] == {"position": 1, "title": "b"}
    assert "hunter2" not in str(properties)


def test_further_arguments_are_not_required() -> None:
    def my_flow(*args: int, **kwargs: int) -> None: ...

    schema = parameter_schema(my_flow)
    assert schema["required"] == []
    assert [schema["properties"][name]["type"] for name in ("args", "kwargs")] == ["array", "object"]


def test_methods_have_no_self() -> None:
    class Owner:
        def my_flow(self, n: int) -> None: ...

    assert list(parameter_schema(Owner().my_flow)["properties"]) == ["n"]


def google(n: int, m: int = 0, *args: int) -> None:
    """Do it.

    Args:
        n: How many,
            at least one: always.
        m (int): More.
        *args: Others.

    Returns:
        n: not this.
    """


def sphinx(n: int, m: int = 0) -> None:
    """Do it.

    :param n: How many, at least one: always.
    :param int m: More.
    """


@pytest.mark.parametrize("fn", [google, sphinx])
def test_descriptions_come_from_the_docstring(fn: Any) -> None:
    properties = parameter_schema(fn)["properties"]
    assert properties["n"]["description"] == "How many, at least one: always."
    assert properties["m"]["description"] == "More."
    if fn is google:
        assert properties["args"]["description"] == "Others."
