"""What the engine writes down: flow runs at once, task runs behind the work.

It is written to the store of this machine or, where the settings name a server, there: see `server_journal`.
A store that cannot be written must not take the user's work with it: the run goes on, unrecorded from there,
after an error that says so, once for each store.
"""

from __future__ import annotations

import threading
from time import sleep
from typing import Any
from uuid import UUID

import msgspec

from prefect.client.base import Caller
from prefect.client.local import get_local_client
from prefect.exceptions import Abort, StoreError
from prefect.logging.configuration import ensure_logging_setup
from prefect.logging.loggers import get_logger
from prefect.operations.flow_runs import (
    LEASE,
    create_flow_run,
    set_flow_run_state,
    update_flow_run,
)
from prefect.operations.flows import create_flow
from prefect.operations.leases import current_holder, take_over_flow_run
from prefect.recorder import Recorder, get_recorder
from prefect.rules.bookkeeping import enter_state
from prefect.schemas.actions import FlowCreate, FlowRunCreate, FlowRunUpdate
from prefect.schemas.base import encode_json
from prefect.schemas.objects import FlowRun, TaskRunRecord
from prefect.schemas.responses import OrchestrationResult, SetStateStatus, StateWaitDetails
from prefect.schemas.results import ResultRecord
from prefect.schemas.states import State
from prefect.store import open_store
from prefect.types import fork_safe, now

__all__ = ["Journal", "creation_of", "enter", "for_store", "is_current", "with_lease"]

_flow_ids: dict[tuple[int, str], UUID] = {}
"""Ids of flows that are in a store already, by the store's client and the flow's name."""
_told: set[str] = set()
"""The URLs of stores that were said to fail."""
_LARGEST_PARAMETER = 512 * 1024
"""Bytes of JSON. Servers of the interface refuse more."""
_lock = fork_safe(threading.Lock())


class Journal:
    """Writes down the runs of one store; `notes.open_journal` makes it."""

    __slots__ = ("_recorder", "client", "is_recording")

    gives_ids = False
    """Whether a flow run gets its id when it is created, rather than before."""

    def __init__(self) -> None:
        self.is_recording = True
        self.client: Caller | None = None
        self._recorder: Recorder | None = None
        # What other libraries log in the run is recorded too, so the loggers must be there before user code.
        ensure_logging_setup()
        self._open()

    @property
    def asking(self) -> Caller | None:
        """What asks that which is worth no wait; None: nobody is asked."""
        return self.client

    def _open(self) -> None:
        try:
            self.client = get_local_client()
            self._recorder = get_recorder()
        except StoreError as error:
            self._give_up(error)

    def create_flow_run(
        self, flow_name: str, flow_tags: list[str], run: FlowRun, stand_in: TaskRunRecord | None
    ) -> None:
        """Write down a new flow run, with the state it has, and its flow if it is new.

        Args:
            flow_name: The flow.
            flow_tags: Its tags.
            run: The run. A server may give it another id.
            stand_in: The task run that stands for it in its parent, if it has one.
        """
        if self.client is None or self._recorder is None or not self.is_recording:
            return
        try:
            key = (id(self.client), flow_name)
            flow_id = _flow_ids.get(key)
            if flow_id is None:
                flow = self.client.call(create_flow, FlowCreate(name=flow_name, tags=flow_tags))
                flow_id = _flow_ids[key] = flow.id
            run.flow_id = flow_id
            self.client.call(create_flow_run, creation_of(run))
            self._recorder.hold(run.id)
        except StoreError as error:
            self._give_up(error)

    def rename(self, run: FlowRun) -> None:
        """Write down a run's new name."""
        self.update(run, FlowRunUpdate(name=run.name))

    def propose(
        self, run: FlowRun, state: State[Any], *, force: bool = False, only_from: UUID | None = None
    ) -> State[Any]:
        """Propose a flow run's next state.

        Args:
            run: The run; it enters the state that the store answers.
            state: The proposed state.
            force: Store it whatever the rules say.
            only_from: The id of the state that the run must have until then, so that nobody else has it.

        Returns:
            The state that the run has now: the proposed one, or what the store put in its place.

        Raises:
            prefect.exceptions.Abort: The run must stop: it belongs to somebody else, or has ended.
        """
        if self.client is not None and self.is_recording:
            try:
                answer = self._decided(run, for_store(state), force=force, only_from=only_from)
            except StoreError as error:
                self._give_up(error)
            else:
                if answer.status is SetStateStatus.ABORT:
                    raise Abort(getattr(answer.details, "reason", None) or "The run was told to stop.")
                if answer.status is SetStateStatus.REJECT and answer.state is not None:
                    state = answer.state
                else:
                    state = with_lease(state, answer.state)
        if not is_current(run, state):
            enter_state(run, state)
        return state

    def _decided(
        self, run: FlowRun, state: State[Any], *, force: bool, only_from: UUID | None
    ) -> OrchestrationResult:
        """Ask until the answer is not to wait: before its time no run begins."""
        assert self.client is not None
        while True:
            answer = self.client.call(set_flow_run_state, run.id, state, force=force, only_from=only_from)
            if not isinstance(answer.details, StateWaitDetails):
                return answer
            sleep(answer.details.delay_seconds)

    def adopt(self, run: FlowRun, flow_name: str, changes: FlowRunUpdate) -> None:
        """Take up a run that others have made: this process carries it out from now on.

        Args:
            run: The run.
            flow_name: Its flow.
            changes: What becomes known of it now.

        Raises:
            prefect.exceptions.Abort: It was given to another process meanwhile.
        """
        if self.client is None or self._recorder is None:
            return
        if not self.client.call(take_over_flow_run, run.id, run.state_id, current_holder(), now() + LEASE):
            raise Abort(f"Flow run {run.name!r} was given to another process: it is not run here.")
        self._recorder.hold(run.id)
        self.update(run, changes)

    def update(self, run: FlowRun, changes: FlowRunUpdate) -> None:
        """Write down changes of a run."""
        if self.client is None or not self.is_recording:
            return
        try:
            self.client.call(update_flow_run, run.id, changes)
        except StoreError as error:
            self._give_up(error)

    def note(self, record: TaskRunRecord) -> None:
        """Have a task run written down as it is now, or as it will be by the time the recorder gets to it."""
        if self._recorder is not None:
            self._recorder.task_run(record)

    def note_stand_in(self, record: TaskRunRecord) -> None:
        """Have the task run that stands for a nested flow run written down as it is now."""
        self.note(record)

    def hurry(self) -> None:
        """Wait for nobody any more: the run is to end."""

    def close(self, run: FlowRun, *, is_root: bool) -> None:
        """Give a run that has ended free; for one without a parent, write down what is still under way."""
        if self._recorder is None:
            return
        try:
            # A run that is suspended is nobody's, until somebody begins it again.
            is_suspended = run.state is not None and run.state.is_paused()
            self._recorder.release(run.id, ended=not is_suspended)
            if is_root:
                self._recorder.flush()
        except StoreError as error:
            self._give_up(error)

    def _give_up(self, error: StoreError) -> None:
        self.is_recording = False
        url = open_store().url
        with _lock:
            told = url in _told
            _told.add(url)
        if not told:
            get_logger("engine").error("This run goes on, but is not recorded: %s", error)
        get_recorder().learn_of_outage(error)


def enter(record: TaskRunRecord, state: State[Any]) -> None:
    """Make a state a task run's current one."""
    enter_state(record.run, state)
    record.states.append(state)


def is_current(run: FlowRun, state: State[Any] | None) -> bool:
    """Whether a run is in a state already: what it proposed was refused, and it goes on as before."""
    return run.state is not None and state is not None and run.state.id == state.id


def with_lease(state: State[Any], stored: State[Any] | None) -> State[Any]:
    """Return a state with the lease on a deployment's slot that it was given as it was written down."""
    lease_id = stored.state_details.deployment_concurrency_lease_id if stored is not None else None
    if lease_id is None:
        return state
    details = state.state_details.model_copy(update={"deployment_concurrency_lease_id": lease_id})
    return state.model_copy(update={"state_details": details})


def for_store(state: State[Any]) -> State[Any]:
    """Leave a result that lives in this process out of what is written; where it is persisted stays."""
    if state.data is None:
        return state
    metadata = state.data.metadata if isinstance(state.data, ResultRecord) else None
    return state.model_copy(update={"data": metadata})


def _parameter_to_keep(value: Any) -> Any:
    """Return the JSON form of a parameter; of a very large one, only what it was."""
    try:
        encoded = encode_json(value)
    except UnicodeEncodeError:  # lone surrogates, of an odd file name say
        encoded = encode_json(ascii(value))
    except Exception as error:  # noqa: BLE001 - whatever a value's own __str__ raises
        return f"<{type(value).__name__}: cannot be shown ({error!r})>"
    if len(encoded) > _LARGEST_PARAMETER:
        return f"<{type(value).__name__}: too large to be recorded ({len(encoded):,} bytes of JSON)>"
    return msgspec.json.decode(encoded)


def creation_of(run: FlowRun) -> FlowRunCreate:
    """Return what is written down of a new flow run."""
    return FlowRunCreate(
        id=run.id,
        flow_id=run.flow_id,
        name=run.name,
        state=run.state,
        flow_version=run.flow_version,
        parameters={name: _parameter_to_keep(value) for name, value in run.parameters.items()},
        empirical_policy=run.empirical_policy,
        tags=run.tags,
        labels=run.labels,
        parent_task_run_id=run.parent_task_run_id,
        deployment_id=run.deployment_id,
        job_variables=run.job_variables,
    )
