"""Block types that everybody has, registered ahead of use."""

from __future__ import annotations

import json
from contextlib import suppress
from importlib.resources import files
from typing import Any

from sqlalchemy import select

from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.operations.block_schemas import create_block_schema
from prefect.operations.block_types import create_block_type, read_block_type_by_slug
from prefect.operations.registry import operation
from prefect.rules.blocks import checksum_of
from prefect.schemas.blocks import BlockSchemaCreate, BlockTypeCreate
from prefect.store.base import Store
from prefect.store.tables import block_schemas, block_types
from prefect.version import INTERFACE_VERSION

__all__ = ["FILE", "install_system_block_types"]

FILE = "system_blocks.json"
"""What the classes of `prefect.blocks`, which are of a higher floor, say of themselves: see
`tests/blocks/system_blocks.py`, which writes it."""


@operation("POST", "/block_types/install_system_block_types", status=200)
def install_system_block_types(store: Store) -> None:
    """Register the block types of `prefect.blocks`, where they are not registered."""
    here = block_types.c.id == block_schemas.c.block_type_id
    ours = block_schemas.c.version == INTERFACE_VERSION
    query = select(block_types.c.slug, block_schemas.c.checksum).where(here, ours)
    there = set(map(tuple, store.select(query)))
    for each in json.loads(files(__package__).joinpath(FILE).read_text(encoding="utf-8")):
        # One after another, so that who writes to a new store waits for one of them at most.
        if (each["type"]["slug"], checksum_of(each["fields"])) not in there:
            _install(store, each)


def _install(store: Store, said: dict[str, Any]) -> None:
    wanted = BlockTypeCreate.model_validate(said["type"])
    try:
        kind = read_block_type_by_slug(store, wanted.slug)
    except ObjectNotFound:
        with suppress(ObjectAlreadyExists):  # Somebody else is doing the same.
            create_block_type(store, wanted)
        kind = read_block_type_by_slug(store, wanted.slug)
    schema = BlockSchemaCreate(
        block_type_id=kind.id,
        fields=said["fields"],
        capabilities=said["capabilities"],
        version=INTERFACE_VERSION,
    )
    create_block_schema(store, schema)
