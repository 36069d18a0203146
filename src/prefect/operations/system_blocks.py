"""Block types that everybody has, registered ahead of use."""

from __future__ import annotations

from contextlib import suppress

from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.operations.block_schemas import create_block_schema
from prefect.operations.block_types import create_block_type, read_block_type_by_slug
from prefect.operations.registry import operation
from prefect.schemas.blocks import BlockSchemaCreate, BlockTypeCreate
from prefect.store.base import Store
from prefect.version import INTERFACE_VERSION

__all__ = ["install_system_block_types"]

_SLUG = "secret"
_DESCRIPTION = "A value that nobody should see, such as a password or a token. It is shown as asterisks only."
_EXAMPLE = (
    '```python\nfrom prefect.blocks.system import Secret\n\nsecret_block = Secret.load("BLOCK_NAME")\n```'
)
_FIELDS = {
    "properties": {
        "value": {"description": "A text, or anything else that JSON has.", "title": "Value", "position": 0}
    },
    "required": ["value"],
    "title": "Secret",
    "type": "object",
    "description": _DESCRIPTION,
    "block_type_slug": _SLUG,
    "block_schema_references": {},
    "secret_fields": ["value"],
}
"""What `prefect.blocks.system.Secret` says of itself; a test holds one against the other."""


@operation("POST", "/block_types/install_system_block_types", status=200)
def install_system_block_types(store: Store) -> None:
    """Register the block types of `prefect.blocks.system`, where they are not registered."""
    try:
        kind = read_block_type_by_slug(store, _SLUG)
    except ObjectNotFound:
        with suppress(ObjectAlreadyExists):  # Somebody else is doing the same.
            create_block_type(
                store,
                BlockTypeCreate(name="Secret", slug=_SLUG, description=_DESCRIPTION, code_example=_EXAMPLE),
            )
        kind = read_block_type_by_slug(store, _SLUG)
    create_block_schema(
        store, BlockSchemaCreate(block_type_id=kind.id, fields=_FIELDS, version=INTERFACE_VERSION)
    )
