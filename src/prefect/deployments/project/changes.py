"""Compares what is to be deployed with what is there."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from prefect.schemas.base import encode_json
from prefect.schemas.deployments import (
    DeploymentCreate,
    DeploymentResponse,
    DeploymentSchedule,
    DeploymentScheduleCreate,
)
from prefect.schemas.schedules import AnySchedule, IntervalSchedule, RRuleSchedule

__all__ = ["changes_of", "with_anchors"]

_COMPARED = (
    "description",
    "version",
    "entrypoint",
    "path",
    "paused",
    "parameters",
    "parameter_openapi_schema",
    "enforce_parameter_schema",
    "tags",
    "pull_steps",
    "job_variables",
    "work_pool_name",
    "concurrency_options",
)


def changes_of(had: DeploymentResponse, wanted: DeploymentCreate) -> list[str]:
    """Return the names of the fields in which a deployment is to change.

    Args:
        had: The deployment as it is.
        wanted: The deployment as it is to be.
    """
    changes = [
        name
        for name in _COMPARED
        if getattr(wanted, name) is not UNSET and not _same(getattr(had, name), getattr(wanted, name))
    ]
    if (wanted.work_queue_name or "default") != (had.work_queue_name or "default"):
        changes.append("work_queue_name")
    limit = had.global_concurrency_limit.limit if had.global_concurrency_limit else had.concurrency_limit
    if wanted.concurrency_limit is not UNSET and wanted.concurrency_limit != limit:
        changes.append("concurrency_limit")
    if sorted(map(_gist, had.schedules)) != sorted(map(_gist, wanted.schedules)):
        changes.append("schedules")
    return changes


def _same(one: Any, other: Any) -> bool:
    # Servers keep nothing and an empty value alike.
    return (not one and not other) or _plain(one) == _plain(other)


def _plain(value: Any) -> bytes:
    return encode_json(_sorted(value))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def _gist(one: DeploymentSchedule | DeploymentScheduleCreate) -> bytes:
    return _plain([_when(one.schedule), one.active, one.max_scheduled_runs, one.parameters, one.slug])


def _when(schedule: AnySchedule) -> list[Any]:
    """Return what a schedule says, however it was written."""
    zone = schedule.timezone or "UTC"
    if isinstance(schedule, IntervalSchedule):
        return [schedule.interval.total_seconds(), schedule.anchor_date.timestamp(), zone]
    if isinstance(schedule, RRuleSchedule):
        return [str(schedule.to_rrule()), zone]
    return [schedule.cron, schedule.day_or, zone]


def with_anchors(had: DeploymentResponse, wanted: DeploymentCreate, given: list[bool]) -> DeploymentCreate:
    """Return a deployment whose intervals count from where they counted before, if nobody says from where.

    Else each deploy would begin them anew, and move all their runs.

    Args:
        had: The deployment as it is.
        wanted: The deployment as it is to be.
        given: For each of its schedules, whether it says what it counts from.
    """
    left = [each for each in had.schedules if isinstance(each.schedule, IntervalSchedule)]
    schedules = []
    for each, has_anchor in zip(wanted.schedules, given, strict=True):
        found = None
        if isinstance(each.schedule, IntervalSchedule) and not has_anchor:
            found = next((one for one in left if _is_before(one, each)), None)
        if found is None:
            schedules.append(each)
            continue
        left.remove(found)
        assert isinstance(found.schedule, IntervalSchedule)
        schedules.append(
            replace(each, schedule=replace(each.schedule, anchor_date=found.schedule.anchor_date))
        )
    return replace(wanted, schedules=schedules)


def _is_before(had: DeploymentSchedule, wanted: DeploymentScheduleCreate) -> bool:
    assert isinstance(wanted.schedule, IntervalSchedule) and isinstance(had.schedule, IntervalSchedule)
    same = had.schedule.interval == wanted.schedule.interval
    return (
        same
        and had.slug == wanted.slug
        and (had.schedule.timezone or "UTC") == (wanted.schedule.timezone or "UTC")
    )
