"""`Schema`, the base of the data model, and the one way values are turned into JSON."""

from __future__ import annotations

import sys

# msgspec asks typing_extensions for `get_type_hints` when it is installed, which costs more time than the
# rest of `from prefect import flow, task` together; from Python 3.11 on `typing` has all that msgspec needs
# of it.
_hidden = "typing_extensions" not in sys.modules and "msgspec" not in sys.modules
if _hidden:
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]
try:
    import msgspec
finally:
    if _hidden:
        del sys.modules["typing_extensions"]

from collections.abc import Collection  # noqa: E402 - msgspec comes first
from datetime import timedelta  # noqa: E402 - as above
from threading import RLock  # noqa: E402 - as above
from typing import Annotated, Any, ClassVar, Self, TypeVar, cast  # noqa: E402 - as above

__all__ = ["LARGEST", "Finite", "FrozenSchema", "Modelled", "Schema", "encode_json", "jsonable", "whole"]

T = TypeVar("T")

LARGEST = sys.float_info.max
"""The largest number that is one: JSON has no word for others, so that none could be read again."""
Finite = Annotated[float, msgspec.Meta(ge=-LARGEST, le=LARGEST)]
"""A number that a client gives; msgspec takes the texts `nan` and `inf` for numbers too."""

_looking = RLock()
_whole: set[Any] = set()


def whole(wanted: T) -> T:
    """Return a type that msgspec has looked at as a whole: before it reads one, it must be given to this.

    msgspec (0.22) looks at a struct when it is to read the first, and lets other threads see what it has half
    looked at by then. They end the process by a segmentation fault.

    Args:
        wanted: What is to be read: a struct, or a type with structs in it.
    """
    if wanted not in _whole:
        with _looking:
            msgspec.json.Decoder(wanted)
        _whole.add(wanted)
    return wanted


def _encode_unknown(value: Any) -> Any:
    """Give the JSON form of what msgspec does not know: pydantic models, secrets, then plain text.

    pydantic's secret types print as asterisks, so no secret passes here.
    """
    if isinstance(value, timedelta):
        # A subclass of it: see `prefect.types.durations`.
        return value.total_seconds()
    dump = getattr(value, "model_dump", None)
    if dump is not None and not isinstance(value, type):
        return dump(mode="json")
    return str(value)


def encode_json(value: Any) -> bytes:
    """Encode a value as JSON; what has no JSON form becomes its text.

    Args:
        value: Any value. Keys of mappings that are no text become text.

    Returns:
        UTF-8 JSON.
    """
    return _ENCODER.encode(value)


_ENCODER = msgspec.json.Encoder(enc_hook=_encode_unknown, decimal_format="string")


def jsonable(value: Any) -> Any:
    """Return the JSON form of a value as plain dicts, lists, texts and numbers.

    Args:
        value: Any value; what has no JSON form becomes its text.
    """
    return msgspec.to_builtins(value, str_keys=True, enc_hook=_encode_unknown)


class Modelled:
    """What the data model answers besides being structs: pydantic's most used methods."""

    __slots__ = ()
    __struct_fields__: ClassVar[tuple[str, ...]]

    @classmethod
    def model_construct(cls, _fields_set: Collection[str] | None = None, **values: Any) -> Self:
        """Make an object without any check; fields that are required and not given are None."""
        known = cls.__struct_fields__
        required = (field.name for field in _fields(cls) if field.required)
        filled = dict.fromkeys((name for name in required if name not in values), None)
        return cls(**filled, **{name: value for name, value in values.items() if name in known})

    @classmethod
    def model_validate(cls, obj: Any, **_options: Any) -> Self:
        """Make an object from a mapping or another object, with checks and the usual coercions.

        Raises:
            msgspec.ValidationError: A field is missing or does not fit; the text names its path.
        """
        if isinstance(obj, cls):
            return obj
        return msgspec.convert(obj, whole(cls), strict=False, from_attributes=True)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes) -> Self:
        """Make an object from JSON text.

        Raises:
            msgspec.ValidationError: A field is missing or does not fit; the text names its path.
        """
        return msgspec.json.decode(json_data, type=whole(cls), strict=False)

    def model_dump(
        self,
        *,
        mode: str = "python",
        include: Collection[str] | None = None,
        exclude: Collection[str] | None = None,
        exclude_none: bool = False,
        exclude_unset: bool = False,
        exclude_defaults: bool = False,
        **_options: Any,
    ) -> dict[str, Any]:
        """Return the fields as a dict; nested objects too.

        Args:
            mode: `python` keeps ids and times as objects, `json` writes them as text.
            include: Only these fields.
            exclude: Not these fields.
            exclude_none: Leave out fields that are None.
            exclude_unset: Leave out fields with their default value (what was set is not remembered apart).
            exclude_defaults: The same.
        """
        skip_defaults = exclude_unset or exclude_defaults
        dumped: dict[str, Any] = {}
        defaults = _defaults_of(type(self)) if skip_defaults else {}
        for name in self.__struct_fields__:
            if (include is not None and name not in include) or (exclude is not None and name in exclude):
                continue
            value = getattr(self, name)
            if (exclude_none and value is None) or (
                skip_defaults and name in defaults and value == defaults[name]
            ):
                continue
            dumped[name] = jsonable(value) if mode == "json" else _plain(value)
        return dumped

    def model_dump_json(self, *, indent: int | None = None, **options: Any) -> str:
        """Return the object as JSON text; options are those of `model_dump`."""
        encoded = encode_json(self.model_dump(mode="json", **options))
        return (msgspec.json.format(encoded, indent=indent) if indent else encoded).decode()

    def model_copy(self, *, update: dict[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy, with some fields changed.

        Args:
            update: Fields to change.
            deep: Copy nested objects too.
        """
        changed = update or {}
        struct: Any = self
        if deep:
            from copy import deepcopy  # noqa: PLC0415 - rarely used, and 3 ms of every start

            struct = deepcopy(self)
        return cast(Self, msgspec.structs.replace(struct, **changed))


class Schema(Modelled, msgspec.Struct, kw_only=True):
    """Base of the data model."""


class FrozenSchema(Modelled, msgspec.Struct, kw_only=True, frozen=True):
    """Base of those parts of the data model that never change, and so may be shared."""


def _plain(value: Any) -> Any:
    if isinstance(value, Modelled):
        return value.model_dump()
    if isinstance(value, list | tuple | set):
        return type(value)(_plain(item) for item in value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _fields(cls: type[Any]) -> tuple[Any, ...]:
    return msgspec.structs.fields(cls)


def _defaults_of(cls: type[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(cls):
        if field.default is not msgspec.NODEFAULT:
            found[field.name] = field.default
        elif field.default_factory is not msgspec.NODEFAULT:
            found[field.name] = field.default_factory()
    return found
