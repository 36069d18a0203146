"""`prefect block`: typed values that are kept under a name."""

from __future__ import annotations

from typing import Annotated, Any

from prefect.cli.commands import Flag, Group
from prefect.cli.log_lines import Output
from prefect.cli.output import confirm, print_facts, print_json, print_table
from prefect.cli.selecting import Limit, whole_id
from prefect.client.current import get_caller
from prefect.exceptions import ConfigurationError, ObjectNotFound, ScriptError
from prefect.operations.block_documents import (
    delete_block_document,
    read_block_document,
    read_block_document_by_name,
    read_block_documents,
)
from prefect.operations.block_types import (
    delete_block_type,
    read_block_type_by_slug,
    read_block_types,
)
from prefect.operations.system_blocks import install_system_block_types
from prefect.schemas.base import encode_json
from prefect.schemas.blocks import BlockDocument, BlockDocumentQuery, BlockDocumentSort, BlockTypeQuery

__all__ = ["run"]

group = Group("block")
types = group.group("type", "See the types of blocks.")
run = group.run

Address = Annotated[str, Flag(metavar="TYPE/NAME")]
Yes = Annotated[bool, Flag("-y")]


@group.command("ls")
def ls(*, limit: Limit = 200, output: Output = None) -> None:
    """List blocks, by type and name.

    Args:
        limit: At most so many.
        output: Print for programs.
    """
    query = BlockDocumentQuery(sort=BlockDocumentSort.BLOCK_TYPE_AND_NAME_ASC, limit=limit)
    found = get_caller().call(read_block_documents, query)
    if output:
        print_json(found)
        return
    rows = [[str(each.id), each.block_type_name or "", each.name or "", _address(each)] for each in found]
    print_table("Blocks", ["ID", "Type", "Name", "Slug"], rows)


@group.command("inspect")
def inspect(block: Address, *, output: Output = None) -> None:
    """Show a block, without its secrets.

    Args:
        block: The slug of its type and its name, as secret/token, or its id.
        output: Print for programs.
    """
    found = _find(block)
    if output:
        print_json(found)
        return
    values = {name: _text(value) for name, value in found.data.items()}
    print_facts({"Block type": found.block_type_name, "Block id": found.id} | values)


@group.command("delete")
def delete(block: Address, *, yes: Yes = False) -> None:
    """Delete a block.

    Args:
        block: The slug of its type and its name, as secret/token, or its id.
        yes: Do not ask.
    """
    found = _find(block)
    confirm(f"Delete block {block!r}?", yes=yes)
    get_caller().call(delete_block_document, found.id)
    print(f"Deleted block {block!r}.")


@group.command("register")
def register(
    *,
    module: Annotated[str | None, Flag("-m", metavar="MODULE")] = None,
    file: Annotated[str | None, Flag("-f", metavar="FILE")] = None,
) -> None:
    """Make the block types of a module or a file known.

    Args:
        module: The module, such as my_package.blocks.
        file: The file, such as blocks.py.
    """
    if (module is None) is (file is None):
        raise ConfigurationError("Say what to register: --module NAME, or --file PATH.")
    found = _classes_of(_load(module, file))
    for cls in found:
        cls.register_type_and_schema()
    if not found:
        raise ConfigurationError(f"There are no blocks in {module or file}.")
    rows = [[cls.get_block_type_slug(), cls.get_block_type_name()] for cls in found]
    print_table("Registered", ["Slug", "Name"], rows)


@types.command("ls")
def ls_types(*, output: Output = None) -> None:
    """List block types, by name.

    Args:
        output: Print for programs.
    """
    client = get_caller()
    found = client.call(read_block_types, BlockTypeQuery())
    if not found:
        # A new store: servers see to that as they start, and here is none.
        client.call(install_system_block_types)
        found = client.call(read_block_types, BlockTypeQuery())
    if output:
        print_json(found)
        return
    rows = [[each.slug, each.name, (each.description or "").partition("\n")[0]] for each in found]
    print_table("Block Types", ["Slug", "Name", "Description"], rows)


@types.command("inspect")
def inspect_type(slug: str, *, output: Output = None) -> None:
    """Show a block type.

    Args:
        slug: Its slug.
        output: Print for programs.
    """
    found = get_caller().call(read_block_type_by_slug, slug)
    if output:
        print_json(found)
        return
    facts = {
        "ID": found.id,
        "Slug": found.slug,
        "Name": found.name,
        "Description": found.description,
        "Documentation": found.documentation_url,
        "Protected": "yes" if found.is_protected else None,
    }
    print_facts(facts)


@types.command("delete")
def delete_type(slug: str, *, yes: Yes = False) -> None:
    """Delete a block type, with all blocks of it.

    Args:
        slug: Its slug.
        yes: Do not ask.
    """
    found = get_caller().call(read_block_type_by_slug, slug)
    confirm(f"Delete block type {slug!r} and all blocks of it?", yes=yes)
    get_caller().call(delete_block_type, found.id)
    print(f"Deleted block type {slug!r}.")


def _find(text: str) -> BlockDocument:
    client = get_caller()
    if (document_id := whole_id(text)) is not None:
        return client.call(read_block_document, document_id)
    slug, _, name = text.partition("/")
    if not name:
        raise ConfigurationError(
            f"{text!r} names no block: give type and name, as in secret/{text}, or an id."
        )
    try:
        return client.call(read_block_document_by_name, slug, name)
    except ObjectNotFound as error:
        raise ObjectNotFound(error, f"Block {text!r} not found.") from error


def _address(document: BlockDocument) -> str:
    return f"{document.block_type.slug if document.block_type else ''}/{document.name}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else encode_json(value).decode()


def _load(module: str | None, file: str | None) -> Any:
    import importlib
    import runpy
    from types import SimpleNamespace

    try:
        if module is not None:
            return importlib.import_module(module)
        return SimpleNamespace(**runpy.run_path(str(file)))
    except Exception as error:
        raise ScriptError(user_exc=error, path=str(module or file)) from error


def _classes_of(module: Any) -> list[Any]:
    from prefect.blocks.core import Block

    found = (each for each in vars(module).values() if Block.is_block_class(each) and each is not Block)
    return list(dict.fromkeys(found))
