"""The rows of runs that schedules make, written without making each run.

A pass of the scheduler may plan tens of thousands of runs, which differ by their ids, names and times, and
are else what their deployment and schedule say. So the codecs write the rows of one run, and what differs is
put into copies of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from io import BytesIO
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import select

from prefect.operations.deployment_runs import DEPLOYMENT_ID_LABEL
from prefect.operations.flow_run_events import event_of, related_to, remember_name
from prefect.operations.subflows import FLOW_ID_LABEL
from prefect.rules.bookkeeping import enter_state
from prefect.rules.names import random_name
from prefect.schemas.objects import CreatedBy, FlowRun
from prefect.schemas.states import NO_DETAILS, State, StateType
from prefect.store import statements
from prefect.store.base import Connection
from prefect.store.codec import flow_run_row, flow_run_state_row
from prefect.store.conditions.base import among
from prefect.store.events import event_row
from prefect.store.state_documents import details_to_keep
from prefect.store.tables import events, flow_run_states, flow_runs
from prefect.store.values import Row, json_text, read_id
from prefect.types import format_utc, uuid7

__all__ = ["PlannedRows", "Scheduled", "Source", "place_of"]

AUTO_SCHEDULED = "auto-scheduled"
"""The tag of runs that a schedule made."""
_NOBODY = UUID(int=0)
_NAME = "the-name-of-a-run"

_RUN, _STATE, _EVENT = (
    {name: index for index, name in enumerate(columns)}
    for columns in (
        flow_runs.c.keys(),
        flow_run_states.c.keys(),
        # Its `position` is the database's to give.
        [column.name for column in events.c if column.name != "position"],
    )
)
_decode_tags = msgspec.json.Decoder(list[str]).decode
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


class Source(NamedTuple):
    """What runs take over from their deployment; documents as the store keeps them."""

    id: UUID
    name: str
    flow_id: UUID
    version: str | None
    parameters: str
    tags: str
    labels: str
    queue_id: UUID | None
    queue_name: str | None = None
    pool_id: UUID | None = None
    pool_name: str | None = None


class Scheduled(NamedTuple):
    """What runs take over from their schedule."""

    id: UUID
    parameters: str
    """As the store keeps them."""
    display_name: str


class PlannedRows:
    """Collects runs, and writes them with their states and events.

    Args:
        connection: A connection that may write.
        at: The current time.
    """

    def __init__(self, connection: Connection, at: datetime) -> None:
        self._connection = connection
        self._at = at
        self._runs: list[Row] = []
        self._states: list[Row] = []
        self._events: list[Row] = []
        self._random = BytesIO()
        self._sample = run = FlowRun(
            id=_NOBODY,
            created=at,
            updated=at,
            flow_id=_NOBODY,
            name=_NAME,
            deployment_id=_NOBODY,
            auto_scheduled=True,
            job_variables={},
        )
        state: State[Any] = State(type=StateType.SCHEDULED, message="Flow run scheduled", timestamp=at)
        enter_state(run, state)
        self._run, self._state = flow_run_row(run), flow_run_state_row(run.id, state)
        self._event = event_row(event_of(run, state, None, []), format_utc(at))
        head, _, rest = self._event[_EVENT["resource"]].partition(str(_NOBODY))
        middle, _, tail = rest.partition(_NAME)
        self._resource = head, middle, tail

    def add(self, source: Source, schedule: Scheduled, times: Iterable[datetime]) -> None:
        """Have a schedule's runs written.

        Args:
            source: The deployment.
            schedule: The schedule.
            times: When the runs start.
        """
        row, state, event = self._run_of(source, schedule), list(self._state), self._event_of(source)
        place, (head, middle, tail) = place_of(source.id, schedule.id), self._resource
        for due in times:
            key, state_key, name = uuid7().hex, uuid7().hex, random_name(self._random_bytes)
            text, shown, details = _written(due)
            row[_ID], row[_STATE_ID], row[_RUN_NAME] = key, state_key, name
            row[_EXPECTED] = row[_NEXT] = text
            row[_KEY] = place + shown
            self._runs.append(tuple(row))
            state[_STATE_KEY], state[_RUN_OF_STATE], state[_DETAILS] = state_key, key, details
            self._states.append(tuple(state))
            if event is not None:
                run_id = f"{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}"
                event[_EVENT_ID], event[_RESOURCE_ID] = state_key, f"prefect.flow-run.{run_id}"
                event[_RESOURCE] = f"{head}{run_id}{middle}{name}{tail}"
                self._events.append(tuple(event))

    def _random_bytes(self, count: int) -> bytes:
        """Draw random bytes for many names at once; a call of the system takes longer than a name."""
        drawn = self._random.read(count)
        if len(drawn) < count:
            self._random = BytesIO(os.urandom(4096))
            drawn = self._random.read(count)
        return drawn

    def write(self) -> int:
        """Write the runs but for those whose place is taken; return how many that were."""
        runs, states, told = self._runs, self._states, self._events
        if not runs:
            return 0
        written = self._connection.run_many(statements.INSERT_FLOW_RUN, runs)
        if written < len(runs):
            there = self._there([row[_ID] for row in runs])
            is_there = [row[_ID] in there for row in runs]
            states = [row for row, it_is in zip(states, is_there, strict=True) if it_is]
            told = [row for row, it_is in zip(told, is_there, strict=False) if it_is]
        self._connection.write_many(statements.INSERT_FLOW_RUN_STATE, states)
        if told:
            self._connection.write_many(statements.INSERT_EVENT, told)
        return written

    def _there(self, ids: Sequence[str]) -> set[str]:
        rows = self._connection.select(select(flow_runs.c.id).where(among(flow_runs.c.id, ids)))
        return {read_id(row[0]).hex for row in rows}

    def _run_of(self, source: Source, schedule: Scheduled) -> list[Any]:
        parameters = source.parameters
        if schedule.parameters != "{}":
            parameters = json_text({**_decode_object(parameters), **_decode_object(schedule.parameters)})
        labels = {
            **_decode_object(source.labels),
            FLOW_ID_LABEL: str(source.flow_id),
            DEPLOYMENT_ID_LABEL: str(source.id),
        }
        made_by = CreatedBy(id=schedule.id, type="SCHEDULE", display_value=schedule.display_name)
        row = list(self._run)
        for name, value in (
            ("flow_id", source.flow_id.hex),
            ("deployment_id", source.id.hex),
            ("deployment_version", source.version),
            ("work_queue_id", None if source.queue_id is None else source.queue_id.hex),
            ("work_queue_name", source.queue_name),
            ("work_pool_id", None if source.pool_id is None else source.pool_id.hex),
            ("work_pool_name", source.pool_name),
            ("parameters", parameters),
            ("tags", _tags(source.tags)),
            ("labels", json_text(labels)),
            ("created_by", json_text(made_by)),
        ):
            row[_RUN[name]] = value
        return row

    def _event_of(self, source: Source) -> list[Any] | None:
        if not self._connection.keeps_events:
            return None
        remember_name(self._connection, source.id, source.name)
        run = self._sample
        run.flow_id, run.deployment_id, run.tags = source.flow_id, source.id, _decode_tags(_tags(source.tags))
        run.work_queue_id, run.work_queue_name = source.queue_id, source.queue_name
        run.work_pool_id, run.work_pool_name = source.pool_id, source.pool_name
        row = list(self._event)
        row[_EVENT["related"]] = json_text(related_to(self._connection, run))
        return row


_ID, _STATE_ID, _RUN_NAME, _KEY = (_RUN[name] for name in ("id", "state_id", "name", "idempotency_key"))
_EXPECTED, _NEXT = _RUN["expected_start_time"], _RUN["next_scheduled_start_time"]
_STATE_KEY, _RUN_OF_STATE, _DETAILS = (_STATE[name] for name in ("id", "flow_run_id", "state_details"))
_EVENT_ID, _RESOURCE_ID, _RESOURCE = (_EVENT[name] for name in ("id", "resource_id", "resource"))


def place_of(deployment_id: UUID, schedule_id: UUID) -> str:
    """Return how the keys of a schedule's runs begin; the time of the run is what comes after it.

    Args:
        deployment_id: The deployment.
        schedule_id: The schedule.
    """
    return f"scheduled {deployment_id} {schedule_id} "


@lru_cache(maxsize=1000)
def _tags(text: str) -> str:
    return json_text(list(dict.fromkeys([AUTO_SCHEDULED, *_decode_tags(text)])))


@lru_cache(maxsize=1000)
def _written(due: datetime) -> tuple[str, str, str]:
    """Write a time as rows, keys and the details of states have it."""
    details = details_to_keep(msgspec.structs.replace(NO_DETAILS, scheduled_time=due))
    return format_utc(due), str(due), json_text(details)
