"""What a job is made of: a work pool's template, filled in with what the deployment and the run say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from prefect.blocks.references import is_reference, value_referred_to
from prefect.client.base import Caller
from prefect.client.current import get_caller
from prefect.rules.placeholders import LEFT_OUT, fill
from prefect.schemas.deployments import DeploymentResponse
from prefect.schemas.objects import Flow, FlowRun
from prefect.schemas.work_pools import WorkPool
from prefect.settings.runtime_variables import FLOW_RUN_ID

__all__ = [
    "BaseJobConfiguration",
    "BaseVariables",
    "BaseWorkerResult",
    "default_template",
    "overlaid",
    "problem_of",
]

_CONTEXT = "ctx."


class BaseVariables(BaseModel):
    """What a job template's placeholders stand for; subclasses add to it."""

    name: str | None = Field(None, description="What the job is called; left out, after its flow run.")
    env: dict[str, str | None] = Field(
        default_factory=dict, title="Environment Variables", description="Environment variables of the job."
    )
    labels: dict[str, str] = Field(default_factory=dict, description="Labels of the job.")
    command: str | None = Field(
        None, description="The command that runs the flow; left out, the worker's own."
    )


class BaseJobConfiguration(BaseModel):
    """A job: what it takes to carry out a flow run; subclasses add to it."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    command: str | None = Field(
        None, description="The command that runs the flow; left out, the worker's own."
    )
    env: dict[str, str | None] = Field(
        default_factory=dict, title="Environment Variables", description="Environment variables of the job."
    )
    labels: dict[str, str] = Field(default_factory=dict, description="Labels of the job.")
    name: str | None = Field(None, description="What the job is called; left out, after its flow run.")

    @classmethod
    def json_template(cls) -> dict[str, Any]:
        """Return a template with a placeholder for each field.

        It is `{{ field }}`, unless the field says otherwise: `json_schema_extra={"template": …}`.
        """
        template: dict[str, Any] = {}
        for name, field in cls.model_fields.items():
            extra = field.json_schema_extra
            own = extra.get("template") if isinstance(extra, Mapping) else None
            template[name] = f"{{{{ {name} }}}}" if own is None else own
        return template

    @classmethod
    async def from_template_and_values(
        cls, base_job_template: dict[str, Any], values: dict[str, Any], client: Any = None
    ) -> Self:
        """Make a job from a work pool's template.

        Args:
            base_job_template: The template.
            values: What to put in the place of the template's defaults, by variable.
            client: Accepted for the interface's sake; blocks are read from where the settings say.

        Raises:
            pydantic.ValidationError: A value is missing, or does not fit.
        """
        return cls.of(base_job_template, values)

    @classmethod
    def of(cls, template: Mapping[str, Any], values: Mapping[str, Any], caller: Caller | None = None) -> Self:
        """Make a job from a work pool's template; see `from_template_and_values`.

        Args:
            template: The template.
            values: What to put in the place of its defaults.
            caller: Whom to ask for blocks and variables; None: as the settings say.
        """
        properties: Mapping[str, Any] = template["variables"].get("properties") or {}
        given = {
            name: about["default"] for name, about in properties.items() if about.get("default") is not None
        }
        given = overlaid(given, values)

        def outside(name: str) -> Any:
            return _outside(caller or get_caller(), name)

        # Values may refer to blocks themselves: they are filled in before the job is.
        known = fill(given, outside)
        filled = fill(dict(template["job_configuration"]), lambda name: _known(known, name, outside))
        return cls.model_validate(filled)

    def prepare_for_flow_run(
        self,
        flow_run: FlowRun,
        deployment: DeploymentResponse | None = None,
        flow: Flow | None = None,
        work_pool: WorkPool | None = None,
        worker_name: str | None = None,
        worker_id: UUID | None = None,
    ) -> None:
        """Complete the job for a flow run: what it is called, its labels, and which run it carries out.

        Args:
            flow_run: The run.
            deployment: Its deployment.
            flow: Its flow.
            work_pool: The work pool.
            worker_name: The worker's name.
            worker_id: The worker's id, where it is known.
        """
        context = {"flow_run": flow_run, "flow": flow}
        self.name = fill(self.name or flow_run.name, lambda name: _of_context(context, name))
        self.env = {**self.env, FLOW_RUN_ID: str(flow_run.id)}
        about = {
            "prefect.io/flow-run-id": flow_run.id,
            "prefect.io/flow-run-name": flow_run.name,
            "prefect.io/flow-id": flow.id if flow else None,
            "prefect.io/flow-name": flow.name if flow else None,
            "prefect.io/deployment-id": deployment.id if deployment else None,
            "prefect.io/deployment-name": deployment.name if deployment else None,
            "prefect.io/work-pool-name": work_pool.name if work_pool else None,
            "prefect.io/worker-name": worker_name,
        }
        self.labels = {
            **{key: str(value) for key, value in about.items() if value is not None},
            **self.labels,
        }
        self.command = self.command or "prefect flow-run execute"


class BaseWorkerResult(BaseModel):
    """How a job ended."""

    identifier: str
    """What names the job where it ran."""
    status_code: int
    """0: it ended well."""

    def __bool__(self) -> bool:
        return self.status_code == 0


def default_template(
    job: type[BaseJobConfiguration], variables: type[BaseVariables] | None
) -> dict[str, Any]:
    """Return the job template of pools that have none of their own.

    Args:
        job: What jobs are made of.
        variables: What the placeholders stand for; None: the fields of the job.
    """
    schema = (variables or job).model_json_schema()
    described = {name: schema[name] for name in ("type", "properties", "required", "$defs") if name in schema}
    for about in described.get("properties", {}).values():
        about.pop("template", None)
    return {"job_configuration": job.json_template(), "variables": described}


def overlaid(values: Mapping[str, Any], *more: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return values with later ones in the place of earlier ones; of environments, each variable by itself.

    Args:
        values: The values.
        more: Later ones.
    """
    merged = dict(values)
    for later in more:
        for name, value in (later or {}).items():
            is_env = name == "env" and isinstance(merged.get(name), Mapping) and isinstance(value, Mapping)
            merged[name] = {**merged[name], **value} if is_env else value
    return merged


def problem_of(error: ValidationError) -> str:
    """Say in a sentence what is wrong with a job; each variable by its name."""
    wrong = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False)]
    return f"The job's variables do not fit: {'; '.join(wrong)}."


def _known(values: Mapping[str, Any], name: str, outside: Any) -> Any:
    if is_reference(name):
        return outside(name)
    if name in values:
        return values[name]
    found: Any = values
    for key in name.split("."):
        if not isinstance(found, Mapping) or key not in found:
            return LEFT_OUT
        found = found[key]
    return found


def _outside(caller: Caller, name: str) -> Any:
    """Return what is kept elsewhere; a placeholder for something else stays."""
    return value_referred_to(caller, name) if is_reference(name) else f"{{{{ {name} }}}}"


def _of_context(context: Mapping[str, Any], name: str) -> Any:
    if not name.startswith(_CONTEXT):
        return f"{{{{ {name} }}}}"
    what, _, attribute = name.removeprefix(_CONTEXT).partition(".")
    return getattr(context.get(what), attribute, LEFT_OUT) if attribute else LEFT_OUT
