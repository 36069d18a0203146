"""Reads `prefect.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from prefect.deployments.project.document import Document, read_document
from prefect.deployments.project.fields import OF_PROJECT, Problem, problems_in
from prefect.exceptions import ConfigurationError

__all__ = ["Entry", "ProjectFile", "read_project"]

_STEPS = ("build", "push", "pull")


class Entry(NamedTuple):
    """A deployment, as the file says it."""

    fields: Mapping[str, Any]
    """As they stand there; what the project says for all deployments is filled in."""
    where: str
    """The file and the line."""

    @property
    def name(self) -> str | None:
        """The deployment's name."""
        return self.fields.get("name")


class ProjectFile(NamedTuple):
    """What a `prefect.yaml` says."""

    path: Path
    entries: list[Entry]
    steps: Mapping[str, Any]
    """The steps of all deployments that have none of their own: `build`, `push` and `pull`."""


def read_project(path: Path) -> ProjectFile:
    """Read a `prefect.yaml`.

    Args:
        path: The file. If it is not there, it says nothing.

    Raises:
        prefect.exceptions.ConfigurationError: It is no YAML, or says what makes no sense: each problem, with
            its line, its deployment and its field.
    """
    if not path.exists():
        return ProjectFile(path, [], {})
    document = read_document(path)
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        raise ConfigurationError(f"{path} needs a mapping with `deployments`, and has {type(data).__name__}.")
    problems = [_shown(document, data, each) for each in problems_in(data, OF_PROJECT)]
    if problems:
        raise ConfigurationError("\n".join(problems))
    steps = {name: data.get(name) for name in _STEPS}
    entries = [
        Entry(_with_steps(each, steps), document.where("deployments", place))
        for place, each in enumerate(data.get("deployments") or [])
    ]
    return ProjectFile(path, entries, steps)


def _with_steps(fields: Mapping[str, Any], steps: Mapping[str, Any]) -> dict[str, Any]:
    own = {name: fields[name] for name in _STEPS if fields.get(name) is not None}
    return {**fields, **steps, **own}


def _shown(document: Document, data: Mapping[str, Any], problem: Problem) -> str:
    path, text = problem
    parts: list[str] = [document.where(*path)]
    if len(path) > 1 and path[0] == "deployments":
        entry = data["deployments"][path[1]]
        name = entry.get("name") if isinstance(entry, dict) else None
        parts.append(f"deployment {name!r}" if name else f"deployment {int(path[1]) + 1}")
        path = path[2:]
    field = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path)
    return (
        ", ".join(parts) + f", {field.removeprefix('.')}: {text}" if field else f"{', '.join(parts)}: {text}"
    )
