"""What is done, and how often: one row for each service.

A service looks at the store once and does what is due. It is safe beside others of its kind, in this process
and in others, so that every server process has all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from prefect.operations import crash_orphans
from prefect.operations.automation_actions import act_on_triggers
from prefect.operations.automation_messages import send_messages
from prefect.operations.automation_triggers import follow_events, has_automations
from prefect.operations.overdue import (
    drop_expired_slots,
    end_cancelled_runs,
    end_expired_pauses,
    mark_late_runs,
)
from prefect.operations.readiness import tell_who_is_gone
from prefect.operations.retention import forget_events, forget_flow_runs
from prefect.operations.schedules import plan_runs
from prefect.operations.system_blocks import install_system_block_types
from prefect.rules.planning import Horizon
from prefect.settings.root import Settings
from prefect.settings.services_table import SchedulerSettings
from prefect.store.base import Store
from prefect.store.watching import StoreWatch

__all__ = ["SYSTEM_BLOCKS", "Service", "services_of"]

_MARGIN = timedelta(seconds=30)
"""How far back recent changes are looked for, so that no look between two loops misses one."""
_EVENTS_SECONDS = 1.0
"""How often to look whether events came: one small query, where none did; none, where SQLite says so."""


class Service(NamedTuple):
    """Something that is done again and again."""

    name: str
    every: float
    """Seconds between two looks."""
    run_once: Callable[[Store, datetime], object]
    waits: bool = False
    """Whether it may wait for servers of others, and has a thread of its own, so that no other one does."""


SYSTEM_BLOCKS = Service("system block types", 86_400.0, lambda store, at: install_system_block_types(store))
"""What a server looks after when it has started, for those who list block types before anybody made one."""


def services_of(settings: Settings) -> list[Service]:
    """Return the services that the settings switch on.

    Args:
        settings: The settings.
    """
    wanted = settings.server.services
    late, pauses, cancelled = wanted.late_runs, wanted.pause_expirations, wanted.cancellation_cleanup
    found: list[Service] = []
    if wanted.scheduler.enabled:
        found += _scheduling(wanted.scheduler)
    if late.enabled:
        found.append(
            Service(
                "late runs",
                late.loop_seconds,
                lambda store, at: mark_late_runs(store, at, late.after_seconds),
            )
        )
    if pauses.enabled:
        found.append(Service("pause expirations", pauses.loop_seconds, end_expired_pauses))
    if cancelled.enabled:
        timeout = timedelta(seconds=cancelled.cancelling_timeout_seconds)
        found.append(
            Service(
                "cancellation cleanup",
                cancelled.loop_seconds,
                lambda store, at: end_cancelled_runs(store, at, timeout),
            )
        )
    if wanted.foreman.enabled:
        found.append(Service("foreman", wanted.foreman.loop_seconds, tell_who_is_gone))
    if wanted.repossessor.enabled:
        found.append(Service("repossessor", wanted.repossessor.loop_seconds, _repossess))
    if wanted.triggers.enabled:
        found.append(Service("automations", _EVENTS_SECONDS, _Automating(_automate)))
        messages = _Automating(send_messages)
        found.append(Service("messages of automations", _EVENTS_SECONDS, messages, waits=True))
    return found + _retention(settings)


def _scheduling(settings: SchedulerSettings) -> list[Service]:
    horizon = Horizon(
        settings.min_runs, settings.max_runs, settings.min_scheduled_time, settings.max_scheduled_time
    )
    size = settings.deployment_batch_size

    def plan(store: Store, at: datetime) -> int:
        return plan_runs(store, at, horizon, batch_size=size)

    recently = _MARGIN + timedelta(seconds=settings.recent_deployments_loop_seconds)

    def plan_recent(store: Store, at: datetime) -> int:
        return plan_runs(store, at, horizon, changed_since=at - recently, batch_size=size)

    return [
        Service("scheduler", settings.loop_seconds, plan),
        Service("recent deployments", settings.recent_deployments_loop_seconds, plan_recent),
    ]


def _repossess(store: Store, at: datetime) -> None:
    crash_orphans(store, at)
    drop_expired_slots(store, at)


def _automate(store: Store, at: datetime) -> int:
    return follow_events(store, at) + act_on_triggers(store, at)


class _Automating:
    """Does its part of automations, and rests while there are none and nothing is written to the store.

    Args:
        part: What is done.
    """

    def __init__(self, part: Callable[[Store, datetime], int]) -> None:
        self._part = part
        self._watch: StoreWatch | None = None
        self._rests = False

    def __call__(self, store: Store, at: datetime) -> int:
        if self._rests and self._watch is not None and self._watch.is_able and not self._watch.has_changed():
            return 0
        self._rests = not has_automations(store)
        # Not before: there may have been no database yet.
        self._watch = self._watch or StoreWatch(store)
        return 0 if self._rests else self._part(store, at)


def _retention(settings: Settings) -> list[Service]:
    vacuum = settings.server.services.db_vacuum
    asked = vacuum.enabled
    kinds = {"events", "flow_runs"} if asked is True else asked or set()
    found: list[Service] = []
    if "events" in kinds:
        keep_events = settings.server.events.retention_period
        found.append(
            Service(
                "retention of events",
                vacuum.loop_seconds,
                lambda store, at: forget_events(store, at - keep_events, vacuum.batch_size),
            )
        )
    if "flow_runs" in kinds:
        keep_runs = vacuum.retention_period
        found.append(
            Service(
                "retention of flow runs",
                vacuum.loop_seconds,
                lambda store, at: forget_flow_runs(store, at - keep_runs, vacuum.batch_size),
            )
        )
    return found
