"""Triggers of deployments: they are kept as automations."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from prefect import flow
from prefect.client.current import get_caller
from prefect.events import (
    DeploymentCompoundTrigger,
    DeploymentEventTrigger,
    DeploymentSequenceTrigger,
    EventTrigger,
    Posture,
)
from prefect.operations.automations import read_automations
from prefect.operations.deployments import delete_deployment
from prefect.schemas.automations import AutomationQuery, RunDeployment
from prefect.testing import prefect_test_harness


@flow
def load(day: str = "monday") -> None:
    """Load."""


@pytest.fixture(autouse=True)
def _store():
    with prefect_test_harness():
        yield


def deploy(*triggers: Any) -> UUID:
    return load.to_deployment("daily", triggers=triggers).apply()


def kept() -> list[Any]:
    return get_caller().call(read_automations, AutomationQuery())


def test_a_trigger_becomes_an_automation_that_runs_the_deployment():
    trigger = DeploymentEventTrigger(
        name="on upload",
        expect={"file.uploaded"},
        match={"prefect.resource.id": "bucket.*"},
        within=timedelta(minutes=5),
        threshold=2,
        parameters={"day": "{{ event.resource.id }}"},
        schedule_after=timedelta(seconds=30),
        enabled=False,
    )

    deployment_id = deploy(trigger)

    (made,) = kept()
    assert (made.name, made.enabled) == ("on upload", False)
    assert type(made.trigger) is EventTrigger
    assert (made.trigger.expect, made.trigger.threshold) == (["file.uploaded"], 2)
    assert (made.trigger.within, made.trigger.posture) == (300.0, Posture.REACTIVE)
    assert made.actions == [
        RunDeployment(
            deployment_id=deployment_id, parameters={"day": "{{ event.resource.id }}"}, schedule_after=30.0
        )
    ]


def test_triggers_are_named_after_their_deployment_and_may_be_of_any_kind():
    part = EventTrigger(posture=Posture.REACTIVE, expect=["a"])
    deploy(
        part,
        DeploymentCompoundTrigger(triggers=[part], require="any", within=timedelta(seconds=60)),
        DeploymentSequenceTrigger(triggers=[part, part]),
        {"expect": ["b"], "parameters": {"day": "friday"}},
        {"type": "compound", "require": "all", "triggers": [{"type": "event", "posture": "Reactive"}]},
    )

    found = sorted(kept(), key=lambda each: each.name)
    assert [each.name for each in found] == [f"daily__automation_{n}" for n in range(1, 6)]
    kinds = [type(each.trigger).__name__ for each in found]
    assert kinds == ["EventTrigger", "CompoundTrigger", "SequenceTrigger", "EventTrigger", "CompoundTrigger"]
    assert found[1].trigger.within == 60.0
    assert found[3].actions[0].parameters == {"day": "friday"}


def test_a_deploy_replaces_the_triggers_of_before():
    deploy({"expect": ["a"]}, {"expect": ["b"]})
    deploy({"expect": ["c"]})
    assert [each.trigger.expect for each in kept()] == [["c"]]
    deploy()
    assert kept() == []


def test_triggers_go_with_their_deployment():
    deployment_id = deploy({"expect": ["a"]})
    load.to_deployment("other", triggers=[{"expect": ["b"]}]).apply()

    get_caller().call(delete_deployment, deployment_id)

    assert [each.trigger.expect for each in kept()] == [["b"]]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (7, "int, and no trigger"),
        ({"expect": 7}, "expect"),
        ({"type": "metric"}, "metric"),
        ({"type": "compound", "require": 3, "triggers": []}, "require"),
        ({"type": "compound", "triggers": []}, "any, all or a number"),
        ({"colour": "red"}, "no field 'colour'"),
        ({"type": "sequence", "triggers": [{"name": "not of its own"}]}, "no field 'name'"),
    ],
)
def test_what_is_no_trigger_is_said(given, said):
    with pytest.raises(ValueError, match=f"(?s)Trigger 1 of deployment 'daily' cannot be read: .*{said}"):
        deploy(given)
