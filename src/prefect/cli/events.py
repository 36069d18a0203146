"""`prefect events`: tell events, and follow them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from prefect.cli.commands import Flag, Group
from prefect.cli.moments import local
from prefect.events import emit_event, get_events_subscriber
from prefect.events.schemas.events import ReceivedEvent
from prefect.exceptions import ConfigurationError
from prefect.schemas.base import encode_json, whole

__all__ = ["run"]

group = Group("events")
run = group.run


@group.command("stream")
def stream(
    *,
    format: Literal["json", "text"] = "json",
    output_file: Annotated[str | None, Flag(metavar="FILE")] = None,
    run_once: bool = False,
) -> None:
    """Print events as they come, until Ctrl-C.

    Args:
        format: A JSON document a line, or words.
        output_file: Add them to a file, and print nothing.
        run_once: Only the first.
    """
    asyncio.run(_stream(format, output_file, run_once))


async def _stream(format: str, output_file: str | None, run_once: bool) -> None:
    async with get_events_subscriber() as subscriber:
        async for event in subscriber:
            line = encode_json(event).decode() if format == "json" else _words(event)
            if output_file is None:
                print(line, flush=True)
            else:
                await asyncio.to_thread(_add_line, Path(output_file), line)
            if run_once:
                return


def _words(event: ReceivedEvent) -> str:
    return f"{local(event.occurred)}  {event.event}  {event.resource['prefect.resource.id']}"


def _add_line(path: Path, line: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


@group.command("emit")
def emit(
    event: Annotated[str, Flag(metavar="NAME")],
    *,
    resource: Annotated[list[str] | None, Flag(short="-r", metavar="KEY=VALUE")] = None,
    resource_id: Annotated[str | None, Flag(metavar="ID")] = None,
    related: Annotated[str | None, Flag(metavar="JSON")] = None,
    payload: Annotated[str | None, Flag(short="-p", metavar="JSON")] = None,
) -> None:
    """Tell an event.

    Args:
        event: Its name.
        resource: A label of what it happened to, or labels as JSON. Can be given several times.
        resource_id: Which it happened to: short for --resource prefect.resource.id=ID.
        related: Labels of other resources, as JSON: an object, or a list of such.
        payload: Anything more, as a JSON object.
    """
    labels = _labels(resource or [])
    if resource_id is not None:
        labels["prefect.resource.id"] = resource_id
    if "prefect.resource.id" not in labels:
        raise ConfigurationError("Say what it happened to: --resource-id ID.")
    others: Any = (
        [] if related is None else _json("--related", related, dict[str, str] | list[dict[str, str]])
    )
    more = {} if payload is None else _json("--payload", payload, dict[str, Any])
    try:
        told = emit_event(
            event, labels, related=others if isinstance(others, list) else [others], payload=more
        )
    except ValueError as error:
        raise ConfigurationError(f"{error}.") from error
    print(f"Emitted event {told.event!r} with ID {told.id}")


def _labels(given: list[str]) -> dict[str, str]:
    labels: dict[str, str] = {}
    for text in given:
        if text.lstrip().startswith("{"):
            labels |= _json("--resource", text, dict[str, str])
            continue
        name, equals, value = text.partition("=")
        if not equals:
            raise ConfigurationError(f"--resource takes KEY=VALUE or JSON, not {text!r}.")
        labels[name] = value
    return labels


def _json(option: str, text: str, wanted: Any) -> Any:
    try:
        return msgspec.json.decode(text, type=whole(wanted))
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"{option} does not fit: {error}.") from error
