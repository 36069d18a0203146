"""How a flow run begins: its record, and what it takes from the run around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect.context.model import _TAGS, inherited
from prefect.context.runs import FlowRunContext, carried_flow_run
from prefect.rules.names import random_name
from prefect.schemas.objects import FlowRun, FlowRunPolicy
from prefect.schemas.snapshots import FlowRunSnapshot
from prefect.settings import get_current_settings
from prefect.types import uuid7

if TYPE_CHECKING:
    from prefect.flows import Flow

__all__ = ["inherited_log_prints", "is_programs_own", "new_flow_run"]

_NO_FLOW = UUID(int=0)
"""What a run names as its flow until it is written down."""


def new_flow_run(flow: Flow[Any, Any], parameters: dict[str, Any]) -> FlowRun:
    """Make the record of a new run.

    Args:
        flow: The flow.
        parameters: Its arguments.
    """
    tags = _TAGS.get() or inherited().tags
    delay = flow.retry_delay_seconds
    return FlowRun(
        flow_id=_NO_FLOW,
        name=random_name(),
        id=uuid7(),
        flow_version=flow.version,
        parameters=parameters,
        empirical_policy=FlowRunPolicy(
            retries=flow.retries, retry_delay=delay if isinstance(delay, int | float) else None
        ),
        tags=sorted({*flow.tags, *tags.current_tags}) if tags is not None else sorted(flow.tags),
    )


def inherited_log_prints(parent: FlowRunContext | None) -> bool | None:
    """Return whether a run whose flow does not say so logs its prints.

    Args:
        parent: The flow run around, where there is one in this process.
    """
    around = parent or carried_flow_run()
    return around.log_prints if around is not None else get_current_settings().logging.log_prints


def is_programs_own(parent: FlowRunSnapshot | None) -> bool:
    """Whether a run that begins in no flow run of this process is no part of one elsewhere either.

    Args:
        parent: The flow run around it. The one that started the whole process does not count.
    """
    return parent is None or parent is inherited().flow_run
