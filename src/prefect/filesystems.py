"""File systems that results are kept in. The public path of `prefect.results.storage`."""

from __future__ import annotations

from prefect.results.storage import LocalFileSystem, ReadableFileSystem, WritableFileSystem

__all__ = ["LocalFileSystem", "ReadableFileSystem", "WritableFileSystem"]
