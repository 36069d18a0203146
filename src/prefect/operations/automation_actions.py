"""Doing what automations are to do, and telling what became of it.

Each action is claimed by one process, which then tells of it and forgets it in one transaction. If that
process is lost in between, another one takes it up; a run is not made twice even so, for it has a key.

Messages wait for services of others. They are sent by `prefect.operations.automation_messages`, so that
nothing else waits for those.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import and_, delete, not_, select, update

from prefect.exceptions import ObjectNotFound, PrefectException, StoreError
from prefect.operations.automation_targets import CHAIN_LABEL, Targets
from prefect.operations.automation_triggers import sends_message
from prefect.operations.automations import update_automation
from prefect.operations.deployment_runs import run_deployment
from prefect.operations.deployments import pause_deployment, resume_deployment
from prefect.operations.flow_runs import delete_flow_run, resume_flow_run, set_flow_run_state
from prefect.operations.work_pools import update_work_pool
from prefect.operations.work_queues import update_work_queue
from prefect.schemas import automations as kinds
from prefect.schemas.actions import FlowRunResume
from prefect.schemas.automations import AutomationPartialUpdate
from prefect.schemas.base import encode_json
from prefect.schemas.deployments import DeploymentFlowRunCreate
from prefect.schemas.events import Event
from prefect.schemas.objects import CreatedBy
from prefect.schemas.responses import OrchestrationResult, SetStateStatus
from prefect.schemas.states import NO_DETAILS, State, StateType
from prefect.schemas.triggered import TriggeredAction, labels_of_automation
from prefect.schemas.work_pools import WorkPoolUpdate, WorkQueueUpdate
from prefect.store.base import Store
from prefect.store.events import insert_events
from prefect.store.tables import automation_actions
from prefect.types import format_utc, now, uuid7

__all__ = ["Done", "act", "act_on_triggers", "attempt", "claim", "conclude", "postpone"]

logger = logging.getLogger("prefect.server.automations")

CLAIMED_FOR = timedelta(minutes=5)
"""After that, who claimed an action is taken for lost."""
MOST = 200
"""Actions that are done at a time, so that no look takes long; the next takes the others."""

MOST_ROUNDS = 5
"""How often a run that an automation made may have the same automation make another."""
_LONGEST_CHAIN = 50


class Done(NamedTuple):
    """What became of an action."""

    failure: str | None = None
    related: tuple[tuple[str, UUID, str], ...] = ()
    """What it was about: kind, id and role."""


class _Refused(Exception):
    """An action cannot be done."""


def act_on_triggers(store: Store, at: datetime) -> int:
    """Do what automations are to do.

    Args:
        store: The store.
        at: The current time.

    Returns:
        How many actions were done, or failed.
    """
    done = 0
    while done < MOST and (claimed := claim(store, at)):
        became = act(store, claimed[0])
        done += conclude(store, claimed[0], became)
    return done


def claim(store: Store, at: datetime, *, messages: bool = False, most: int = 1) -> list[TriggeredAction]:
    """Take actions to be done, which nobody else does meanwhile.

    Args:
        store: The store.
        at: The current time.
        messages: Whether to take those that send messages, in place of the others.
        most: How many, at most.
    """
    actions = automation_actions
    is_due = and_(actions.c.due <= format_utc(at), sends_message() if messages else not_(sends_message()))
    if not store.select(select(actions.c.id).where(is_due).limit(1)):
        return []
    with store.transaction() as connection:
        first = select(actions.c.id, actions.c.action).where(is_due).order_by(actions.c.due, actions.c.id)
        rows = connection.select(first.limit(most).with_for_update(skip_locked=True))
        claimed = [TriggeredAction.model_validate_json(row[1]) for row in rows]
        later = format_utc(at + CLAIMED_FOR)
        for each in claimed:
            connection.execute(update(actions).where(actions.c.id == each.id.hex).values(due=later))
    return claimed


def postpone(store: Store, claimed: TriggeredAction, until: datetime) -> None:
    """Have a claimed action tried again later.

    Args:
        store: The store.
        claimed: The action, as it is to be tried.
        until: When.
    """
    actions = automation_actions
    changes = {"due": format_utc(until), "action": encode_json(claimed).decode()}
    with store.transaction() as connection:
        connection.execute(update(actions).where(actions.c.id == claimed.id.hex).values(**changes))


def conclude(store: Store, claimed: TriggeredAction, became: Done) -> int:
    """Forget an action, and tell what became of it; return whether that was left to do.

    Args:
        store: The store.
        claimed: The action.
        became: What became of it.
    """
    actions = automation_actions
    at = now()
    with store.transaction() as connection:
        if not connection.execute(delete(actions).where(actions.c.id == claimed.id.hex)):
            return 0
        insert_events(connection, _events_of(claimed, became, at), at)
    if became.failure is not None:
        logger.warning("An action of the automation %r failed: %s", claimed.automation_name, became.failure)
    return 1


def act(store: Store, wanted: TriggeredAction) -> Done:
    """Do one thing.

    Args:
        store: The store.
        wanted: What is to be done.
    """
    targets = Targets(store, wanted)
    related: list[tuple[str, UUID, str]] = []
    failure = attempt(wanted, lambda: related.extend(_ACTIONS[type(wanted.action)](store, wanted, targets)))
    return Done(failure, (*targets.named, *related))


def attempt(wanted: TriggeredAction, do: Callable[[], object]) -> str | None:
    """Do something for an action, and return why it failed; None: it did not.

    Args:
        wanted: The action.
        do: What is to be done.
    """
    try:
        do()
    except StoreError:
        # It is done when the store is back.
        raise
    except _Refused as refusal:
        return str(refusal)
    except PrefectException as error:
        return f"{wanted.action.__struct_config__.tag}: {error}"
    except Exception as error:
        # One that always fails must not be tried for ever.
        logger.exception("An action of the automation %r failed.", wanted.automation_name)
        return f"{type(error).__name__}: {error}"
    return None


# --- what is done -------------------------------------------------------------------------------------------

Related = tuple[tuple[str, UUID, str], ...]
Doer = Callable[[Store, TriggeredAction, Targets], Related]


def _target(targets: Targets, kind: str, given: UUID | None) -> UUID:
    found = targets.target(kind, given)
    if found is None:
        raise _Refused(f"No {kind.replace('-', ' ')} could be inferred")
    return found


def _do_nothing(store: Store, wanted: TriggeredAction, targets: Targets) -> Related:
    return ()


def _run_deployment(store: Store, wanted: TriggeredAction, targets: Targets) -> Related:
    action = wanted.action
    assert isinstance(action, kinds.RunDeployment)
    deployment_id = _target(targets, "deployment", action.deployment_id)
    chain = targets.chain()
    if chain.count(str(wanted.automation_id)) >= MOST_ROUNDS:
        raise _Refused(
            f"This automation made a run that set it off again, {MOST_ROUNDS} times over; "
            "such a chain ends here."
        )
    state: State[Any] | None = None
    if action.schedule_after:
        due = now() + timedelta(seconds=action.schedule_after)
        state = State(
            type=StateType.SCHEDULED, state_details=msgspec.structs.replace(NO_DETAILS, scheduled_time=due)
        )
    run = run_deployment(
        store,
        deployment_id,
        DeploymentFlowRunCreate(
            state=state,
            parameters=targets.fill(action.parameters or {}),
            job_variables=targets.fill(action.job_variables or {}),
            labels={CHAIN_LABEL: " ".join([*chain, str(wanted.automation_id)][-_LONGEST_CHAIN:])},
            idempotency_key=(
                f"automation {wanted.automation_id}, action {wanted.action_index}, invocation {wanted.id}"
            ),
        ),
        CreatedBy(id=wanted.automation_id, type="AUTOMATION", display_value=wanted.automation_name),
    )
    return (("flow-run", run.id, "flow-run"),)


def _set_deployment(store: Store, wanted: TriggeredAction, targets: Targets) -> Related:
    action = wanted.action
    assert isinstance(action, kinds.PauseDeployment | kinds.ResumeDeployment)
    change = pause_deployment if isinstance(action, kinds.PauseDeployment) else resume_deployment
    change(store, _target(targets, "deployment", action.deployment_id))
    return ()


def _set_work_pool(store: Store, wanted: TriggeredAction, targets: Targets) -> Related:
    action = wanted.action
    assert isinstance(action, kinds.PauseWorkPool | kinds.ResumeWorkPool)
    pool_id = _target(targets, "work-pool", action.work_pool_id)
    name = targets.name_of_pool(pool_id)
    if name is None:
        raise ObjectNotFound(help_message="Work pool not found")
    update_work_pool(store, name, WorkPoolUpdate(is_paused=isinstance(action, kinds.PauseWorkPool)))
    return ()


def _set_work_queue(store: Store, wanted: TriggeredAction, targets: Targets) -> Related:
    action = wanted.action
    assert isinstance(action, kinds.PauseWorkQueue | kinds.ResumeWorkQueue)
    queue_id = _target(targets, "work-queue", action.work_queue_id)
    update_work_queue(store, queue_id, WorkQueueUpdate(is_paused=isinstance(action, kinds.PauseWorkQueue)))
    return ()


def _set_automation(store: Store, wanted: TriggeredAction, targets: Targets) -> Related:
    action = wanted.action
    assert isinstance(action, kinds.PauseAutomation | kinds.ResumeAutomation)
    automation_id = _target(targets, "automation", action.automation_id)
    enabled = isinstance(action, kinds.ResumeAutomation)
    update_automation(store, automation_id, AutomationPartialUpdate(enabled=enabled))
    return ()


def _set_state(store: Store, wanted: TriggeredAction, targets: Targets) -> Related:
    action = wanted.action
    run_id = _target(targets, "flow-run", None)
    force = False
    if isinstance(action, kinds.ChangeFlowRunState):
        message = action.message or f"State changed by Automation {wanted.automation_id}"
        state: State[Any] = State(type=action.state, name=action.name, message=message)
        force = action.force
    elif isinstance(action, kinds.SuspendFlowRun):
        details = msgspec.structs.replace(NO_DETAILS, pause_reschedule=True)
        message = f"Suspended by Automation {wanted.automation_id}"
        state = State(type=StateType.PAUSED, name="Suspended", message=message, state_details=details)
    else:
        state = State(type=StateType.CANCELLING, message=f"Cancelled by Automation {wanted.automation_id}")
    _accepted(set_flow_run_state(store, run_id, state, force), "Failed to set state")
    return ()


def _resume(store: Store, wanted: TriggeredAction, targets: Targets) -> Related:
    answer = resume_flow_run(store, _target(targets, "flow-run", None), FlowRunResume())
    _accepted(answer, "Failed to resume flow run")
    return ()


def _accepted(answer: OrchestrationResult, failed: str) -> None:
    if answer.status is not SetStateStatus.ACCEPT:
        raise _Refused(f"{failed}: {getattr(answer.details, 'reason', None) or answer.status.value}")


def _delete(store: Store, wanted: TriggeredAction, targets: Targets) -> Related:
    delete_flow_run(store, _target(targets, "flow-run", None))
    return ()


_ACTIONS: dict[type[Any], Doer] = {
    kinds.DoNothing: _do_nothing,
    kinds.RunDeployment: _run_deployment,
    kinds.PauseDeployment: _set_deployment,
    kinds.ResumeDeployment: _set_deployment,
    kinds.CancelFlowRun: _set_state,
    kinds.ChangeFlowRunState: _set_state,
    kinds.SuspendFlowRun: _set_state,
    kinds.ResumeFlowRun: _resume,
    kinds.DeleteFlowRun: _delete,
    kinds.PauseWorkPool: _set_work_pool,
    kinds.ResumeWorkPool: _set_work_pool,
    kinds.PauseWorkQueue: _set_work_queue,
    kinds.ResumeWorkQueue: _set_work_queue,
    kinds.PauseAutomation: _set_automation,
    kinds.ResumeAutomation: _set_automation,
}


# --- what is told -------------------------------------------------------------------------------------------


def _events_of(wanted: TriggeredAction, became: Done, at: datetime) -> list[Event]:
    about = labels_of_automation(wanted.automation_id, wanted.automation_name, wanted.trigger)
    about["prefect.trigger-type"] = str(wanted.trigger.__struct_config__.tag)
    related = [_labels(f"{kind}.{one}", role) for kind, one, role in became.related]
    related.append(_labels(f"event.{wanted.told}", "automation-triggered-event"))
    if wanted.event is not None:
        related.append(_labels(f"event.{wanted.event.id}", "triggering-event"))
    payload: dict[str, Any] = {
        "action_index": wanted.action_index,
        "action_type": wanted.action.__struct_config__.tag,
        "invocation": str(wanted.id),
    }
    if wanted.depth:
        payload["depth"] = wanted.depth
    triggered = Event(
        id=uuid7(),
        occurred=at,
        event="prefect.automation.action.triggered",
        resource=about,
        related=related,
        payload=payload,
        follows=None if wanted.event is None else wanted.event.id,
    )
    is_done = became.failure is None
    then = Event(
        id=uuid7(),
        occurred=at,
        event=f"prefect.automation.action.{'executed' if is_done else 'failed'}",
        resource=about,
        related=related,
        payload=payload if is_done else {**payload, "reason": became.failure},
        follows=triggered.id,
    )
    return [triggered, then]


def _labels(what: str, role: str) -> dict[str, str]:
    return {"prefect.resource.id": f"prefect.{what}", "prefect.resource.role": role}
