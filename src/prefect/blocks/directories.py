"""Directories under a name. What reads and writes them is `prefect.filesystems`."""

from __future__ import annotations

from typing import ClassVar

from prefect.blocks.core import Block
from prefect.version import INTERFACE_VERSION

__all__ = ["LocalFileSystem"]


class LocalFileSystem(Block):
    """A directory of the machine where it is used."""

    _block_type_name = "Local File System"
    _block_type_slug = "local-file-system"
    _block_schema_version = INTERFACE_VERSION
    _block_schema_capabilities: ClassVar[list[str] | None] = ["read-path", "write-path"]

    basepath: str | None = None
