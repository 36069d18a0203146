from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from prefect.exceptions import ObjectNotFound
from prefect.operations.automations import (
    count_automations,
    create_automation,
    delete_automation,
    delete_automations_owned_by,
    read_automation,
    read_automations,
    read_automations_related_to,
    replace_automation,
    update_automation,
)
from prefect.schemas.automations import (
    Automation,
    AutomationCreate,
    AutomationPartialUpdate,
    AutomationQuery,
    AutomationSort,
    AutomationUpdate,
    CompoundTrigger,
    EventTrigger,
    Posture,
    ResourceSpecification,
    RunDeployment,
    SequenceTrigger,
)
from prefect.schemas.filters.automations import AutomationFilter, AutomationFilterName, AutomationFilterTags
from prefect.store.base import Store

FAILED = {
    "type": "event",
    "posture": "Reactive",
    "match": {"prefect.resource.id": "prefect.flow-run.*"},
    "expect": ["prefect.flow-run.Failed", "prefect.flow-run.Failed"],
}
SOME_ID = "00000000-0000-0000-0000-00000000000a"


def wanted(name: str = "mine", **values: Any) -> AutomationCreate:
    given = {"name": name, "trigger": FAILED, "actions": [{"type": "cancel-flow-run"}]}
    return AutomationCreate.model_validate(given | values)


def make(store: Store, name: str = "mine", **values: Any) -> Automation:
    return create_automation(store, wanted(name, **values))


def test_an_automation_is_kept(store: Store) -> None:
    either = {"type": "compound", "require": "any", "within": 5, "triggers": [FAILED, FAILED]}
    both = {"type": "sequence", "within": None, "triggers": [either]}
    made = make(
        store,
        trigger=both,
        actions=[{"type": "run-deployment", "deployment_id": SOME_ID, "parameters": {"a": 1}}],
        actions_on_resolve=[{"type": "send-notification", "block_document_id": SOME_ID, "body": "b"}],
    )

    assert read_automation(store, made.id) == made
    dumped = made.model_dump(mode="json")
    assert dumped["trigger"]["triggers"][0]["triggers"][1]["expect"] == ["prefect.flow-run.Failed"]
    assert dumped["actions"][0]["type"] == "run-deployment"


def test_an_automation_is_changed_and_deleted(store: Store) -> None:
    made = make(store)

    update_automation(store, made.id, AutomationPartialUpdate(enabled=False))
    assert read_automation(store, made.id).enabled is False
    update = AutomationUpdate(name="new", trigger=made.trigger, actions=[])
    replace_automation(store, made.id, update)
    found = read_automation(store, made.id)
    assert (found.name, found.actions, found.enabled, found.trigger) == ("new", [], True, made.trigger)
    delete_automation(store, made.id)
    for ask in (
        lambda: read_automation(store, made.id),
        lambda: delete_automation(store, made.id),
        lambda: replace_automation(store, made.id, update),
        lambda: update_automation(store, made.id, AutomationPartialUpdate()),
    ):
        with pytest.raises(ObjectNotFound, match="Automation not found"):
            ask()


def test_automations_of_a_resource_go_with_it(store: Store) -> None:
    mine = make(store, owner_resource="prefect.deployment.x")
    other = make(store, "other", owner_resource="prefect.deployment.y")

    assert read_automations_related_to(store, "prefect.deployment.x") == [mine]
    delete_automations_owned_by(store, "prefect.deployment.x")
    delete_automations_owned_by(store, "prefect.deployment.nobody")
    assert read_automations(store, AutomationQuery()) == [other]


def test_automations_are_filtered_sorted_and_counted(store: Store) -> None:
    for name, tags in (("b", ["x"]), ("a", []), ("c", ["x", "y"])):
        make(store, name, tags=tags)

    def names(**query: Any) -> list[str]:
        return [each.name for each in read_automations(store, AutomationQuery(**query))]

    assert names(sort=None) == ["a", "b", "c"]
    assert names(sort=AutomationSort.CREATED_DESC, limit=1, offset=1) == ["a"]
    assert names(automations=AutomationFilter(name=AutomationFilterName(any_=["b"]))) == ["b"]
    assert names(automations=AutomationFilter(tags=AutomationFilterTags(any_=["y", "z"]))) == ["c"]
    assert count_automations(store, AutomationQuery(limit=1)) == 3


@pytest.mark.parametrize(
    "values",
    [
        {"trigger": {"type": "nope"}},
        {"trigger": FAILED | {"within": -1}},
        {"trigger": FAILED | {"posture": "Proactive", "within": 5}},
        {"trigger": {"type": "compound", "require": 3, "within": 1, "triggers": [FAILED]}},
        {"actions": [{"type": "run-deployment"}]},
        {"actions": [{"type": "pause-automation", "source": "inferred", "automation_id": SOME_ID}]},
        {"actions": [{"type": "nope"}]},
    ],
)
def test_what_makes_no_sense_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        wanted(**values)


def test_what_waits_for_silence_waits_at_least_ten_seconds(store: Store) -> None:
    made = make(store, trigger=FAILED | {"posture": "Proactive"})

    assert made.trigger.within == 10
    assert made.trigger.id != UUID(int=0)


def test_code_of_all_kinds_says_the_same(store: Store) -> None:
    """Times as `timedelta`, names in sets, labels as `ResourceSpecification`: what is kept is plain."""
    one = EventTrigger(
        posture=Posture.Reactive,
        expect={"a"},  # type: ignore[arg-type]
        match=ResourceSpecification({"prefect.resource.id": "x"}),
        match_related=[ResourceSpecification({"prefect.resource.role": "flow"})],
        within=timedelta(minutes=1),  # type: ignore[arg-type]
    )
    several = [
        SequenceTrigger(triggers=[one], within=timedelta(hours=1)),  # type: ignore[arg-type]
        CompoundTrigger(triggers=[one], within=timedelta(hours=1), require="any"),  # type: ignore[arg-type]
    ]
    action = RunDeployment(deployment_id=UUID(SOME_ID), schedule_after=timedelta(seconds=5))  # type: ignore[arg-type]
    for trigger in (one, *several):
        made = create_automation(store, AutomationCreate(name="x", trigger=trigger, actions=[action]))
        assert read_automation(store, made.id) == made
    assert (one.within, several[0].within, action.schedule_after) == (60.0, 3600.0, 5.0)
