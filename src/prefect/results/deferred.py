"""What a task run that waits for a worker is to be called with: kept beside results until a worker reads it.

It is written in the form in which other implementations of the interface write and read it too. It is a
pickle, since arguments are any values; it never passes through a server.
"""

from __future__ import annotations

import pickle
from binascii import a2b_base64
from io import BytesIO
from typing import Any
from uuid import UUID

import msgspec

from prefect.exceptions import SerializationError
from prefect.results.record_file import encode_shared_record
from prefect.results.serializers import PickleSerializer
from prefect.results.store import ResultStore, read_record, write_file
from prefect.rules.inputs import find
from prefect.schemas.results import ResultRecordMetadata
from prefect.settings import get_current_settings
from prefect.version import __version__

__all__ = ["keep_parameters", "kept_parameters"]

_SAME_EVERYWHERE = frozenset({"prefect.futures", "prefect.utilities.annotations"})
"""Modules whose objects all implementations read."""


def keep_parameters(store: ResultStore, identifier: UUID, content: dict[str, Any]) -> None:
    """Keep what a task run is to be called with.

    Args:
        store: The result store of the task.
        identifier: What the state of the run calls it.
        content: `parameters`; perhaps `wait_for` and what is to be known of the run around.

    Raises:
        prefect.exceptions.SerializationError: An argument cannot be pickled.
        prefect.exceptions.StoreUnavailable: The storage cannot be written.
    """
    serializer: PickleSerializer[Any] = PickleSerializer()
    payload = serializer.dumps(content)
    metadata = ResultRecordMetadata(
        storage_key=str(identifier), serializer=serializer.model_dump(), prefect_version=__version__
    )
    write_file(store.storage, _place(identifier), encode_shared_record(metadata, payload))


def kept_parameters(store: ResultStore, identifier: UUID) -> dict[str, Any]:
    """Return what was kept by `keep_parameters`.

    Args:
        store: The result store of the task.
        identifier: What the state of the run calls it.

    Raises:
        prefect.exceptions.MissingResult: It is not there (any more), or in another storage.
        prefect.exceptions.SerializationError: It cannot be read.
    """
    try:
        content: dict[str, Any] = read_record(_place(identifier), store.storage).result
    except SerializationError:
        if not get_current_settings().results.allow_pickle:
            raise
        foreign = _kept_elsewhere(store.storage.read_path(_place(identifier)))
        if foreign is None:
            raise
        return foreign
    return content


def _kept_elsewhere(file: bytes) -> dict[str, Any] | None:
    """Read what another implementation kept, though objects of its own are in it; None, where that fails.

    Such objects are what it says of the run around, and states that futures remember. Arguments are none.
    """
    try:
        payload = a2b_base64(msgspec.json.decode(file)["result"])
        content: dict[str, Any] = _Unpickler(BytesIO(payload)).load()
        content.pop("context", None)
        return None if find(list(content.values()), (_Unknown,)) else content
    except Exception:  # noqa: BLE001 - a pickle runs the value's own code; the first error says what is wrong
        return None


class _UnknownType(type):
    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return cls  # some types are made by methods of their own


class _Unknown(metaclass=_UnknownType):
    """In the place of an object of another implementation."""

    def __init__(self, *_args: Any, **_options: Any) -> None:
        pass

    def __setstate__(self, _state: Any) -> None:
        pass


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("prefect.") and module not in _SAME_EVERYWHERE:
            return _Unknown
        try:
            return super().find_class(module, name)
        except (AttributeError, ImportError):
            return _Unknown  # of its libraries; among the arguments it is found


def _place(identifier: UUID) -> str:
    return f"parameters/{identifier}"
