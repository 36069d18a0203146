"""What a task run that waits for a worker is to be called with: kept beside results until a worker reads it.

It is written in the form in which other implementations of the interface write and read it too. It is a
pickle, since arguments are any values; it never passes through a server.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.results.record_file import encode_shared_record
from prefect.results.serializers import PickleSerializer
from prefect.results.store import ResultStore, read_record, write_file
from prefect.schemas.results import ResultRecordMetadata
from prefect.version import __version__

__all__ = ["keep_parameters", "kept_parameters"]


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
    content: dict[str, Any] = read_record(_place(identifier), store.storage).result
    return content


def _place(identifier: UUID) -> str:
    return f"parameters/{identifier}"
