"""The deployment of the flow run here: its own, or the nearest one up the chain of parents.

Attributes are read as they are asked for: `deployment.id`, or `from prefect.runtime.deployment import id` for
the value of now. Where there is no deployment they are empty. `FIELDS` holds their getters, and tests may
patch it.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from prefect.runtime.attributes import Getters, answer_attributes
from prefect.runtime.facts import deployment_fact, flow_run_fact, get_flow_run_id
from prefect.runtime.flow_run import FIELDS as FLOW_RUN_FIELDS
from prefect.runtime.process_run import look_up_left_out
from prefect.schemas.snapshots import FlowRunSnapshot

if TYPE_CHECKING:
    id: str | None
    name: str | None
    version: str | None
    tags: list[str]
    parameters: dict[str, Any]
    """What the run of the deployment was given; for a run of no deployment, the flow run's own parameters."""
    flow_run_id: str | None
    """The flow run's id, also for a run of no deployment."""

__all__ = ["flow_run_id", "id", "name", "parameters", "tags", "version"]

_own_parameters = FLOW_RUN_FIELDS["parameters"]


def _parameters(run: FlowRunSnapshot) -> dict[str, Any] | None:
    if "deployment.parameters" in run.left_out:
        return look_up_left_out(run, "deployment.parameters")
    return _own_parameters() if run.deployment is None else run.deployment.parameters


FIELDS: Getters = {
    "id": deployment_fact(attrgetter("id")),
    "name": deployment_fact(attrgetter("name")),
    "version": deployment_fact(attrgetter("version")),
    "tags": deployment_fact(lambda deployment: list(deployment.tags), list),
    "parameters": flow_run_fact(_parameters, dict),
    "flow_run_id": get_flow_run_id,
}
"""The getters, by name."""

_read = answer_attributes(__name__, {"tags": list, "parameters": dict})
if not TYPE_CHECKING:  # type checkers are to know the attributes above, and no others
    __getattr__ = _read


def __dir__() -> list[str]:
    return sorted(FIELDS)
