"""Where a recorder writes when runs are recorded by a server.

Each state that a task run enters is an event, sent by the socket; a task run costs no request. Logs go in
batches, by request. What cannot be delivered waits in the recorder; if the process ends first, in the
outbox.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect.client.http import HttpClient
from prefect.client.sockets import NoThreads
from prefect.exceptions import ObjectNotFound, PrefectException, ServerUnreachable
from prefect.operations.leases import keep_leases
from prefect.recorder.event_socket import EventSocket, SocketRefused
from prefect.recorder.outbox import Outbox, Undelivered
from prefect.rules.events_of_runs import Place, events_of, heartbeat_of, place_of
from prefect.schemas.actions import LogCreate
from prefect.schemas.objects import FlowRun, Log, TaskRunRecord
from prefect.schemas.states import TERMINAL_STATES
from prefect.settings import get_current_settings
from prefect.store.values import json_text
from prefect.version import __version__

if TYPE_CHECKING:
    from prefect.client.options import ClientOptions

__all__ = ["ServerSink"]

MOST_PLACES = 1_000
"""How many flow runs are known, so that the events of their tasks can say more of them than the id."""
MOST_RUNS = 50_000
"""Of how many task runs that have not ended is known which states were sent."""
DELAY = 0.5
"""Seconds that records wait for others to go with them: a request takes longer than a transaction."""
LAST_SECONDS = 5.0
"""How long the end of a process may be put off to deliver what earlier ones left."""
_REFUSES_THE_RECORD = frozenset({400, 413, 422})
_KNOWS_NO_SUCH_REQUEST = frozenset({404, 405, 422})

_log = logging.getLogger("prefect.recorder")


class ServerSink:
    """A sink that tells a server.

    Args:
        options: How to reach the server.
    """

    delay = DELAY
    patience = 0.0
    has_leases = False

    __slots__ = (
        "_alive",
        "_client",
        "_delivery",
        "_has_delivered",
        "_knows_no_leases",
        "_lock",
        "_logged",
        "_options",
        "_places",
        "_sent",
        "_socket",
        "_takes_no_sockets",
    )

    def __init__(self, options: ClientOptions) -> None:
        self._options = options
        # The recorder has a patience of its own, in which nobody waits.
        self._client = HttpClient(options._replace(max_retries=0))
        self._socket = EventSocket(options)
        self._takes_no_sockets = False
        self._knows_no_leases = False
        self.forget()

    def forget(self) -> None:
        """Begin anew, as in a forked child: connections, and what was sent, are the parent's."""
        self._lock = threading.RLock()
        self._sent: dict[UUID, int] = {}
        self._places: dict[UUID, Place] = {}
        self._alive: dict[UUID, float] = {}
        """When the next heartbeat of a flow run is due, on the monotonic clock."""
        self._logged: set[UUID] = set()
        """Logs of a batch that was delivered in part."""
        self._has_delivered = False
        self._delivery: threading.Thread | None = None

    @property
    def name(self) -> str:
        """The server's URL, without user and password."""
        return self._options.url

    @property
    def sent_events(self) -> tuple[str, ...]:
        """The newest events that were sent, as JSON."""
        return self._socket.recent

    @property
    def outbox(self) -> Outbox:
        """What processes before this one could not deliver."""
        return Outbox(get_current_settings().home, self._options.url)

    def introduce(self, run: FlowRun, flow_name: str) -> None:
        """Tell of a flow run, so that events of its tasks can say where they happened.

        Args:
            run: The flow run.
            flow_name: Its flow.
        """
        # Not under the lock, here and below: nobody may wait for a server that does not answer.
        _make_room(self._places, MOST_PLACES)
        self._places[run.id] = place_of(run, flow_name)

    # --- records ------------------------------------------------------------------------------------------

    def record_task_runs(self, records: Sequence[TaskRunRecord]) -> None:
        """Send the events of all states that were not sent yet."""
        with self._lock:
            events = self._heartbeats()
            entered: list[tuple[TaskRunRecord, int]] = []
            for record in records:
                told = list(self._told(record))
                events += told
                entered.append((record, self._sent.get(record.run.id, 0) + len(told)))
            self._send(events)
            for record, count in entered:
                self._sent.pop(record.run.id, None)
                if record.states[count - 1].type not in TERMINAL_STATES:
                    _make_room(self._sent, MOST_RUNS)
                    self._sent[record.run.id] = count
        self._succeeded()

    def _told(self, record: TaskRunRecord) -> Iterator[str]:
        run = record.run
        place = self._places.get(run.flow_run_id) if run.flow_run_id is not None else None
        return (json_text(event) for event in events_of(record, self._sent.get(run.id, 0), place))

    def _send(self, events: Sequence[str], socket: EventSocket | None = None) -> None:
        if not events:
            return
        if not self._takes_no_sockets:
            try:
                (socket or self._socket).send(events)
                return
            except SocketRefused as error:
                self._takes_no_sockets = True
                if not isinstance(error, NoThreads):
                    _log.info("%s Events are sent by requests from now on.", error)
        for start in range(0, len(events), 100):
            self._post("/events", f"[{','.join(events[start : start + 100])}]")

    def create_logs(self, logs: Sequence[Log]) -> None:
        """Send logs, in as few requests as their size allows."""
        with self._lock:
            batch: list[Log] = []
            texts: list[str] = []
            size, most = 0, get_current_settings().logging.to_api.batch_size
            for log in logs:
                if log.id in self._logged:
                    continue
                text = _log_text(log)
                if batch and size + len(text) > most:
                    self._send_logs(batch, texts)
                    batch, texts, size = [], [], 0
                batch.append(log)
                texts.append(text)
                size += 4 * len(text) if not text.isascii() else len(text)
            if batch:
                self._send_logs(batch, texts)
            self._logged.clear()
        self._succeeded()

    def _send_logs(self, logs: Sequence[Log], texts: Sequence[str]) -> None:
        self._post("/logs/", f"[{','.join(texts)}]")
        self._logged.update(log.id for log in logs)

    def _post(self, path: str, content: str) -> None:
        """Send a request.

        Raises:
            prefect.exceptions.ServerUnreachable: Now is not the time for it.
            Exception: The server refuses what is in it.
        """
        try:
            self._client.request("POST", path, content=content.encode())
        except ServerUnreachable:
            raise
        except PrefectException as error:
            status = getattr(getattr(error, "response", None), "status_code", 0)
            if status in _REFUSES_THE_RECORD:
                raise
            raise ServerUnreachable(str(error)) from error

    # --- signs of life ------------------------------------------------------------------------------------

    def hold(self, flow_run_id: UUID) -> None:
        """Have signs of life of a flow run sent. A server that has leases took one as the run began."""
        if get_current_settings().flows.heartbeat_frequency is not None:
            self._alive[flow_run_id] = monotonic()

    def renew(self, flow_run_ids: Sequence[UUID]) -> None:
        """Send the signs of life that are due, and see whether the server is still there."""
        self._keep_leases(flow_run_ids)
        with self._lock:
            beats = self._heartbeats()
            if self._takes_no_sockets or not self._socket.has_been_used:
                self._send(beats)
            else:
                self._socket.send(beats)

    def _keep_leases(self, flow_run_ids: Sequence[UUID]) -> None:
        if self._knows_no_leases or not flow_run_ids:
            return
        try:
            self._client.call(keep_leases, flow_run_ids)
        except ServerUnreachable:
            raise
        except PrefectException as error:
            status = getattr(getattr(error, "response", None), "status_code", 0)
            if not isinstance(error, ObjectNotFound) and status not in _KNOWS_NO_SUCH_REQUEST:
                raise ServerUnreachable(str(error)) from error
            self._knows_no_leases = True  # a server of Prefect

    def release(self, flow_run_id: UUID) -> None:
        """Send no more signs of life of a flow run."""
        self._alive.pop(flow_run_id, None)

    def _heartbeats(self) -> list[str]:
        now, every = monotonic(), get_current_settings().flows.heartbeat_frequency or 0
        due = [run_id for run_id, at in list(self._alive.items()) if at <= now]
        for run_id in due:
            self._alive[run_id] = now + every
        places = (self._places.get(run_id) for run_id in due)
        return [json_text(heartbeat_of(place, __version__)) for place in places if place is not None]

    # --- the outbox ---------------------------------------------------------------------------------------

    def keep(self, items: Sequence[TaskRunRecord | Log]) -> str | None:
        """Put what could not be delivered into the outbox, for the next process.

        Args:
            items: Task runs and logs.

        Returns:
            Where they are; None where they cannot be kept.
        """
        things: list[Undelivered] = []
        for item in items:
            if isinstance(item, Log):
                if item.id not in self._logged:
                    things.append(Undelivered("log", _log_text(item)))
            else:
                things.extend(Undelivered("event", text) for text in self._told(item))
        things[:0] = [Undelivered("event", text) for text in self._socket.take_recent()]
        return self.keep_things(things)

    def keep_things(self, things: Sequence[Undelivered]) -> str | None:
        """Put things into the outbox; as `keep`."""
        try:
            return str(self.outbox.keep(things))
        except OSError as error:
            _log.error("The outbox cannot be written: %s", error)
            return None

    def _succeeded(self) -> None:
        if not self._has_delivered:
            self._has_delivered = True
            if self.outbox.files():
                self._delivery = threading.Thread(target=self._deliver, name="prefect-outbox", daemon=True)
                # The interpreter may be ending, and start no thread: then `finish` delivers.
                with suppress(RuntimeError):
                    self._delivery.start()

    def _deliver(self, until: float = inf) -> None:
        outbox, socket, count = self.outbox, EventSocket(self._options), 0
        for taken, things in outbox.take():
            try:
                for kind, group in _grouped(things):
                    self._deliver_group(kind, group, socket)
                    count += len(group)
                taken.unlink()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next process tries again
                outbox.give_back(taken)
                _log.warning("The outbox in %s is not empty yet: %s", outbox.folder, error)
                return
            if monotonic() >= until:
                break
        socket.finish()
        _log.info("%d records that an earlier process left were delivered to %s.", count, self.name)

    def _deliver_group(self, kind: str, group: Sequence[Undelivered], socket: EventSocket) -> None:
        contents = [thing.content for thing in group]
        try:
            if kind == "event":
                self._send(contents, socket)
            elif kind == "request":
                for thing in group:
                    self._client.request(thing.method, thing.path, content=thing.content.encode())
            else:
                self._post("/logs/", f"[{','.join(contents)}]")
        except ServerUnreachable:
            raise
        except PrefectException as error:
            status = getattr(getattr(error, "response", None), "status_code", 0)
            if status not in _REFUSES_THE_RECORD and not isinstance(error, ObjectNotFound):
                raise
            _log.error("%d records of an earlier process are refused, and dropped: %s", len(group), error)

    def finish(self) -> None:
        """End the connection; deliver again what the server may have lost, or keep it."""
        if self._delivery is not None:
            if self._delivery.ident is None:
                self._deliver(monotonic() + LAST_SECONDS)
            else:
                self._delivery.join(LAST_SECONDS)
        with self._lock:
            try:
                self._socket.finish()
            except (ServerUnreachable, SocketRefused):
                self.keep(())  # it may have been killed before it had written what it read


def _log_text(log: Log) -> str:
    return json_text(
        LogCreate(
            name=log.name,
            level=log.level,
            message=log.message,
            timestamp=log.timestamp,
            flow_run_id=log.flow_run_id,
            task_run_id=log.task_run_id,
        )
    )


def _grouped(things: Sequence[Undelivered]) -> Iterator[tuple[str, list[Undelivered]]]:
    group: list[Undelivered] = []
    for thing in things:
        if group and group[0].kind != thing.kind:
            yield group[0].kind, group
            group = []
        group.append(thing)
    if group:
        yield group[0].kind, group


def _make_room(known: dict[UUID, Any], most: int) -> None:
    while len(known) >= most:
        known.pop(next(iter(known)), None)
