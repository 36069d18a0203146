"""What an action is about: what its event is about, and what templates may say of that."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import quote
from uuid import UUID

from prefect.exceptions import InvalidTemplate, ObjectNotFound
from prefect.operations.automations import read_automation
from prefect.operations.deployments import read_deployment
from prefect.operations.flow_runs import read_flow_run
from prefect.operations.flows import read_flow
from prefect.operations.templates import render_template
from prefect.operations.variables import read_variable_by_name
from prefect.operations.work_queues import read_work_queue
from prefect.rules.templates import is_template
from prefect.schemas.base import jsonable
from prefect.schemas.triggered import TriggeredAction
from prefect.settings import get_current_settings
from prefect.store.base import Store
from prefect.store.tables import work_pools
from prefect.store.work_pools import pools

__all__ = ["CHAIN_LABEL", "Targets"]

CHAIN_LABEL = "prefect.automation.chain"
"""The label of a run that says which automations had one make the next until it was made."""
_KIND = "__prefect_kind"
_PAGES = {
    "Automation": "automations/automation",
    "Deployment": "deployments/deployment",
    "Flow": "flows/flow",
    "FlowRun": "runs/flow-run",
    "WorkQueue": "work-queues/work-queue",
}
"""Where the pages are that show something, by what it is."""


class Targets:
    """What an action is about.

    Args:
        store: The store.
        wanted: The action.
    """

    def __init__(self, store: Store, wanted: TriggeredAction) -> None:
        self._store = store
        self._wanted = wanted
        self.named: list[tuple[str, UUID, str]] = []
        """What it was found to be about: kind, id and role."""

    def target(self, kind: str, given: UUID | None) -> UUID | None:
        """Return what is to be acted upon.

        Args:
            kind: What it is, such as `flow-run`.
            given: Which, if the action says so; None: the one that its event is about.
        """
        found = self._inferred(kind) if given is None else given
        if found is not None:
            self.named.append((kind, found, "target"))
        return found

    def name_of_pool(self, pool_id: UUID) -> str | None:
        """Return the name of a work pool; None where there is none."""
        pool = pools.first(self._store, work_pools.c.id == pool_id.hex)
        return None if pool is None else pool.name

    def chain(self) -> list[str]:
        """Return which automations had one make the next, up to the run that the event is about."""
        run = self._read("flow-run", partial(read_flow_run, self._store))
        return [] if run is None else str(run.labels.get(CHAIN_LABEL, "")).split()

    def fill(self, value: Any) -> Any:
        """Return a JSON value whose templates are filled in.

        Args:
            value: The value; a text with braces is a template, and so is what says that it is one by
                `__prefect_kind`.

        Raises:
            prefect.exceptions.InvalidTemplate: A template is none.
            prefect.exceptions.ObjectNotFound: There is no such variable, or Jinja is not installed.
        """
        if isinstance(value, str) and is_template(value):
            values = {name: find() for name, find in self._values().items() if name in value}
            return render_template(self._store, value, values)
        if isinstance(value, list):
            return [self.fill(each) for each in value]
        if not isinstance(value, dict):
            return value
        kind = value.get(_KIND)
        if kind == "jinja":
            return self.fill(value.get("template", ""))
        if kind == "json":
            text = self.fill(value.get("value", "null"))
            try:
                return json.loads(text)
            except (TypeError, ValueError) as error:
                raise InvalidTemplate(f"It gives no JSON: {error}", 0, str(text)) from error
        if kind == "workspace_variable":
            return read_variable_by_name(self._store, str(value.get("variable_name"))).value
        return {name: self.fill(each) for name, each in value.items() if name != _KIND}

    def _inferred(self, kind: str) -> UUID | None:
        return next(self._ids(kind), None)

    def _ids(self, kind: str) -> Iterator[UUID]:
        event = self._wanted.event
        start = f"prefect.{kind}."
        for labels in () if event is None else (event.resource, *event.related):
            what = labels.get("prefect.resource.id", "")
            if what.startswith(start):
                try:
                    yield UUID(what.removeprefix(start))
                except ValueError:
                    continue

    def _read(self, kind: str, read: Callable[[UUID], Any]) -> Any:
        found = self._inferred(kind)
        if found is None:
            return None
        try:
            return read(found)
        except ObjectNotFound:
            return None

    def _values(self) -> dict[str, Callable[[], Any]]:
        """Return what templates may name, each with how it is found."""
        store, wanted = self._store, self._wanted
        return {
            "automation": lambda: _told(read_automation(store, wanted.automation_id)),
            "event": lambda: _event(wanted),
            "labels": lambda: wanted.labels,
            "flow_run": lambda: _told(self._read("flow-run", partial(read_flow_run, store))),
            "flow": lambda: _told(self._read("flow", partial(read_flow, store))),
            "deployment": lambda: _told(self._read("deployment", partial(read_deployment, store))),
            "work_queue": lambda: _told(self._read("work-queue", partial(read_work_queue, store))),
            "work_pool": self._told_pool,
        }

    def _told_pool(self) -> Any:
        pool = self._read("work-pool", self._pool)
        # The pages of pools go by name.
        return None if pool is None else _told(pool, f"work-pools/work-pool/{quote(pool.name)}")

    def _pool(self, pool_id: UUID) -> Any:
        return pools.first(self._store, work_pools.c.id == pool_id.hex)


def _told(one: Any, page: str | None = None) -> Any:
    """Return what templates may know of something: plain values, and the address of its page.

    Args:
        one: What it is.
        page: The path of its page, where it is not that of its kind and id.
    """
    # As plain values, because objects of the data model can do more than templates may.
    if one is None:
        return None
    told = jsonable(one)
    base = get_current_settings().ui_url
    kind = _PAGES.get(type(one).__name__)
    path = page or (f"{kind}/{one.id}" if kind else None)
    if base and path:
        told["ui_url"] = f"{base.rstrip('/')}/{path}"
    return told


def _event(wanted: TriggeredAction) -> Any:
    event = wanted.event
    if event is None:
        return None
    told = _told(event, f"events/event/{event.occurred.date()}/{event.id}")
    return {**told, "resource": _labels(event.resource), "related": [_labels(each) for each in event.related]}


def _labels(labels: dict[str, str]) -> dict[str, str]:
    """Return labels of a resource, which templates may ask for its id, name and role by these names."""
    short = {name: labels.get(f"prefect.resource.{name}", "") for name in ("id", "name", "role")}
    return short | labels
