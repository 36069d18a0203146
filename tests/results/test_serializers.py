"""Serializers: what is read equals what was written, or writing says why not."""

from __future__ import annotations

import enum
import json
import threading
import zlib
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, PrivateAttr
from pydantic.dataclasses import dataclass as pydantic_dataclass

from prefect.exceptions import SerializationError
from prefect.rules.hashing import hash_objects
from prefect.serializers import (
    CompressedSerializer,
    JSONSerializer,
    PickleSerializer,
    Serializer,
    prefect_json_object_decoder,
    prefect_json_object_encoder,
)
from prefect.settings import PREFECT_RESULTS_ALLOW_PICKLE, temporary_settings

texts = st.text(max_size=5) | st.just("__class__") | st.just("data")
hashable = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | texts
    | st.binary(max_size=5)
    | st.dates()
    | st.uuids(),
    lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3),
    max_leaves=4,
)
values = st.recursive(
    hashable
    | st.decimals(allow_nan=False)
    | st.timedeltas()
    | st.datetimes(timezones=st.none() | st.just(UTC) | st.just(ZoneInfo("Europe/Berlin")))
    | st.complex_numbers(allow_nan=False)
    | st.sets(hashable, max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(texts, inner, max_size=4)
        | st.dictionaries(hashable, inner, max_size=3)
        | st.tuples(inner, inner)
    ),
    max_leaves=12,
)


class Color(enum.Enum):
    RED = "red"
    CRIMSON = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    HIGH = 2


class Permission(enum.Flag):
    READ = 1
    WRITE = 2


class Address(BaseModel):
    street: str
    since: date | None = None


class Person(BaseModel):
    name: str
    address: Address
    scores: tuple[int, ...] = ()


class Secretive(BaseModel):
    a: int
    _hidden: int = PrivateAttr(default=1)


@dataclass(frozen=True)
class Point:
    x: int
    y: tuple[int, ...] = ()
    seen: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Slotted:
    x: int


@pydantic_dataclass
class Measured:
    x: int
    of: list[float] = field(default_factory=list)


@dataclass
class Names(dict):
    x: int = 1


def same(a: Any, b: Any) -> bool:
    """Equal, and of equal types all the way down; nan equals nan."""
    return hash_objects(a) == hash_objects(b)


@settings(max_examples=60, deadline=None)
@given(values)
def test_json_reads_exactly_what_was_written(value: Any) -> None:
    assert same(JSONSerializer().loads(JSONSerializer().dumps(value)), value)


@settings(max_examples=60, deadline=None)
@given(values)
def test_the_default_reads_exactly_what_was_written(value: Any) -> None:
    used, blob = Serializer(type="auto").encode(value)
    assert used.type == "json"
    assert same(Serializer(**used.model_dump()).loads(blob), value)
    assert same(Serializer(type="auto").loads(blob), value)


@pytest.mark.parametrize(
    "value",
    [
        Color.RED,
        Color.CRIMSON,
        Level.HIGH,
        Path("/a/b"),
        PurePosixPath("a"),
        bytearray(b"\x00\xff"),
        time(1, 2, fold=1),
        datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
        Person(name="Ada", address=Address(street="Here", since=date(2026, 1, 2)), scores=(1, 2)),
        Point(1, (2, 3), {"a"}),
        {"__class__": "tuple", "data": [1]},
        {1: {"__class__": 3}},
        2**300,
        -0.0,
    ],
    ids=repr,
)
def test_json_keeps_types(value: Any) -> None:
    read = JSONSerializer().loads(JSONSerializer().dumps(value))
    assert same(read, value)
    if isinstance(value, enum.Enum):
        assert read is value
    if isinstance(value, BaseModel):
        assert read.model_fields_set == value.model_fields_set


LOCAL = type("Local", (), {})()
LOOP: list[Any] = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (OrderedDict(a=1), "collections.OrderedDict"),
        (Counter("ab"), "collections.Counter"),
        (type("Text", (str,), {})("x"), "Text"),
        (Permission.READ | Permission.WRITE, "no single member"),
        (Secretive(a=1), "more than its fields"),
        (Names(), "more than its fields"),
        ([1, {"a": (LOCAL,)}], "Local"),
        (Person, "ModelMetaclass"),
        (threading.Lock(), "_thread.lock"),
        (LOOP, "contains itself"),
        ("\ud800", "surrogates"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_json_refuses_what_it_would_change(value: Any, said: str) -> None:
    with pytest.raises(SerializationError, match=said):
        JSONSerializer().dumps(value)


def test_dataclasses_of_pydantic_are_dataclasses() -> None:
    value = Measured(x=3, of=[1.5])
    read = JSONSerializer().loads(JSONSerializer().dumps(value))
    assert type(read) is Measured and read == value and same(read, value)
    assert hash_objects(Measured(x=4)) != hash_objects(Measured(x=3)) == hash_objects(Measured(x=3))


def test_a_field_that_is_not_set_is_refused() -> None:
    half = object.__new__(Slotted)
    with pytest.raises(SerializationError, match="x"):
        JSONSerializer().dumps(half)


def test_json_refuses_a_class_that_cannot_be_imported() -> None:
    @dataclass
    class Inner:
        x: int

    with pytest.raises(SerializationError, match="cannot be imported by its name"):
        JSONSerializer().dumps(Inner(1))
    assert Serializer(type="auto").encode(Inner(1))[0].type == "pickle"


@pytest.mark.parametrize(
    "blob",
    [b"", b"{", b"\xff", b'{"__class__": "os.system", "data": 1}', b'{"__class__": "set"}',
     b'{"__class__": 1}', b'{"__class__": "enum", "data": ["os:environ", "x"]}',
     b'{"__class__": "model", "data": ["os:PathLike", {}, []]}',
     b'{"__class__": "decimal", "data": "x"}', b'{"__class__": "set", "data": [[1]]}', b"[" * 100_000],
    ids=lambda blob: blob[:40].decode("latin1"),
)  # fmt: skip
def test_json_that_is_damaged_is_an_error(blob: bytes) -> None:
    with pytest.raises(SerializationError):
        JSONSerializer().loads(blob)


def test_what_json_cannot_hold_is_pickled_by_default() -> None:
    used, blob = Serializer(type="auto").encode({"f": lambda x: x + 1})
    assert used == PickleSerializer()
    assert used.loads(blob)["f"](1) == 2
    assert Serializer(type="auto").loads(blob)["f"](1) == 2


def test_pickles_can_be_forbidden() -> None:
    blob = PickleSerializer().dumps(1)
    with temporary_settings({PREFECT_RESULTS_ALLOW_PICKLE: False}):
        for act in (lambda: PickleSerializer().dumps(1), lambda: PickleSerializer().loads(blob)):
            with pytest.raises(SerializationError, match="PREFECT_RESULTS_ALLOW_PICKLE is off"):
                act()
        # Nor may what a file says of its serializer lead to one.
        for named in (
            {"type": "json", "jsonlib": "pickle"},
            {"type": "json", "object_decoder": "builtins.eval"},
            {"type": "compressed", "compressionlib": "zipfile"},
            {"type": "compressed/pickle", "compressionlib": "zlib"},
        ):
            with pytest.raises(SerializationError, match="PREFECT_RESULTS_ALLOW_PICKLE is off"):
                Serializer(**named).loads(zlib.compress(blob))
        assert JSONSerializer(dumps_kwargs={"indent": 1}).loads(b"[1]") == [1]
        with pytest.raises(SerializationError, match="OrderedDict"):
            Serializer(type="auto").dumps(OrderedDict())
        assert Serializer(type="auto").dumps([1]) == b"[1]"


def test_a_pickle_in_base64_is_read() -> None:
    assert PickleSerializer().loads(b"gAWVCgAAAAAAAAB9lIwBYZRLAXMu\n") == {"a": 1}


def test_pickle_errors_name_the_type_and_the_ways_out() -> None:
    with pytest.raises(SerializationError, match=r"'_thread\.lock' cannot be written.*persist_result=False"):
        PickleSerializer().dumps(threading.Lock())
    with pytest.raises(SerializationError, match="'pickle' cannot read"):
        PickleSerializer().loads(b"\x80\x05nonsense")


@pytest.mark.parametrize("library", ["bz2", "gzip", "lzma", "zlib"])
@pytest.mark.parametrize("inner", ["json", "pickle", "auto"])
def test_compression(library: str, inner: str) -> None:
    serializer = CompressedSerializer(serializer=inner, compressionlib=library)
    value = {"a": [1] * 1000}
    used, blob = serializer.encode(value)
    assert len(blob) < 1000
    assert Serializer(**json.loads(json.dumps(used.model_dump()))).loads(blob) == value
    with pytest.raises(SerializationError, match="compressed"):
        serializer.loads(b"nonsense")


def test_serializers_are_made_by_name() -> None:
    assert Serializer(type="json") == JSONSerializer() != PickleSerializer()
    assert Serializer(type="compressed/json").serializer == JSONSerializer()
    assert (
        Serializer(type="compressed/pickle", compressionlib="zlib").loads(
            CompressedSerializer(serializer="pickle", compressionlib="zlib").dumps(1)
        )
        == 1
    )
    assert Serializer(type="pickle", picklelib="pickle").dumps(1)
    assert (
        repr(PickleSerializer())
        == "PickleSerializer(type='pickle', picklelib='cloudpickle', picklelib_version=None)"
    )


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Serializer(type="nope"), "no serializer of type 'nope'; known are .*json"),
        (lambda: JSONSerializer(color=1), "no option color"),
        (lambda: JSONSerializer(type="pickle"), "is of type 'json'"),
        (lambda: PickleSerializer(picklelib="nowhere"), "'nowhere' is not installed"),
        (lambda: CompressedSerializer(compressionlib="nowhere"), "'nowhere' is not installed"),
        (lambda: JSONSerializer(jsonlib="nowhere"), "'nowhere' is not installed"),
        (lambda: JSONSerializer(dumps_kwargs={"default": str}), "object_encoder"),
        (lambda: Serializer(), "needs its type"),
    ],
)  # fmt: skip
def test_wrong_options_are_said(make: Any, said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        make()


def test_a_serializer_of_ones_own() -> None:
    class Shouting(Serializer[str]):
        type: str = "shouting"
        mark: str = "!"

        def dumps(self, obj: str) -> bytes:
            return (obj.upper() + self.mark).encode()

        def loads(self, blob: bytes) -> str:
            return blob.decode().removesuffix(self.mark).lower()

    made = Serializer(type="shouting", mark="?")
    assert made == Shouting(mark="?") and made.dumps("hi") == b"HI?" and made.loads(b"HI?") == "hi"
    assert made.model_dump() == {"type": "shouting", "mark": "?"}
    assert Shouting().model_dump() == {"type": "shouting"}


def test_json_with_another_library_and_options() -> None:
    indented = JSONSerializer(dumps_kwargs={"indent": 1})
    assert indented.dumps({"a": {1}}).startswith(b'{\n "a"')
    assert indented.loads(indented.dumps({"a": {1}, "b": [UUID(int=1)]})) == {"a": {1}, "b": [UUID(int=1)]}
    plain = JSONSerializer(object_encoder=None, object_decoder=None)
    assert plain.loads(b'{"__class__": "tuple", "data": []}') == {"__class__": "tuple", "data": []}
    with pytest.raises(SerializationError, match="set"):
        plain.dumps({1})
    with pytest.raises(SerializationError, match="'json' cannot read"):
        plain.loads(b"{")


def test_the_public_json_hooks() -> None:
    text = json.dumps(
        {"when": datetime(2026, 1, 2, tzinfo=UTC), "d": Decimal("1.10")}, default=prefect_json_object_encoder
    )
    read = json.loads(text, object_hook=prefect_json_object_decoder)
    assert read == {"when": datetime(2026, 1, 2, tzinfo=UTC), "d": Decimal("1.10")}
    assert same(read["d"], Decimal("1.10")) and timedelta(1)
