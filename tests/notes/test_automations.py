"""`prefect.automations`, as users call it."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from prefect.automations import Automation, CancelFlowRun, DoNothing, EventTrigger


def automation(name="mine"):
    trigger = EventTrigger(
        expect={"prefect.flow-run.Failed"},
        match={"prefect.resource.id": "prefect.flow-run.*"},
        posture="Reactive",
    )
    return Automation(name=name, trigger=trigger, actions=[CancelFlowRun()])


def test_an_automation_is_kept_changed_and_deleted():
    mine = automation()
    assert mine.create() is mine

    found = Automation.read(name="mine")
    assert (found, found.id) == (mine, Automation.read(id=mine.id).id)
    mine.description, mine.actions = "d", [DoNothing()]
    mine.update()
    assert Automation.read(id=str(mine.id)) == mine
    assert mine.disable() is True
    assert Automation.read(id=mine.id).enabled is False
    assert mine.enable() is True
    assert (mine.delete(), mine.delete(), mine.enable()) == (True, False, False)


def test_what_is_not_kept_is_not_found():
    with pytest.raises(ValueError, match="Automation with name 'nope' not found"):
        Automation.read(name="nope")
    with pytest.raises(ValueError, match=r"Automation with ID '00000000-.*' not found"):
        Automation.read(id=UUID(int=1))
    with pytest.raises(ValueError, match="One of id or name must be provided"):
        Automation.read()
    with pytest.raises(ValueError, match=r"call create\(\) first"):
        automation().update()


def test_async_code_awaits():
    async def main():
        mine = await automation().acreate()
        found = await Automation.aread(name="mine")
        await mine.aupdate()
        return found.id == mine.id, await mine.disable(), await mine.aenable(), await mine.adelete()

    assert asyncio.run(main()) == (True, True, True, True)
