"""What the engine writes down where the settings name a server: flow runs by request, task runs by events.

A server that cannot be reached at the start is an error, before user code runs: nothing is lost by it. One
that goes away later is waited for, since work was done; nobody waits for the sake of task runs and logs.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar
from uuid import UUID, uuid4

import msgspec

from prefect.client.bodies import sendable
from prefect.client.http import HttpClient
from prefect.client.options import ClientOptions, client_options
from prefect.client.patience import PATIENCE, PAUSE, is_away
from prefect.engine.journal import Journal, creation_of, for_store, is_current, with_lease
from prefect.exceptions import Abort, ObjectNotFound, PrefectException
from prefect.logging.loggers import get_logger
from prefect.operations.flow_runs import create_flow_run, set_flow_run_state
from prefect.operations.flows import create_flow
from prefect.operations.leases import current_holder
from prefect.operations.task_runs import create_task_run
from prefect.recorder import Recorder, get_recorder
from prefect.recorder.outbox import Undelivered
from prefect.recorder.server_sink import ServerSink
from prefect.rules.bookkeeping import enter_state
from prefect.schemas.actions import FlowCreate, FlowRunCreate, FlowRunUpdate, TaskRunCreate
from prefect.schemas.base import jsonable
from prefect.schemas.objects import FlowRun, TaskRun, TaskRunPolicy, TaskRunRecord
from prefect.schemas.responses import OrchestrationResult, SetStateStatus, StateWaitDetails
from prefect.schemas.states import State
from prefect.store.values import json_text

__all__ = ["ServerJournal"]

R = TypeVar("R")

_flow_ids: dict[tuple[ClientOptions, str], UUID] = {}
"""Ids of flows that are on a server already, by how the server is reached and the flow's name."""
_reached: set[ClientOptions] = set()
"""The servers that have answered this process."""
ASK_SECONDS = 5.0
"""How long an answer may take to what is asked while the user's code waits."""


class ServerJournal(Journal):
    """Writes down the runs of one server."""

    __slots__ = ("_asking", "_hurry", "_options")

    gives_ids = True
    client: HttpClient
    _recorder: Recorder

    def _open(self) -> None:
        self._hurry = threading.Event()
        self._options = client_options()
        self.client = HttpClient(self._options, sleep=self._sleep)
        soon = self._options._replace(max_retries=0, timeout=min(self._options.timeout, ASK_SECONDS))
        self._asking = HttpClient(soon, sleep=self._sleep)
        # Loads what sends requests: at the end of an interrupted process that would change its exit status.
        _ = self.client.transport.connections
        self._recorder = get_recorder()

    @property
    def asking(self) -> HttpClient:
        """What asks the server once, and waits for no more than seconds."""
        return self._asking

    @property
    def _sink(self) -> ServerSink:
        sink = self._recorder.sink
        assert isinstance(sink, ServerSink)
        return sink

    def create_flow_run(
        self, flow_name: str, flow_tags: list[str], run: FlowRun, stand_in: TaskRunRecord | None
    ) -> None:
        """Have the server make a flow run; the run gets the ids that the server gives it.

        Raises:
            prefect.exceptions.ServerUnreachable: The server does not answer.
            prefect.exceptions.PrefectHTTPStatusError: The server refuses the run.
        """
        client, key = self.client, (self._options, flow_name)
        if key not in _flow_ids:
            flow = FlowCreate(name=flow_name, tags=flow_tags)
            _flow_ids[key] = self._patiently(lambda: client.call(create_flow, flow)).id
        run.flow_id = _flow_ids[key]
        if stand_in is not None:
            task_run = _creation_of_stand_in(stand_in.run)
            made_task_run = self._patiently(lambda: client.call(create_task_run, task_run))
            run.parent_task_run_id = stand_in.run.id = made_task_run.id
        data = _creation_for_server(run)
        try:
            made = self._patiently(lambda: client.call(create_flow_run, data))
        except ObjectNotFound:
            _flow_ids.pop(key, None)  # the flow was deleted since
            raise
        run.id, run.created, run.updated = made.id, made.created, made.updated
        if made.state is not None:
            run.state, run.state_id = made.state, made.state.id
        self._sink.introduce(run, flow_name)
        self._recorder.hold(run.id)

    def adopt(self, run: FlowRun, flow_name: str, changes: FlowRunUpdate) -> None:
        """Take up a run that others have made: this process carries it out from now on."""
        _reached.add(self._options)  # by who started this process, and by what it has read of the run
        self._sink.introduce(run, flow_name)
        self._recorder.hold(run.id)
        self.update(run, changes)

    def update(self, run: FlowRun, changes: FlowRunUpdate) -> None:
        """Write down changes of a run."""
        content = json_text(sendable(changes)).encode()
        self._patiently(lambda: self.client.request("PATCH", f"/flow_runs/{run.id}", content=content))

    def propose(
        self, run: FlowRun, state: State[Any], *, force: bool = False, only_from: UUID | None = None
    ) -> State[Any]:
        """Propose a flow run's next state; as for any journal.

        A server that says to wait is asked again when it said. A final state that cannot be written, since
        the server is away for too long or the process must end, goes into the outbox.

        Raises:
            prefect.exceptions.Abort: The run must stop: it belongs to somebody else, or has ended.
            prefect.exceptions.ObjectNotFound: The server knows the run no more.
            prefect.exceptions.ServerUnreachable: The server is away for too long, and the run has not ended.
        """
        sent = _state_for_server(state)
        try:
            answer = self._decided(run, sent, force=force, only_from=only_from)
        except ObjectNotFound:
            raise
        except BaseException as error:
            if not state.is_final() or run.created is None:
                raise
            self._keep(run, sent, error, force=force)
            if not isinstance(error, PrefectException):
                raise  # the process is to end
            enter_state(run, state)
            return state
        if answer.status is SetStateStatus.ABORT:
            raise Abort(getattr(answer.details, "reason", None) or "The run was told to stop.")
        accepted = answer.state
        if accepted is not None:
            if answer.status is SetStateStatus.ACCEPT or _is_same(accepted, sent):
                state = state.model_copy(update={"id": accepted.id, "timestamp": accepted.timestamp})
                state = with_lease(state, accepted)
            else:
                state = accepted
        if not is_current(run, state):
            enter_state(run, state)
        return state

    def _decided(
        self, run: FlowRun, state: State[Any], *, force: bool, only_from: UUID | None
    ) -> OrchestrationResult:
        # Servers of others know no such condition, and are not bothered with it where there is none.
        condition: dict[str, Any] = {} if only_from is None else {"only_from": only_from}
        if state.is_running():
            # Ours takes a lease with it; others pass over it.
            condition["holder"] = current_holder()

        def ask() -> OrchestrationResult:
            return self.client.call(set_flow_run_state, run.id, state, force=force, **condition)

        while True:
            answer = self._patiently(ask)
            if not isinstance(answer.details, StateWaitDetails):
                return answer
            self._sleep(answer.details.delay_seconds)
            if self._hurry.is_set():
                return answer

    def note_stand_in(self, record: TaskRunRecord) -> None:
        """Leave the task run that stands for a nested flow run to the server, which keeps it in step."""

    def close(self, run: FlowRun, *, is_root: bool) -> None:
        """Give a run that has ended free; for one without a parent, deliver what is still under way."""
        self._sink.release(run.id)
        super().close(run, is_root=is_root)

    def _patiently(self, call: Callable[[], R]) -> R:
        """Call, again where the server has gone away meanwhile, for ten minutes at most."""
        deadline: float | None = None
        while True:
            try:
                result = call()
            except PrefectException as error:
                if not self._has_gone_away(error):
                    raise
                if deadline is None:
                    deadline = monotonic() + PATIENCE
                    self._tell(error)
                if monotonic() >= deadline:
                    raise
                self._sleep(PAUSE)
            except BaseException:
                self._hurry.set()
                raise
            else:
                _reached.add(self._options)
                if deadline is not None:
                    self._recorder.learn_of_recovery()
                return result

    def _has_gone_away(self, error: PrefectException) -> bool:
        if self._hurry.is_set() or self._options not in _reached:
            return False
        return is_away(error)

    def _tell(self, error: PrefectException) -> None:
        if self._recorder.learn_of_outage(error):
            get_logger("engine").error(
                "%s. Runs go on; to begin or to end a flow run, the server is waited for, for %d minutes.",
                str(error).rstrip("."),
                PATIENCE // 60,
            )

    def _sleep(self, seconds: float) -> None:
        try:
            self._hurry.wait(seconds)
        except BaseException:
            self._hurry.set()
            raise

    def hurry(self) -> None:
        """Wait for the server no more: the run is to end."""
        self._hurry.set()

    def _keep(self, run: FlowRun, state: State[Any], error: BaseException, *, force: bool) -> None:
        body = json_text({"state": sendable(state), "force": force})
        path = f"/flow_runs/{run.id}/set_state"
        where = self._sink.keep_things([Undelivered("request", body, "POST", path)])
        fate = "is lost" if where is None else f"is kept in {where} until a process reaches the server"
        get_logger("engine").error(
            "The state %s of flow run %r (%s) could not be written to %s, and %s: %s",
            state.name,
            run.name,
            run.id,
            self.client.name,
            fate,
            str(error) or type(error).__name__,
        )


def _creation_for_server(run: FlowRun) -> FlowRunCreate:
    """Return what a server is told of a new run. A request that is sent twice makes one run, by the key."""
    creation = creation_of(run)
    delay = run.empirical_policy.retry_delay
    if delay is not None:
        # Servers take whole seconds; how long is waited, the run itself knows.
        policy = msgspec.structs.replace(run.empirical_policy, retry_delay=math.ceil(delay))
        creation = msgspec.structs.replace(creation, empirical_policy=policy)
    return msgspec.structs.replace(creation, id=None, idempotency_key=creation.idempotency_key or str(run.id))


def _creation_of_stand_in(run: TaskRun) -> TaskRunCreate:
    return TaskRunCreate(
        id=run.id,
        name=run.name,
        flow_run_id=run.flow_run_id,
        task_key=run.task_key,
        dynamic_key=run.dynamic_key,
        task_version=run.task_version,
        empirical_policy=TaskRunPolicy(retries=0, retry_delay=0),
        tags=run.tags,
        labels=run.labels,
        task_inputs=run.task_inputs,
    )


def _state_for_server(state: State[Any]) -> State[Any]:
    """Mark a proposal, so that one that is sent twice is known; tell where a result is, not what it is."""
    details = msgspec.structs.replace(state.state_details, transition_id=uuid4())
    kept = for_store(state)
    return kept.model_copy(update={"state_details": details, "data": jsonable(kept.data)})


def _is_same(state: State[Any], proposed: State[Any]) -> bool:
    return state.state_details.transition_id == proposed.state_details.transition_id
