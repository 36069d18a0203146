"""Chooses among the deployments of a project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from prefect.deployments.project.file import Entry, ProjectFile
from prefect.deployments.project.looking import read_here
from prefect.exceptions import ConfigurationError

__all__ = ["overridden", "select"]


def select(project: ProjectFile, names: Sequence[str], entrypoint: str | None, *, all_: bool) -> list[Entry]:
    """Return the deployments that are meant.

    Args:
        project: The project.
        names: Their names, `deployment` or `flow/deployment`, in which `*` stands for anything.
        entrypoint: The flow of one that the file need not have.
        all_: Whether all that have a name are meant, if none is named.

    Raises:
        prefect.exceptions.ConfigurationError: A name leads to none, or it is not clear which are meant.
    """
    if not names and not all_:
        return [_only(project, entrypoint)]
    named = [each for each in project.entries if each.name]
    if not names:
        if not named and not project.path.exists():
            raise ConfigurationError(
                f"There is no {project.path} here, in which deployments are kept: `prefect init` makes it."
            )
        if not named:
            raise ConfigurationError(f"{project.path} has no deployments with a name.")
        return named
    chosen: list[Entry] = []
    for name in names:
        found = [each for each in named if _is_meant(each, name)]
        if not found and entrypoint is not None and not _is_pattern(name):
            found = [_new(project, {"name": name})]
        if not found:
            known = ", ".join(repr(each.name) for each in named) or "none"
            raise ConfigurationError(f"{project.path} has no deployment {name!r}. It has {known}.")
        chosen += [each for each in found if all(each is not one for one in chosen)]
    return chosen


def _only(project: ProjectFile, entrypoint: str | None) -> Entry:
    if entrypoint is not None:
        return _new(project, {})
    named = [each for each in project.entries if each.name]
    if len(named) == 1:
        return named[0]
    if named:
        known = ", ".join(repr(each.name) for each in named)
        raise ConfigurationError(f"Which deployment? {project.path} has {known}: give --name, or --all.")
    raise ConfigurationError(
        "Which flow? Give its entrypoint, such as `prefect deploy flows.py:load --name daily --pool my-pool`,"
        f" or write deployments into {project.path}: `prefect init` makes that file."
    )


def _new(project: ProjectFile, fields: Mapping[str, Any]) -> Entry:
    return Entry({**project.steps, **fields}, "the command line")


def _is_pattern(name: str) -> bool:
    return "*" in name or "/" in name


def _is_meant(entry: Entry, pattern: str) -> bool:
    flow, slash, own = pattern.rpartition("/")
    if not _fits(entry.name or "", own):
        return False
    return not slash or any(_fits(each, flow) for each in _flows_of(entry))


def _fits(text: str, pattern: str) -> bool:
    # Of the special characters of file names, only `*` is one here.
    return fnmatchcase(text, pattern.replace("[", "[[]").replace("?", "[?]"))


def _flows_of(entry: Entry) -> list[str]:
    """Return what the flow of a deployment may be called: its name, and that of its function."""
    entrypoint = entry.fields.get("entrypoint")
    if not isinstance(entrypoint, str):
        return []
    function = entrypoint.replace(":", ".").rpartition(".")[2]
    source = read_here(entrypoint)
    return [function, function.replace("_", "-"), *([source.name] if source else [])]


def overridden(entry: Entry, changes: Mapping[str, Any]) -> Entry:
    """Return a deployment with some fields changed; parameters and job variables each by itself.

    Args:
        entry: The deployment.
        changes: The fields; `work_pool` has those that change.
    """
    fields = dict(entry.fields)
    for name, value in changes.items():
        if name == "parameters":
            fields[name] = {**_mapping(fields.get(name)), **value}
        elif name == "work_pool":
            fields[name] = _pool(_mapping(fields.get(name)), value)
        elif name == "schedules":
            fields["schedule"], fields[name] = None, value
        elif (
            name == "concurrency_limit" and isinstance(fields.get(name), Mapping) and isinstance(value, dict)
        ):
            fields[name] = {**fields[name], **value}
        else:
            fields[name] = value
    return entry._replace(fields=fields)


def _pool(had: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**had, **changes}
    if "job_variables" in changes:
        merged["job_variables"] = {**_mapping(had.get("job_variables")), **changes["job_variables"]}
    return merged


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
