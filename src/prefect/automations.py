"""Automations in code: what a server should do when something happens."""

from __future__ import annotations

from typing import Any, Self
from uuid import UUID

import msgspec

from prefect.client.awaiting import awaited, either_way
from prefect.client.current import get_caller
from prefect.exceptions import ObjectNotFound
from prefect.operations.automations import (
    create_automation,
    delete_automation,
    read_automation,
    read_automations,
    replace_automation,
    update_automation,
)
from prefect.schemas.automations import Automation as KeptAutomation
from prefect.schemas.automations import (
    AutomationCreate,
    AutomationPartialUpdate,
    AutomationQuery,
    AutomationSort,
    AutomationUpdate,
    CallWebhook,
    CancelFlowRun,
    ChangeFlowRunState,
    CompoundTrigger,
    DeleteFlowRun,
    DoNothing,
    EventTrigger,
    PauseAutomation,
    PauseDeployment,
    PauseWorkPool,
    PauseWorkQueue,
    Posture,
    ResourceSpecification,
    ResumeAutomation,
    ResumeDeployment,
    ResumeFlowRun,
    ResumeWorkPool,
    ResumeWorkQueue,
    RunDeployment,
    SendNotification,
    SequenceTrigger,
    SuspendFlowRun,
)
from prefect.schemas.filters.automations import AutomationFilter, AutomationFilterName

__all__ = [
    "Automation",
    "CallWebhook",
    "CancelFlowRun",
    "ChangeFlowRunState",
    "CompoundTrigger",
    "DeleteFlowRun",
    "DoNothing",
    "EventTrigger",
    "PauseAutomation",
    "PauseDeployment",
    "PauseWorkPool",
    "PauseWorkQueue",
    "Posture",
    "ResourceSpecification",
    "ResumeAutomation",
    "ResumeDeployment",
    "ResumeFlowRun",
    "ResumeWorkPool",
    "ResumeWorkQueue",
    "RunDeployment",
    "SendNotification",
    "SequenceTrigger",
    "SuspendFlowRun",
]


class Automation(AutomationUpdate):
    """What should be done when a trigger fires.

    In asynchronous code its methods are awaited; those with an `a` before always are.
    """

    id: UUID | None = None
    """None: it is not kept yet."""

    def create(self) -> Self:
        """Keep the automation.

        Returns:
            It, with its id. In asynchronous code, a coroutine of it.
        """
        return either_way(self._create)()

    async def acreate(self) -> Self:
        """Keep the automation; see `create`."""
        return await awaited(self._create)()

    @classmethod
    def read(cls, id: UUID | str | None = None, name: str | None = None) -> Self:
        """Return an automation that is kept.

        Args:
            id: Its id.
            name: Its name, in place of an id.

        Returns:
            It. In asynchronous code, a coroutine of it.

        Raises:
            ValueError: There is none, or neither id nor name is given.
        """
        return either_way(cls._read)(id, name)

    @classmethod
    async def aread(cls, id: UUID | str | None = None, name: str | None = None) -> Self:
        """Return an automation that is kept; see `read`."""
        return await awaited(cls._read)(id, name)

    def update(self) -> None:
        """Keep the automation as it is now.

        Raises:
            prefect.exceptions.ObjectNotFound: It is not kept any more.
            ValueError: It never was.
        """
        return either_way(self._update)()

    async def aupdate(self) -> None:
        """Keep the automation as it is now; see `update`."""
        await awaited(self._update)()

    def delete(self) -> bool:
        """Keep the automation no longer.

        Returns:
            Whether it was kept. In asynchronous code, a coroutine of that.
        """
        return either_way(self._delete)()

    async def adelete(self) -> bool:
        """Keep the automation no longer; see `delete`."""
        return await awaited(self._delete)()

    def enable(self) -> bool:
        """Let it act.

        Returns:
            Whether it is kept. In asynchronous code, a coroutine of that.
        """
        return either_way(self._switch)(True)

    async def aenable(self) -> bool:
        """Let it act; see `enable`."""
        return await awaited(self._switch)(True)

    def disable(self) -> bool:
        """Let it not act.

        Returns:
            Whether it is kept. In asynchronous code, a coroutine of that.
        """
        return either_way(self._switch)(False)

    async def adisable(self) -> bool:
        """Let it not act; see `disable`."""
        return await awaited(self._switch)(False)

    def _create(self) -> Self:
        self.id = get_caller().call(create_automation, AutomationCreate(**self._values())).id
        return self

    @classmethod
    def _read(cls, id: UUID | str | None, name: str | None) -> Self:
        if id is None and name is None:
            raise ValueError("One of id or name must be provided")
        if id is not None:
            try:
                return cls._of(get_caller().call(read_automation, UUID(str(id))))
            except ObjectNotFound as error:
                raise ValueError(f"Automation with ID {str(id)!r} not found") from error
        named = AutomationFilter(name=AutomationFilterName(any_=[str(name)]))
        query = AutomationQuery(automations=named, sort=AutomationSort.UPDATED_DESC, limit=1)
        found = get_caller().call(read_automations, query)
        if not found:
            raise ValueError(f"Automation with name {name!r} not found")
        return cls._of(found[0])

    def _update(self) -> None:
        get_caller().call(replace_automation, self._id(), AutomationUpdate(**self._values()))

    def _delete(self) -> bool:
        return self._is_kept(lambda client: client.call(delete_automation, self._id()))

    def _switch(self, enabled: bool) -> bool:
        change = AutomationPartialUpdate(enabled=enabled)
        return self._is_kept(lambda client: client.call(update_automation, self._id(), change))

    @staticmethod
    def _is_kept(ask: Any) -> bool:
        try:
            ask(get_caller())
        except ObjectNotFound:
            return False
        return True

    def _id(self) -> UUID:
        if self.id is None:
            raise ValueError("The automation is not kept yet: call create() first.")
        return self.id

    def _values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in AutomationUpdate.__struct_fields__}

    @classmethod
    def _of(cls, kept: KeptAutomation) -> Self:
        values = msgspec.structs.asdict(kept)
        return cls(**{name: values[name] for name in cls.__struct_fields__})
