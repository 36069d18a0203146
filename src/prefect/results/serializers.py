"""Serializers: how a result becomes bytes, and bytes a result.

A serializer has a `type`: by it users choose the serializer, and a result's file says how it was written.
"""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar, Generic, TypeVar, cast

from prefect.exceptions import SerializationError
from prefect.results.exact_json import decode_exact, encode_exact, from_tag, to_tag
from prefect.settings import get_current_settings

__all__ = [
    "AutoSerializer",
    "CompressedJSONSerializer",
    "CompressedPickleSerializer",
    "CompressedSerializer",
    "JSONSerializer",
    "PickleSerializer",
    "Serializer",
    "prefect_json_object_decoder",
    "prefect_json_object_encoder",
    "resolve_serializer",
]

D = TypeVar("D")
_KNOWN: dict[str, type[Serializer[Any]]] = {}
_SAFE_LIBRARIES = frozenset({"json", "orjson", "ujson", "simplejson", "bz2", "gzip", "lzma", "zlib"})
_DECODER = "prefect.serializers.prefect_json_object_decoder"


class Serializer(Generic[D]):
    """Base of the serializers. `Serializer(type="json")` makes the one of that name.

    A subclass names its `type`, declares its options as annotated attributes with defaults, and defines
    `dumps` and `loads`. Defining it makes it known by its name.
    """

    type: str
    _options: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = {name: getattr(cls, name, None) for name in cls.__annotations__ if name[0] != "_"}
        cls._options = {**cls._options, **own}
        if isinstance(name := getattr(cls, "type", None), str):
            cls._options["type"] = name
            _KNOWN[name] = cls

    def __new__(cls, **options: Any) -> Serializer[Any]:
        """Make the serializer of the given type where the base is called."""
        return object.__new__(_class_of(options.get("type")) if cls is Serializer else cls)

    def __init__(self, **options: Any) -> None:
        unknown = options.keys() - self._options.keys()
        if unknown:
            known = ", ".join(self._options)
            raise TypeError(
                f"{type(self).__name__} has no option {', '.join(sorted(unknown))}; it has {known}."
            )
        if options.get("type", self.type) != self.type:
            raise ValueError(f"{type(self).__name__} is of type {self.type!r}, not {options['type']!r}.")
        for name, default in self._options.items():
            value = options.get(name, default)
            self.__dict__[name] = value.copy() if isinstance(value, dict | list) else value

    def dumps(self, obj: D) -> bytes:
        """Write a value.

        Raises:
            prefect.exceptions.SerializationError: The value cannot be written.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how it writes: define dumps().")

    def loads(self, blob: bytes) -> D:
        """Read what `dumps` wrote.

        Raises:
            prefect.exceptions.SerializationError: The bytes cannot be read.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how it reads: define loads().")

    def encode(self, obj: D) -> tuple[Serializer[D], bytes]:
        """Write a value, and say which serializer reads it; this one, unless it chose another."""
        return self, self.dumps(obj)

    def model_dump(self, **_options: Any) -> dict[str, Any]:
        """Return the type, and the options that differ from their defaults, as plain values."""
        dumped: dict[str, Any] = {"type": self.type}
        for name, default in self._options.items():
            value = getattr(self, name)
            if name != "type" and value != default:
                dumped[name] = value.model_dump() if isinstance(value, Serializer) else value
        return dumped

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(self.type)

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._options)
        return f"{type(self).__name__}({options})"


def _class_of(name: Any) -> type[Serializer[Any]]:
    if not isinstance(name, str):
        raise TypeError('A serializer needs its type: Serializer(type="json").')
    found = _KNOWN.get(name)
    if found is None:
        known = ", ".join(sorted(_KNOWN))
        raise ValueError(
            f"There is no serializer of type {name!r}; known are {known}. "
            "If the type is your own, import the module that defines it first."
        )
    return found


def resolve_serializer(serializer: str | Mapping[str, Any] | Serializer[Any]) -> Serializer[Any]:
    """Return a serializer for what users give in its place.

    Args:
        serializer: A serializer, the name of its type, or its settings with `type` among them.

    Raises:
        ValueError: There is no serializer of that type.
    """
    if isinstance(serializer, Serializer):
        return serializer
    if isinstance(serializer, str):
        return Serializer(type=serializer)
    if isinstance(serializer, Mapping):
        return Serializer(**serializer)
    raise TypeError(f"A serializer is given by its name or as an object, not as {serializer!r}.")


def prefect_json_object_encoder(obj: Any) -> Any:
    """Return the tagged JSON form of a value that JSON has no type for; for `json.dumps(default=...)`."""
    return to_tag(obj)


def prefect_json_object_decoder(result: dict[str, Any]) -> Any:
    """Return the value of a tagged JSON form; for `json.loads(object_hook=...)`."""
    return from_tag(result)


class JSONSerializer(Serializer[D]):
    """Writes JSON that reads back exactly; a value that would not is refused.

    With other options than the defaults the named library does it, by its rules: tuples then read as lists.
    """

    type: str = "json"
    jsonlib: str = "json"
    object_encoder: str | None = "prefect.serializers.prefect_json_object_encoder"
    """The dotted name of a function that turns what JSON has no type for into what it has."""
    object_decoder: str | None = _DECODER
    """The dotted name of a function that each dict is given to when it was read."""
    dumps_kwargs: dict[str, Any] = {}  # noqa: RUF012 - copied into each serializer
    loads_kwargs: dict[str, Any] = {}  # noqa: RUF012

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if "default" in self.dumps_kwargs or "object_hook" in self.loads_kwargs:
            raise ValueError("Give `object_encoder` and `object_decoder`, not `default` and `object_hook`.")
        _check_library(self.jsonlib, "JSON")
        self._exact = len(self.model_dump()) == 1

    def dumps(self, obj: D) -> bytes:
        """Write a value as JSON."""
        if self._exact:
            return encode_exact(obj)
        options = dict(self.dumps_kwargs)
        if self.object_encoder:
            options["default"] = _import_function(self.object_encoder)
        try:
            text = import_module(self.jsonlib).dumps(obj, **options)
        except (TypeError, ValueError, RecursionError) as error:
            raise _not_written(obj, self.type, error) from error
        return text.encode() if isinstance(text, str) else cast(bytes, text)

    def loads(self, blob: bytes) -> D:
        """Read a value from JSON."""
        if self._exact:
            return cast(D, decode_exact(blob))
        if self.jsonlib not in _SAFE_LIBRARIES or self.object_decoder not in (None, _DECODER):
            _refuse_unless_allowed(f"JSON that is read by {self.jsonlib!r} and {self.object_decoder!r}")
        try:
            plain = import_module(self.jsonlib).loads(blob, **self.loads_kwargs)
        except (TypeError, ValueError, RecursionError) as error:
            raise _not_read(self.type, error) from error
        return cast(
            D, _decoded(plain, _import_function(self.object_decoder)) if self.object_decoder else plain
        )


def _decoded(plain: Any, decode: Any) -> Any:
    # By hand, since not every JSON library has an object_hook.
    if isinstance(plain, list):
        return [_decoded(item, decode) for item in plain]
    if isinstance(plain, dict):
        return decode({key: _decoded(item, decode) for key, item in plain.items()})
    return plain


class PickleSerializer(Serializer[D]):
    """Writes pickles, of nearly any value. Reading one runs code: only read what you trust."""

    type: str = "pickle"
    picklelib: str = "cloudpickle"
    """A module with `dumps` and `loads`."""
    picklelib_version: str | None = None
    """Accepted for the interface's sake; pickles say themselves how they are read."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        _check_library(self.picklelib, "pickle")

    def dumps(self, obj: D) -> bytes:
        """Write a value as a pickle."""
        library = self._library("written")
        try:
            return cast(bytes, library.dumps(obj))
        except Exception as error:  # a pickle runs the value's own code
            raise _not_written(obj, self.type, error) from error

    def loads(self, blob: bytes) -> D:
        """Read a value from a pickle, or from one in base64, as other implementations write it."""
        library = self._library("read")
        try:
            return cast(D, library.loads(blob if blob[:1] == b"\x80" else a2b_base64(blob)))
        except Exception as error:  # a pickle runs the value's own code
            raise _not_read(self.type, error) from error

    def _library(self, what: str) -> Any:
        _refuse_unless_allowed(f"A pickle, which is {what} by {self.picklelib!r},")
        return import_module(self.picklelib)


class AutoSerializer(Serializer[D]):
    """Writes JSON where the value reads back exactly, and a pickle otherwise. The default."""

    type: str = "auto"

    def encode(self, obj: D) -> tuple[Serializer[D], bytes]:
        """Write a value, and say whether as JSON or as a pickle."""
        try:
            return _JSON.encode(obj)
        except SerializationError as no_json:
            if get_current_settings().results.allow_pickle:
                return _PICKLE.encode(obj)
            raise SerializationError(
                f"{no_json} (Pickles are off: PREFECT_RESULTS_ALLOW_PICKLE.)"
            ) from no_json

    def dumps(self, obj: D) -> bytes:
        """Write a value."""
        return self.encode(obj)[1]

    def loads(self, blob: bytes) -> D:
        """Read a value; a pickle begins with a byte that begins no JSON."""
        return cast(D, (_PICKLE if blob[:1] == b"\x80" else _JSON).loads(blob))


class CompressedSerializer(Serializer[D]):
    """Compresses what another serializer writes."""

    type: str = "compressed"
    serializer: Serializer[Any] | str = "auto"
    compressionlib: str = "lzma"
    """A module with `compress` and `decompress`: bz2, gzip, lzma, zlib …"""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.serializer = resolve_serializer(self.serializer)
        _check_library(self.compressionlib, "compression")

    def encode(self, obj: D) -> tuple[Serializer[D], bytes]:
        """Write a value, and say how the inner serializer wrote it."""
        given = resolve_serializer(self.serializer)
        inner, blob = given.encode(obj)
        outer = self
        if inner is not given:
            outer = CompressedSerializer(serializer=inner, compressionlib=self.compressionlib)
        return outer, cast(bytes, import_module(self.compressionlib).compress(blob))

    def dumps(self, obj: D) -> bytes:
        """Write a value and compress it."""
        return self.encode(obj)[1]

    def loads(self, blob: bytes) -> D:
        """Decompress and read a value."""
        if self.compressionlib not in _SAFE_LIBRARIES:
            _refuse_unless_allowed(f"What is decompressed by {self.compressionlib!r}")
        try:
            plain = import_module(self.compressionlib).decompress(blob)
        except Exception as error:  # each library has errors of its own
            raise _not_read(self.type, error) from error
        return cast(D, resolve_serializer(self.serializer).loads(plain))


class CompressedPickleSerializer(CompressedSerializer[D]):
    """Compressed pickles."""

    type: str = "compressed/pickle"
    serializer: Serializer[Any] | str = "pickle"


class CompressedJSONSerializer(CompressedSerializer[D]):
    """Compressed JSON."""

    type: str = "compressed/json"
    serializer: Serializer[Any] | str = "json"


def _refuse_unless_allowed(what: str) -> None:
    # A file names what reads it: with pickles off, it must not name code that is as good as a pickle.
    if not get_current_settings().results.allow_pickle:
        raise SerializationError(
            f"{what} is refused: PREFECT_RESULTS_ALLOW_PICKLE is off. "
            "Return a value that JSON can hold, or turn the setting on."
        )


def _check_library(name: str, what: str) -> None:
    if name in {"json", "cloudpickle", "pickle", "lzma"}:
        return
    from importlib.util import find_spec  # noqa: PLC0415 - only for libraries of the user's choice

    if find_spec(name) is None:
        raise ValueError(f"The {what} library {name!r} is not installed.")


def _import_function(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return getattr(import_module(module), attribute)


def _not_written(obj: Any, kind: str, error: Exception) -> SerializationError:
    return SerializationError(
        f"A value of type '{type(obj).__module__}.{type(obj).__qualname__}' cannot be written by the "
        f"serializer {kind!r}: {error}. Return another value, choose another serializer "
        "(result_serializer=...), or do not keep the result (persist_result=False)."
    )


def _not_read(kind: str, error: Exception) -> SerializationError:
    return SerializationError(f"The serializer {kind!r} cannot read this: {error!r}.")


_JSON: JSONSerializer[Any] = JSONSerializer()
_PICKLE: PickleSerializer[Any] = PickleSerializer()
