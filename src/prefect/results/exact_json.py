"""JSON that gives back exactly what was written, or refuses.

JSON has six types; Python's other common ones are written as `{"__class__": tag, "data": ...}`. A value of
any other type, even a subclass of a known one, is refused with its type's name: what is read must never
differ from what was written. Reading makes no objects but those of the tags below, and enums, pydantic models
and dataclasses, whose fields are set without running any of their code.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from importlib import import_module
from math import isfinite
from pathlib import Path, PurePosixPath
from types import NoneType
from typing import Any
from uuid import UUID

import msgspec

from prefect.exceptions import SerializationError

__all__ = ["decode_exact", "encode_exact", "from_tag", "to_tag"]

TAG = "__class__"
_PLAIN = frozenset({NoneType, bool, int, str})
_ENCODER = msgspec.json.Encoder()


def encode_exact(value: Any) -> bytes:
    """Write a value as JSON from which `decode_exact` makes an equal value of the same types.

    Args:
        value: The value.

    Returns:
        UTF-8 JSON.

    Raises:
        prefect.exceptions.SerializationError: The value, or one inside it, has no exact form; the text names
            its type.
    """
    try:
        return _ENCODER.encode(_write(value))
    except RecursionError as error:
        raise SerializationError(
            f"Cannot write a {type(value).__name__!r} as JSON: it contains itself, or is nested too deeply."
        ) from error
    except (ValueError, AttributeError) as error:  # no valid Unicode, an int of 4,300 digits, a field not set
        raise SerializationError(f"Cannot write a {type(value).__name__!r} as JSON: {error}.") from error


def decode_exact(text: bytes | str) -> Any:
    """Read what `encode_exact` wrote; any other JSON gives plain dicts, lists, texts and numbers.

    Raises:
        prefect.exceptions.SerializationError: It is not JSON, or a tag is not known.
    """
    try:
        plain = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SerializationError(f"This is not JSON: {error}.") from error
    return _read(plain)


def to_tag(value: Any) -> Any:
    """Return the tagged form of a value that JSON itself has no type for.

    Raises:
        prefect.exceptions.SerializationError: The value has no exact form.
    """
    kind = type(value)
    tagged = _WRITERS.get(kind)
    if tagged is not None:
        tag, write = tagged
        return {TAG: tag, "data": write(value)}
    if isinstance(value, Enum):
        return _write_enum(value)
    if hasattr(kind, "__pydantic_root_model__") and not isinstance(value, type):
        return _write_model(value)
    if hasattr(kind, "__dataclass_fields__") and not isinstance(value, type):
        return _write_dataclass(value)
    raise SerializationError(
        f"A value of type '{kind.__module__}.{kind.__qualname__}' cannot be written as JSON without loss. "
        'Use the serializer "pickle", or return plain data.'
    )


def from_tag(tagged: dict[str, Any]) -> Any:
    """Return the value of a tagged form whose `data` was read already, or a dict without a tag as it is.

    Raises:
        prefect.exceptions.SerializationError: The tag is not known, or does not fit its data.
    """
    tag = tagged.get(TAG)
    if tag is None:
        return tagged
    read = _READERS.get(tag)
    if read is None:
        raise SerializationError(f"JSON names a type that is not known here: {tag!r}.")
    try:
        return read(tagged["data"])
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise SerializationError(f"JSON has no valid value of type {tag!r}: {error!r}.") from error


def _write(value: Any) -> Any:
    kind = type(value)
    if kind in _PLAIN or (kind is float and isfinite(value)):
        return value
    if kind is list:
        return value if set(map(type, value)) <= _PLAIN else [_write(item) for item in value]
    if kind is dict and set(map(type, value)) <= {str} and TAG not in value:
        return {key: _write(item) for key, item in value.items()}
    return to_tag(value)


def _read(plain: Any) -> Any:
    kind = type(plain)
    if kind is list:
        return plain if set(map(type, plain)) <= _PLAIN else [_read(item) for item in plain]
    if kind is dict:
        return from_tag({key: _read(item) for key, item in plain.items()})
    return plain


def _write_bytes(value: bytes | bytearray) -> str:
    return b2a_base64(value, newline=False).decode()


def _write_items(value: Any) -> list[Any]:
    return [_write(item) for item in value]


def _write_pairs(value: dict[Any, Any]) -> list[Any]:
    return [[_write(key), _write(item)] for key, item in value.items()]


def _read_pairs(data: list[Any]) -> dict[Any, Any]:
    return {key: item for key, item in data}  # noqa: C416 - dict() would take any two-letter text for a pair


def _write_time(value: datetime | time) -> Any:
    zone = value.tzinfo
    if zone is None or type(zone).__module__ == "datetime":
        return [value.isoformat(), value.fold, None]
    key = getattr(zone, "key", None)
    if type(zone).__module__.partition(".")[0] != "zoneinfo" or key is None:
        raise SerializationError(
            f"A time in a zone of type {type(zone).__name__!r} cannot be written as JSON."
        )
    return [value.replace(tzinfo=None).isoformat(), value.fold, key]


def _read_time(kind: type[datetime] | type[time]) -> Callable[[Any], Any]:
    def read(data: Any) -> Any:
        text, fold, key = data
        moment = kind.fromisoformat(text).replace(fold=fold)
        if key is None:
            return moment
        from zoneinfo import ZoneInfo  # noqa: PLC0415 - few results hold times in named zones

        return moment.replace(tzinfo=ZoneInfo(key))

    return read


def _class_name(kind: type) -> str:
    """Return the name by which the class is found again, `module:Outer.Inner`."""
    name = f"{kind.__module__}:{kind.__qualname__}"
    # What the main script defines is found only while that same script runs.
    if kind.__module__ != "__main__" and _find_class(name) is kind:
        return name
    raise SerializationError(
        f"The class {name!r} cannot be imported by its name, so JSON cannot refer to it."
    )


def _find_class(name: str) -> Any:
    module, _, path = name.partition(":")
    try:
        found: Any = import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return None
    return found


def _known_class(name: str, mark: str) -> Any:
    kind = _find_class(name)
    if not isinstance(kind, type) or not hasattr(kind, mark):
        raise SerializationError(f"The class {name!r}, of which a result is, is no longer there.")
    return kind


def _write_enum(value: Enum) -> Any:
    kind = type(value)
    if kind.__members__.get(value.name) is not value:
        raise SerializationError(f"The value {value!r} is no single member of its enum.")
    return {TAG: "enum", "data": [_class_name(kind), value.name]}


def _read_enum(data: Any) -> Any:
    name, member = data
    return _known_class(name, "__members__")[member]


def _write_model(value: Any) -> Any:
    kind = type(value)
    extra = value.__pydantic_extra__ or value.__pydantic_private__
    if extra or value.__dict__.keys() != kind.__pydantic_fields__.keys():
        raise SerializationError(
            f"The model {kind.__qualname__!r} holds more than its fields: JSON loses that."
        )
    return {
        TAG: "model",
        "data": [_class_name(kind), _write(value.__dict__), sorted(value.__pydantic_fields_set__)],
    }


def _read_model(data: Any) -> Any:
    name, fields, given = data
    kind = _known_class(name, "__pydantic_root_model__")
    made = kind.__new__(kind)
    made.__setstate__(
        {
            "__dict__": fields,
            "__pydantic_fields_set__": set(given),
            "__pydantic_extra__": {} if kind.model_config.get("extra") == "allow" else None,
            "__pydantic_private__": {} if kind.__private_attributes__ else None,
        }
    )
    return made


def _write_dataclass(value: Any) -> Any:
    kind: Any = type(value)
    names = kind.__dataclass_fields__
    if kind.__new__ is not object.__new__ or getattr(value, "__dict__", names).keys() != names.keys():
        raise SerializationError(
            f"The dataclass {kind.__qualname__!r} holds more than its fields: JSON loses that."
        )
    fields = {name: getattr(value, name) for name in names}
    return {TAG: "dataclass", "data": [_class_name(kind), _write(fields)]}


def _read_dataclass(data: Any) -> Any:
    name, fields = data
    kind = _known_class(name, "__dataclass_fields__")
    made = object.__new__(kind)
    for field, value in fields.items():
        object.__setattr__(made, field, value)  # a frozen one refuses setattr()
    return made


_WRITERS: dict[type, tuple[str, Callable[[Any], Any]]] = {
    float: ("float", repr),  # only nan and the infinities come here
    tuple: ("tuple", _write_items),
    set: ("set", _write_items),
    frozenset: ("frozenset", _write_items),
    dict: ("dict", _write_pairs),  # other keys than texts, or the tag itself for a key
    bytes: ("bytes", _write_bytes),
    bytearray: ("bytearray", _write_bytes),
    complex: ("complex", lambda value: [repr(value.real), repr(value.imag)]),
    datetime: ("datetime", _write_time),
    time: ("time", _write_time),
    date: ("date", date.isoformat),
    timedelta: ("timedelta", lambda value: [value.days, value.seconds, value.microseconds]),
    UUID: ("uuid", str),
    Decimal: ("decimal", str),
    type(Path()): ("path", str),
    PurePosixPath: ("pure path", str),
}
_READERS: dict[str, Callable[[Any], Any]] = {
    "float": float,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "dict": _read_pairs,
    "bytes": lambda data: a2b_base64(data, strict_mode=True),
    "bytearray": lambda data: bytearray(a2b_base64(data, strict_mode=True)),
    "complex": lambda data: complex(float(data[0]), float(data[1])),
    "datetime": _read_time(datetime),
    "time": _read_time(time),
    "date": date.fromisoformat,
    "timedelta": lambda data: timedelta(*data),
    "uuid": UUID,
    "decimal": Decimal,
    "path": Path,
    "pure path": PurePosixPath,
    "enum": _read_enum,
    "model": _read_model,
    "dataclass": _read_dataclass,
}
