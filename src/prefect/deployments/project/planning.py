"""Finds out what deploying comes to, and what is wrong with it, before anything is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from prefect.client.base import Caller
from prefect.deployments.project.facts import FlowFacts, Looked, Request
from prefect.deployments.project.fields import OF_DEPLOYMENT, problems_in
from prefect.deployments.project.file import Entry
from prefect.deployments.project.looking import look_at
from prefect.deployments.project.problems import Pools, notes_of, problems_of, with_typed_variables
from prefect.deployments.project.templating import filled_fields, filled_pull_steps
from prefect.deployments.project.wanted import Wanted, default_pull_steps, wanted_of
from prefect.exceptions import PrefectException
from prefect.schemas.base import Schema

__all__ = ["Planned", "all_problems", "filled", "plan"]

_TEXTS = ("name", "version", "description")


class Planned(Schema):
    """What is known of a deployment before it is deployed."""

    entry: Any
    """Its `Entry`."""
    facts: FlowFacts | None = None
    wanted: Wanted | None = None
    problems: list[str] = msgspec.field(default_factory=list)
    notes: list[str] = msgspec.field(default_factory=list)

    @property
    def shown(self) -> str:
        """What messages call it."""
        if self.wanted is not None:
            return self.wanted.full_name
        name = self.entry.fields.get("name")
        return str(name) if name else f"the deployment at {self.entry.where}"


def plan(entries: Sequence[Entry], client: Caller, *, as_worker: bool = False) -> list[Planned]:
    """Find out what deploying some deployments comes to. Nothing is changed, and no flow is run.

    Args:
        entries: The deployments.
        client: Whom to ask.
        as_worker: Whether the flows are looked for where workers look: by the pull steps. Else, here.

    Returns:
        What is known of each, in their order.
    """
    planned = [Planned(entry=each) for each in entries]
    fields = [_fields(each, client) for each in planned]
    requests = [_request(each, as_worker=as_worker) for each in fields]
    asked = [request for request in requests if request is not None]
    looked = iter(look_at(asked))
    pools = Pools(client)
    for each, known, request in zip(planned, fields, requests, strict=True):
        answer = next(looked) if request is not None else None
        _settle(each, known, answer, pools)
    _refuse_doubles(planned)
    return planned


def _fields(planned: Planned, client: Caller) -> dict[str, Any] | None:
    """Return a deployment's fields, as far as they are known before its build steps are run."""
    fields: Mapping[str, Any] = planned.entry.fields
    try:
        return filled(planned.entry, client, None if fields.get("build") else {})
    except (PrefectException, ValueError) as error:
        planned.problems.append(str(error))
        return None


def filled(entry: Entry, client: Caller, outputs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a deployment's fields with what they refer to.

    Args:
        entry: The deployment.
        client: Whom to ask for blocks and variables.
        outputs: What its build and push steps returned; None: they were not run yet.

    Raises:
        prefect.exceptions.ConfigurationError: Something that a field refers to is not there.
        ValueError: What it refers to does not fit.
    """
    fields = filled_fields(entry.fields, client, outputs, entry.where)
    for name in _TEXTS:
        # What a placeholder stood for may be a number.
        if isinstance(fields.get(name), int | float):
            fields[name] = str(fields[name])
    problems = [f"{_path(path)}: {text}" for path, text in problems_in(fields, OF_DEPLOYMENT)]
    if problems:
        raise ValueError("; ".join(problems))
    if fields.get("pull") is not None:
        fields["pull"] = filled_pull_steps(fields["pull"], outputs or {})
    return fields


def _path(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path).removeprefix(".")


def _request(fields: Mapping[str, Any] | None, *, as_worker: bool) -> Request | None:
    entrypoint = (fields or {}).get("entrypoint")
    if fields is None or not isinstance(entrypoint, str) or "{{" in entrypoint:
        return None
    if not as_worker:
        return Request(entrypoint=entrypoint)
    job_variables = (fields.get("work_pool") or {}).get("job_variables") or {}
    if fields.get("pull") is None and job_variables.get("image"):
        return Request(entrypoint=entrypoint)
    steps = fields["pull"] if fields.get("pull") is not None else default_pull_steps()
    return Request(entrypoint=entrypoint, steps=steps)


def _settle(planned: Planned, fields: dict[str, Any] | None, looked: Looked | None, pools: Pools) -> None:
    if fields is None:
        return
    if looked is None:
        planned.problems.append(
            "it needs an entrypoint, known before anything is built: the flow's file and its name in it, "
            "such as flows.py:load."
        )
        return
    planned.notes += looked.notes
    if looked.facts is None:
        planned.problems.append(f"entrypoint: {looked.problem}")
        return
    planned.facts = looked.facts
    try:
        planned.wanted = with_typed_variables(wanted_of(_plain(fields), looked.facts), pools)
    except (ValueError, TypeError, PrefectException) as error:
        planned.problems.append(str(error))
        return
    planned.problems += problems_of(planned.wanted, pools)
    planned.notes += notes_of(planned.wanted, pools)


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    """Leave out what a build step is still to say where a text does not do."""
    kept = {}
    for name, value in fields.items():
        is_open = isinstance(value, str) and value.strip().startswith("{{") and name not in (*_TEXTS, "tags")
        kept[name] = None if is_open else value
    return kept


def _refuse_doubles(planned: Sequence[Planned]) -> None:
    """Say which deployments would take each other's place."""
    seen: dict[str, Planned] = {}
    for each in planned:
        if each.wanted is None:
            continue
        other = seen.setdefault(each.wanted.full_name, each)
        if other is not each:
            each.problems.append(f"its name is that of the deployment at {other.entry.where}.")


def all_problems(planned: Sequence[Planned]) -> Iterator[str]:
    """Yield what is wrong with deployments, each with the deployment's name.

    Args:
        planned: The deployments.
    """
    for each in planned:
        for text in each.problems:
            yield f"{each.shown}: {text}"
