"""How runs become events: what a client tells a server of each state that a task run enters.

`task_run_events` reads them again. A record only holds the run as it is now, so the run is made to enter its
states once more, from the beginning: each event then says how it was at that state, however late it is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from prefect.rules.bookkeeping import enter_state
from prefect.schemas.events import Event
from prefect.schemas.objects import FlowRun, TaskRun, TaskRunRecord
from prefect.schemas.results import ResultRecord, ResultRecordMetadata
from prefect.schemas.states import State, StateDetails, StateType
from prefect.types import now, uuid7

__all__ = ["Place", "events_of", "heartbeat_of", "place_of"]

_LONGEST_LABEL = 10_000
"""Characters of a message in a label; the payload has all of it."""
_LONGEST_MESSAGE = 200_000
"""Characters of a message: servers refuse events that are too large."""
_MOST_TAGS = 50
"""Servers refuse events with more than a hundred related resources."""
_SAID_ELSEWHERE = frozenset({"flow_run_id", "task_run_id"})
_NO_DETAILS = StateDetails()
_HISTORY: dict[str, Any] = {
    "state": None,
    "state_id": None,
    "state_type": None,
    "state_name": None,
    "run_count": 0,
    "expected_start_time": None,
    "next_scheduled_start_time": None,
    "start_time": None,
    "end_time": None,
    "total_run_time": 0.0,
}
"""What entering states makes of a run, before the first."""

Labels = dict[str, str]


class Place(NamedTuple):
    """What events say of the flow run that something happened in."""

    flow_run: Labels
    others: tuple[Labels, ...]
    """Its flow and, where it has them, its deployment and where it came from."""
    tags: tuple[str, ...]


def place_of(run: FlowRun, flow_name: str) -> Place:
    """Return what events say of a flow run.

    Args:
        run: The flow run.
        flow_name: Its flow.
    """
    others = [_related("flow", run.flow_id, flow_name)]
    if run.deployment_id is not None:
        others.append(_related("deployment", run.deployment_id, None))
    if run.work_queue_id is not None:
        others.append(_related("work-queue", run.work_queue_id, run.work_queue_name))
    if run.work_pool_id is not None:
        others.append(_related("work-pool", run.work_pool_id, run.work_pool_name))
    return Place(_related("flow-run", run.id, run.name), tuple(others), tuple(run.tags))


def events_of(record: TaskRunRecord, after: int, place: Place | None) -> Iterator[Event]:
    """Make the events of the states that a task run has entered.

    Args:
        record: The run and its states, which other threads may add to meanwhile.
        after: How many of its states are left out, from the first.
        place: Where it runs; None where only the id of its flow run is known, or it has none.
    """
    states = list(record.states)
    if len(states) <= after:
        return
    run = msgspec.structs.replace(record.run, **_HISTORY)
    related: list[Labels] = [_tag(tag) for tag in run.tags[:_MOST_TAGS]]
    if place is not None:
        related += [place.flow_run, *place.others]
    elif run.flow_run_id is not None:
        related.append(_related("flow-run", run.flow_run_id, None))
    before: State[Any] | None = None
    for position, state in enumerate(states):
        enter_state(run, state)
        if position >= after:
            yield _event(run, before, state, related)
        before = state


def heartbeat_of(place: Place, version: str) -> Event:
    """Make the event that says that a flow run is alive.

    Args:
        place: The run.
        version: The release that runs it.
    """
    resource = {name: label for name, label in place.flow_run.items() if name != "prefect.resource.role"}
    return Event(
        id=uuid7(),
        occurred=now(),
        event="prefect.flow-run.heartbeat",
        resource={**resource, "prefect.version": version},
        related=[*place.others, *(_tag(tag) for tag in place.tags[:_MOST_TAGS])],
    )


def _event(run: TaskRun, before: State[Any] | None, state: State[Any], related: Sequence[Labels]) -> Event:
    message = state.message or ""
    return Event(
        id=state.id,
        occurred=state.timestamp,
        event=f"prefect.task-run.{state.name}",
        resource={
            "prefect.resource.id": f"prefect.task-run.{run.id}",
            "prefect.resource.name": run.name,
            "prefect.run-count": str(run.run_count),
            "prefect.state-message": message[:_LONGEST_LABEL],
            "prefect.state-name": state.name or "",
            "prefect.state-timestamp": state.timestamp.isoformat(),
            "prefect.state-type": state.type.value,
            "prefect.orchestration": "client",
        },
        related=list(related),
        payload={
            "intended": {"from": None if before is None else before.type.value, "to": state.type.value},
            "initial_state": None if before is None else _told(before),
            "validated_state": {**_told(state), "data": _data(state)},
            "task_run": _told_run(run),
        },
        follows=None if before is None else before.id,
    )


def _told(state: State[Any]) -> dict[str, Any]:
    message = state.message or ""
    return {
        "type": state.type.value,
        "name": state.name,
        "message": message[:_LONGEST_MESSAGE],
        "state_details": _details(state),
    }


def _details(state: State[Any]) -> dict[str, Any]:
    details = state.state_details
    told = {
        name: value
        for name in details.__struct_fields__
        if name not in _SAID_ELSEWHERE and (value := getattr(details, name)) != getattr(_NO_DETAILS, name)
    }
    if state.type is StateType.COMPLETED and _data(state) is None:
        told["untrackable_result"] = True
    return told


def _data(state: State[Any]) -> Any:
    """Return where a result is kept; what lives in this process is nobody else's."""
    data = state.data.metadata if isinstance(state.data, ResultRecord) else state.data
    return data if isinstance(data, ResultRecordMetadata | dict) else None


def _told_run(run: TaskRun) -> dict[str, Any]:
    told = {
        name: getattr(run, name)
        for name in (
            "name",
            "task_key",
            "dynamic_key",
            "empirical_policy",
            "tags",
            "labels",
            "task_inputs",
            "run_count",
            "flow_run_run_count",
            "total_run_time",
        )
    }
    for name in (
        "task_version",
        "cache_key",
        "cache_expiration",
        "expected_start_time",
        "next_scheduled_start_time",
        "start_time",
        "end_time",
    ):
        value = getattr(run, name)
        if value is not None:
            told[name] = value
    return told


def _tag(tag: str) -> Labels:
    return {"prefect.resource.id": f"prefect.tag.{tag}", "prefect.resource.role": "tag"}


def _related(kind: str, resource_id: UUID, name: str | None) -> Labels:
    labels = {"prefect.resource.id": f"prefect.{kind}.{resource_id}", "prefect.resource.role": kind}
    return labels if name is None else {**labels, "prefect.resource.name": name}
