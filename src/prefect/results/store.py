"""The result store: where the results of a run are kept, and how they are written and found again."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import datetime
from typing import Any, Self

import msgspec

from prefect.exceptions import MissingResult, SerializationError, StoreUnavailable
from prefect.results.defaults import get_default_result_serializer, get_default_result_storage
from prefect.results.locks import LockingStore
from prefect.results.memory import ResultMemory
from prefect.results.record_file import (
    decode_record,
    encode_record,
    encode_shared_record,
    first_line_of,
    read_metadata,
)
from prefect.results.serializers import Serializer, resolve_serializer
from prefect.results.storage import LocalFileSystem, WritableFileSystem, resolve_result_storage
from prefect.results.storage_key import StorageKeyTemplate, new_storage_key
from prefect.schemas.results import ResultRecord, ResultRecordMetadata
from prefect.settings import get_current_settings
from prefect.types import now
from prefect.version import __version__

__all__ = ["ResultStore", "read_record", "read_result", "write_file"]

_log = logging.getLogger("prefect.results")


class ResultStore(LockingStore):
    """Where results are kept, and how.

    Args:
        result_storage: A storage, or a directory; the settings' default, if not given.
        metadata_storage: Where keys are kept, when not beside the results; a storage, or a directory.
        lock_manager: Hands out locks of keys: who reads a result waits while another has its lock.
        cache_result_in_memory: Hold what was written or read in memory too.
        serializer: How results are written: a serializer, or its type; the settings' default, if not given.
        storage_key_fn: Returns the key of a result that is written without one.
        persist_result: Whether runs keep their results; None leaves it to the settings.
    """

    result_storage: Any = None
    metadata_storage: Any = None
    cache_result_in_memory: bool = True
    serializer: Any = None
    storage_key_fn: Callable[[], str] = new_storage_key
    persist_result: bool | None = None
    is_shared: bool = False
    """Whether files are written in the form that other implementations of the interface read; as pickles."""
    cache: ResultMemory = msgspec.field(default_factory=ResultMemory)

    def __post_init__(self) -> None:
        if self.result_storage is not None:
            self.result_storage = resolve_result_storage(self.result_storage)
        if self.metadata_storage is not None:
            self.metadata_storage = resolve_result_storage(self.metadata_storage)
        if self.serializer is None:
            self.serializer = get_default_result_serializer()
        elif not isinstance(self.serializer, Serializer):
            self.serializer = resolve_serializer(self.serializer)

    @property
    def storage(self) -> WritableFileSystem:
        """Where results are kept: what was given, or the settings' default."""
        given: WritableFileSystem | None = self.result_storage
        return get_default_result_storage() if given is None else given

    def update_for_flow(self, flow: Any) -> Self:
        """Return this store with what the flow says of its results in its place."""
        return self._updated(flow)

    def update_for_task(self, task: Any) -> Self:
        """Return this store with what the task says of its results in its place."""
        updated = self._updated(task)
        if (template := getattr(task, "result_storage_key", None)) is not None:
            updated.storage_key_fn = StorageKeyTemplate(template)
        if (key_storage := getattr(getattr(task, "cache_policy", None), "key_storage", None)) is not None:
            updated.metadata_storage = resolve_result_storage(key_storage)
        if (lock_manager := getattr(getattr(task, "cache_policy", None), "lock_manager", None)) is not None:
            updated.lock_manager = lock_manager
        return updated

    def for_other_processes(self) -> Self:
        """Return this store so that clients of other implementations can read what it writes.

        That is where nobody has chosen how results are written, and pickles are allowed.
        """
        if self.serializer.type != "auto" or not get_current_settings().results.allow_pickle:
            return self
        return msgspec.structs.replace(self, serializer=resolve_serializer("pickle"), is_shared=True)

    def _updated(self, definition: Any) -> Self:
        given = {
            "result_storage": definition.result_storage,
            "serializer": definition.result_serializer,
            "cache_result_in_memory": definition.cache_result_in_memory,
            "persist_result": definition.persist_result,
        }
        return msgspec.structs.replace(
            self, **{name: value for name, value in given.items() if value is not None}
        )

    def exists(self, key: str) -> bool:
        """Whether a result of that key is kept, and has not expired."""
        metadata = self._metadata(key)
        return metadata is not None and not _is_expired(metadata)

    def find(self, key: str, holder: str | None = None) -> ResultRecord | None:
        """Return the result of that key, for use in place of a run; None, where the run has to run.

        A result that has expired is none; nor is one that cannot be read, of which the log then tells.
        """
        try:
            record = self.read(key, holder)
        except MissingResult:
            return None
        except SerializationError as error:
            _log.warning("The cached result of key %r is not used. %s", key, error)
            return None
        return None if record.metadata is None or _is_expired(record.metadata) else record

    def read(self, key: str, holder: str | None = None) -> ResultRecord:
        """Return the result of that key, expired or not.

        Args:
            key: The key.
            holder: Who reads: somebody else's lock of the key is waited for. Left out, the calling thread.

        Raises:
            prefect.exceptions.MissingResult: There is no such result (any more).
            prefect.exceptions.SerializationError: It cannot be read; the text names the file.
        """
        if self._is_anothers(key, holder):
            self.wait_for_lock(key)
        where = self._where(key)
        if self.cache_result_in_memory and (held := self.cache.get(where)) is not None:
            return held
        if self.metadata_storage is not None and (metadata := self._metadata(key)) is not None:
            record = read_record(metadata.storage_key or where, self.storage)
        else:
            record = read_record(where, self.storage)
        if self.cache_result_in_memory:
            self.cache.put(where, record)
        return record

    def write(
        self, obj: Any, key: str | None = None, expiration: datetime | None = None, holder: str | None = None
    ) -> ResultRecord:
        """Keep a value.

        Args:
            obj: The value.
            key: Its key; a new one is made, if not given.
            expiration: From when on it is not used in place of a run.
            holder: Who writes; left out, the calling thread.

        Returns:
            The record: the value, and where and how it is kept.

        Raises:
            RuntimeError: Somebody else has the lock of the key.
            prefect.exceptions.SerializationError: The value cannot be written; the text names its type.
            prefect.exceptions.StoreUnavailable: The storage cannot be written.
        """
        if key is not None and self._is_anothers(key, holder):
            raise RuntimeError(
                f"Cannot write to result record with key {key} because it is locked by another holder."
            )
        record = self.create_result_record(obj, key, expiration)
        self.persist_result_record(record)
        return record

    def create_result_record(
        self, obj: Any, key: str | None = None, expiration: datetime | None = None
    ) -> ResultRecord:
        """Return the record of a value without keeping it yet; arguments as for `write`."""
        metadata = ResultRecordMetadata(
            storage_key=self._where(self.storage_key_fn() if key is None else key),
            expiration=expiration,
            serializer=self.serializer.model_dump(),
            prefect_version=__version__,
        )
        return ResultRecord(result=obj, metadata=metadata)

    def persist_result_record(self, result_record: ResultRecord, holder: str | None = None) -> None:
        """Keep the value of a record that `create_result_record` made; errors as for `write`."""
        metadata = result_record.metadata
        if metadata is None or metadata.storage_key is None:
            raise ValueError("This record has no storage key: make it with create_result_record().")
        where = metadata.storage_key
        used, payload = self._encode(result_record.result)
        metadata.serializer = used.model_dump()
        content = (encode_shared_record if self.is_shared else encode_record)(metadata, payload)
        write_file(self.storage, where, content)
        if self.metadata_storage is not None:
            # After the result itself: whoever finds the key finds the result.
            write_file(self.metadata_storage, self._key(where), first_line_of(content))
        if self.cache_result_in_memory:
            self.cache.put(where, result_record)

    async def aexists(self, key: str) -> bool:
        """Whether a result of that key is kept; `exists` for async code."""
        return self.exists(key)

    async def aread(self, key: str, holder: str | None = None) -> ResultRecord:
        """Return the result of that key; `read` for async code."""
        return self.read(key, holder)

    async def awrite(
        self, obj: Any, key: str | None = None, expiration: datetime | None = None, holder: str | None = None
    ) -> ResultRecord:
        """Keep a value; `write` for async code."""
        return self.write(obj, key, expiration, holder)

    def _encode(self, value: Any) -> tuple[Serializer[Any], bytes]:
        serializer: Serializer[Any] = self.serializer
        try:
            return serializer.encode(value)
        except SerializationError:
            raise
        except Exception as error:  # serializers may be of users' making
            raise SerializationError(f"The serializer {serializer.type!r} failed: {error!r}.") from error

    def _where(self, key: str) -> str:
        """Return what the storage calls the file of that key: for a directory, its absolute path."""
        storage = self.storage
        return storage.resolve(key) if isinstance(storage, LocalFileSystem) else key

    def _key(self, where: str) -> str:
        storage = self.storage
        return os.path.relpath(where, storage.root) if isinstance(storage, LocalFileSystem) else where

    def _metadata(self, key: str) -> ResultRecordMetadata | None:
        where = self._where(key)
        if self.cache_result_in_memory and (held := self.cache.get(where)) is not None:
            return held.metadata
        if self.metadata_storage is not None:
            line = _first_line(self.metadata_storage, self._key(where))
        else:
            line = _first_line(self.storage, where)
        return None if line is None else read_metadata(line, where)


def _is_expired(metadata: ResultRecordMetadata) -> bool:
    return metadata.expiration is not None and metadata.expiration <= now()


def write_file(storage: WritableFileSystem, path: str, content: bytes) -> None:
    """Write a file of a storage.

    Args:
        storage: The storage.
        path: The file.
        content: What is in it.

    Raises:
        prefect.exceptions.StoreUnavailable: The storage cannot be written.
    """
    if type(storage) is LocalFileSystem:  # its errors say all that there is to say
        storage.write_path(path, content)
        return
    try:
        storage.write_path(path, content)
    except Exception as error:  # storages may be of users' making
        raise StoreUnavailable(f"Cannot write the result {path!r} to {storage!r}: {error!r}.") from error


def _first_line(storage: WritableFileSystem, path: str) -> bytes | None:
    if isinstance(storage, LocalFileSystem):
        return storage.read_first_line(path)
    try:
        return first_line_of(storage.read_path(path))
    except Exception:  # noqa: BLE001 - storages say in ways of their own that a file is not there
        return None


def read_record(where: str, storage: WritableFileSystem) -> ResultRecord:
    """Read a result from its file.

    Args:
        where: What the record's metadata calls its `storage_key`.
        storage: Where it is, unless it is an absolute path.

    Raises:
        prefect.exceptions.MissingResult: There is no such file (any more).
        prefect.exceptions.SerializationError: It cannot be read.
    """
    try:
        content = (LocalFileSystem() if os.path.isabs(where) else storage).read_path(where)
    except Exception as error:  # storages say in ways of their own that a file is not there
        raise MissingResult(
            f"The result is not at {where!r} (any more): {error} "
            "Was the file deleted, or is it on another machine?"
        ) from error
    return decode_record(content, where)


def read_result(metadata: ResultRecordMetadata) -> Any:
    """Return the value of a result that was kept, for `State.result()`; errors as for `read_record`."""
    if metadata.storage_key is None or metadata.storage_block_id is not None:
        raise MissingResult(
            "The result is kept in a storage block, and those are not supported yet."
            if metadata.storage_block_id
            else "The state does not say where its result is kept."
        )
    return read_record(metadata.storage_key, get_default_result_storage()).result
