"""`prefect automation`: what is to be done when something happens."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec

from prefect.cli.commands import Flag, Group
from prefect.cli.log_lines import Output
from prefect.cli.moments import local
from prefect.cli.output import confirm, print_facts, print_json, print_table
from prefect.cli.selecting import Limit
from prefect.client.current import get_caller
from prefect.exceptions import CommandFailed, ObjectNotFound
from prefect.operations.automations import (
    create_automation,
    delete_automation,
    read_automation,
    read_automations,
    replace_automation,
    update_automation,
)
from prefect.operations.block_documents import read_block_document_by_name
from prefect.schemas.automations import (
    Automation,
    AutomationCreate,
    AutomationPartialUpdate,
    AutomationQuery,
    AutomationUpdate,
    EventTrigger,
    Trigger,
)
from prefect.schemas.filters.automations import AutomationFilter, AutomationFilterName

__all__ = ["run"]

group = Group("automation")
run = group.run

Name = Annotated[str | None, Flag(metavar="NAME")]
Id = Annotated[str | None, Flag(metavar="ID")]
File = Annotated[str | None, Flag("-f", metavar="FILE")]
Text = Annotated[str | None, Flag("-j", metavar="JSON")]
Yes = Annotated[bool, Flag("-y")]

A = TypeVar("A", AutomationCreate, AutomationUpdate)

_ACTIONS = ("actions", "actions_on_trigger", "actions_on_resolve")


@group.command("ls")
def ls(*, limit: Limit = 200, output: Output = None) -> None:
    """List automations, by name.

    Args:
        limit: At most so many.
        output: Print for programs.
    """
    found = get_caller().call(read_automations, AutomationQuery(limit=limit))
    if output:
        print_json(found)
        return
    rows = [
        [each.name, str(each.id), "yes" if each.enabled else "no", _said(each.trigger), _tags(each.actions)]
        for each in found
    ]
    print_table("Automations", ["Name", "ID", "Enabled", "Trigger", "Actions"], rows, whole=2)


@group.command("inspect")
def inspect(name: Name = None, *, id: Id = None, output: Output = None) -> None:
    """Show an automation.

    Args:
        name: The automation's name, or its id.
        id: The automation's id.
        output: Print for programs.
    """
    found = _find(name, id)
    if output:
        print_json(found)
        return
    facts = {
        "ID": found.id,
        "Name": found.name,
        "Description": found.description,
        "Enabled": "yes" if found.enabled else "no",
        "Tags": ", ".join(found.tags),
        "Trigger": _said(found.trigger),
        "Actions": _tags(found.actions),
        "Actions on trigger": _tags(found.actions_on_trigger),
        "Actions on resolve": _tags(found.actions_on_resolve),
        "Created": local(found.created),
        "Updated": local(found.updated),
    }
    print_facts(facts)


@group.command("create")
def create(*, from_file: File = None, from_json: Text = None) -> None:
    """Make automations, as a file or a text says. A block may be given as TYPE/NAME.

    Args:
        from_file: A file of YAML or JSON with an automation, or a list of them; - reads standard input.
        from_json: An automation, or a list of them, as JSON.
    """
    # All are read before one is made.
    wanted = [_checked(AutomationCreate, each) for each in _given(from_file, from_json)]
    for each in wanted:
        made = get_caller().call(create_automation, each)
        print(f"Created automation {made.name!r} with id {made.id}.")


@group.command("update")
def update(*, id: Annotated[str, Flag(metavar="ID")], from_file: File = None, from_json: Text = None) -> None:
    """Put another automation in the place of one.

    Args:
        id: The automation's id.
        from_file: A file of YAML or JSON with the automation; - reads standard input.
        from_json: The automation, as JSON.
    """
    given = _given(from_file, from_json)
    if len(given) != 1:
        raise CommandFailed(f"An automation is put in the place of one, not {len(given)}.")
    found = _find(None, id)
    get_caller().call(replace_automation, found.id, _checked(AutomationUpdate, given[0]))
    print(f"Updated automation {found.name!r}.")


@group.command("pause")
def pause(name: Name = None, *, id: Id = None) -> None:
    """Disable an automation.

    Args:
        name: The automation's name, or its id.
        id: The automation's id.
    """
    found = _find(name, id)
    get_caller().call(update_automation, found.id, AutomationPartialUpdate(enabled=False))
    print(f"Paused automation {found.name!r}.")


@group.command("resume")
def resume(name: Name = None, *, id: Id = None) -> None:
    """Enable an automation.

    Args:
        name: The automation's name, or its id.
        id: The automation's id.
    """
    found = _find(name, id)
    get_caller().call(update_automation, found.id, AutomationPartialUpdate(enabled=True))
    print(f"Resumed automation {found.name!r}.")


@group.command("delete")
def delete(name: Name = None, *, id: Id = None, yes: Yes = False) -> None:
    """Delete an automation.

    Args:
        name: The automation's name, or its id.
        id: The automation's id.
        yes: Do not ask.
    """
    found = _find(name, id)
    confirm(f"Delete automation {found.name!r}?", yes=yes)
    get_caller().call(delete_automation, found.id)
    print(f"Deleted automation {found.name!r}.")


group.commands["disable"] = pause
group.commands["enable"] = resume


def _find(name: str | None, id: str | None) -> Automation:
    if (name is None) is (id is None):
        raise CommandFailed("Give either an automation's name, or --id.")
    client, given = get_caller(), id or name or ""
    if name is not None:
        named = AutomationFilter(name=AutomationFilterName(any_=[name]))
        found = client.call(read_automations, AutomationQuery(automations=named, limit=2))
        if len(found) > 1:
            raise CommandFailed(f"There are several automations named {name!r}: give --id.")
        if found:
            return found[0]
    try:
        return client.call(read_automation, UUID(given))
    except (ObjectNotFound, ValueError) as error:
        raise CommandFailed(f"Automation {given!r} not found.") from error


def _given(from_file: str | None, from_json: str | None) -> list[dict[str, Any]]:
    """Return what a file or a text says, with the ids of blocks that it names."""
    if (from_file is None) is (from_json is None):
        raise CommandFailed("Give either --from-file or --from-json.")
    import yaml

    source = from_json or (sys.stdin.read() if from_file == "-" else _read(Path(from_file or "")))
    try:
        said = yaml.safe_load(source)
    except yaml.YAMLError as error:
        raise CommandFailed(f"It is neither YAML nor JSON: {error}") from error
    if isinstance(said, Mapping) and set(said) == {"automations"}:
        said = said["automations"]
    every = said if isinstance(said, list) else [said]
    if not every or not all(isinstance(each, dict) for each in every):
        raise CommandFailed("It says no automation: give a mapping, or a list of them.")
    for each in every:
        for action in [one for key in _ACTIONS for one in each.get(key) or () if isinstance(one, dict)]:
            _name_block(action)
    # Times and dates, which YAML knows and JSON does not, become texts.
    plain: list[dict[str, Any]] = msgspec.to_builtins(every)
    return plain


def _checked(kind: type[A], values: dict[str, Any]) -> A:
    try:
        return kind.model_validate(values)
    except ValueError as error:
        raise CommandFailed(f"Automation {values.get('name')!r}: {error}") from error


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{str(file)!r} cannot be read: {error.strerror}") from error


def _name_block(action: dict[str, Any]) -> None:
    slug, slash, name = str(action.get("block_document_id", "")).partition("/")
    if not slash:
        return
    try:
        document = get_caller().call(read_block_document_by_name, slug, name)
    except ObjectNotFound as error:
        raise CommandFailed(f"Block {slug}/{name} not found.") from error
    action["block_document_id"] = str(document.id)


def _said(trigger: Trigger) -> str:
    if not isinstance(trigger, EventTrigger):
        inner = ", ".join(_said(each) for each in trigger.triggers)
        return f"{trigger.__struct_config__.tag} of {inner}"
    return f"{trigger.posture.value}: {', '.join(trigger.expect) or 'any event'}"


def _tags(actions: list[Any]) -> str:
    return ", ".join(str(each.__struct_config__.tag) for each in actions)
