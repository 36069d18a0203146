"""Storage: where the files of results are. Any object with `read_path` and `write_path` will do."""

from __future__ import annotations

import inspect
import os
from abc import abstractmethod
from pathlib import Path
from uuid import UUID

from prefect.exceptions import StoreUnavailable
from prefect.settings import get_current_settings
from prefect.types import uuid7

__all__ = ["LocalFileSystem", "ReadableFileSystem", "WritableFileSystem", "resolve_result_storage"]

_SLUG = "local-file-system"
"""What the blocks of directories are called."""


class ReadableFileSystem:
    """Base of storage that can be read."""

    @abstractmethod
    def read_path(self, path: str) -> bytes:
        """Return a file's content.

        Args:
            path: The file, relative to where this storage begins.

        Raises:
            ValueError: There is no such file.
        """


class WritableFileSystem(ReadableFileSystem):
    """Base of storage that can be read and written."""

    @abstractmethod
    def write_path(self, path: str, content: bytes) -> str | None:
        """Write a file, whole or not at all.

        Args:
            path: The file, relative to where this storage begins.
            content: What to write.

        Returns:
            The path by which the file is read.
        """


class LocalFileSystem(WritableFileSystem):
    """A directory of this machine.

    Args:
        basepath: The directory; it need not exist yet. Nothing outside of it is read or written. Left out, it
            is the default one (PREFECT_LOCAL_STORAGE_PATH), and absolute paths may lie anywhere.
    """

    def __init__(self, *, basepath: str | Path | None = None) -> None:
        self.basepath = None if basepath is None else str(basepath)

    @property
    def root(self) -> str:
        """The directory's absolute path."""
        if self.basepath is None:
            return str(get_current_settings().results.local_storage_path)
        return os.path.abspath(os.path.expanduser(self.basepath))

    def resolve(self, path: str) -> str:
        """Return the absolute path of a file, which need not exist.

        Raises:
            ValueError: It lies outside of this storage.
        """
        base = self.root
        full = os.path.normpath(os.path.join(base, path))
        if full.startswith(base + os.sep) or (self.basepath is None and os.path.isabs(path)):
            return full
        raise ValueError(f"Provided path {full} is outside of the base path {base}.")

    def exists(self, path: str) -> bool:
        """Whether there is such a file."""
        return os.path.isfile(self.resolve(path))

    def read_path(self, path: str) -> bytes:
        """Return a file's content.

        Raises:
            ValueError: There is no such file, or it lies outside of this storage.
        """
        full = self.resolve(path)
        try:
            with open(full, "rb") as file:
                return file.read()
        except FileNotFoundError as error:
            raise ValueError(f"Path {full} does not exist.") from error
        except IsADirectoryError as error:
            raise ValueError(f"Path {full} is not a file.") from error

    def read_first_line(self, path: str) -> bytes | None:
        """Return a file's first line, or None where there is no such file."""
        try:
            with open(self.resolve(path), "rb") as file:
                return file.readline()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None

    def write_path(self, path: str, content: bytes) -> str:
        """Write a file and the directories above it; readers see the old content or the new, never a part.

        Returns:
            The absolute path.

        Raises:
            ValueError: The path lies outside of this storage.
            prefect.exceptions.StoreUnavailable: The disk is full, or writing is not permitted.
        """
        full = self.resolve(path)
        directory, name = os.path.split(full)
        # Beside the file, as a rename works within one file system only. A name has at most 255 bytes.
        scratch = os.path.join(directory, f".{name[:40]}.{uuid7().hex}.tmp")
        try:
            try:
                _write_new(scratch, content)
            except FileNotFoundError:
                os.makedirs(directory, exist_ok=True)
                _write_new(scratch, content)
            os.replace(scratch, full)
        except OSError as error:
            _remove(scratch)
            raise StoreUnavailable(
                f"Cannot write {full}: {error.strerror or error}. Free space or mend permissions there, or "
                "keep results elsewhere (result_storage=..., PREFECT_LOCAL_STORAGE_PATH)."
            ) from error
        return full

    async def aread_path(self, path: str) -> bytes:
        """Return a file's content; `read_path` for async code."""
        return self.read_path(path)

    async def awrite_path(self, path: str, content: bytes) -> str:
        """Write a file; `write_path` for async code."""
        return self.write_path(path, content)

    def save(self, name: str, overwrite: bool = False) -> UUID:
        """Keep the directory's path under a name, as a block.

        Args:
            name: Lower-case letters, digits and dashes.
            overwrite: Whether to replace a path that is kept under the name.

        Returns:
            The block's id. In asynchronous code, a coroutine of it.

        Raises:
            ValueError: The name is taken, or none.
        """
        from prefect.blocks.directories import LocalFileSystem as Kept  # noqa: PLC0415 - pydantic

        return Kept(basepath=self.basepath).save(name, overwrite)

    @classmethod
    def load(cls, name: str) -> LocalFileSystem:
        """Return the directory that is kept under a name; asynchronous code awaits it.

        Args:
            name: The name.

        Raises:
            ValueError: There is none.
        """
        from prefect.client.awaiting import either_way  # noqa: PLC0415 - only where blocks are used

        return either_way(_load_directory)(name)

    @classmethod
    async def aload(cls, name: str) -> LocalFileSystem:
        """Return the directory that is kept under a name; see `load`."""
        from prefect.client.awaiting import awaited  # noqa: PLC0415 - only where blocks are used

        return await awaited(_load_directory)(name)

    @classmethod
    def get_block_type_slug(cls) -> str:
        """Return what addresses call such blocks."""
        return _SLUG

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.basepath == getattr(other, "basepath", None)

    def __hash__(self) -> int:
        return hash(self.basepath)

    def __repr__(self) -> str:
        return f"LocalFileSystem(basepath={self.basepath!r})"


def _load_directory(name: str) -> LocalFileSystem:
    from prefect.blocks import documents  # noqa: PLC0415 - SQLAlchemy

    return LocalFileSystem(basepath=documents.find(_SLUG, name).data.get("basepath"))


def _write_new(path: str, content: bytes) -> None:
    with open(path, "xb", buffering=0) as file:
        rest = memoryview(content)
        while rest:
            rest = rest[file.write(rest) :]


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return  # never made, or gone with the disk; the error that brought us here is the one to tell


def resolve_result_storage(storage: str | Path | WritableFileSystem) -> WritableFileSystem:
    """Return a storage for what users give in its place.

    Args:
        storage: A storage, or a directory: a `Path`, or a text that begins with `/`, `~`, `.` or `file://`.

    Raises:
        ValueError: The text is no path: names of storage blocks are not supported.
        TypeError: It is nothing of these, or has no `read_path` and `write_path`.
    """
    if isinstance(storage, Path):
        return LocalFileSystem(basepath=storage)
    if isinstance(storage, str):
        path = storage.removeprefix("file://")
        if path.startswith(("/", "~", ".")) or os.path.isabs(path):
            return LocalFileSystem(basepath=path)
        slug, _, name = storage.partition("/")
        if slug == _SLUG and name:
            return _load_directory(name)
        raise ValueError(
            f"Results cannot be stored at {storage!r}: it is the name of a storage block, and of those only "
            "'local-file-system/NAME' is supported yet. Or give a directory (Path('results'), '/data')."
        )
    methods = [getattr(storage, name, None) for name in ("read_path", "write_path")]
    if not all(callable(method) for method in methods):
        raise TypeError(f"Results cannot be stored in {storage!r}: it has no read_path() and write_path().")
    if any(inspect.iscoroutinefunction(method) for method in methods):
        raise TypeError(
            f"Results cannot be stored in {storage!r}: read_path() and write_path() must not be async."
        )
    return storage
