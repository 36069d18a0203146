"""Jobs: templates that are filled in."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from prefect.blocks.system import Secret
from prefect.exceptions import ConfigurationError, ObjectNotFound
from prefect.operations.flows import create_flow, read_flow
from prefect.rules.placeholders import LEFT_OUT, fill
from prefect.schemas.actions import FlowCreate
from prefect.schemas.objects import FlowRun
from prefect.variables import Variable
from prefect.workers.base import BaseJobConfiguration, BaseVariables, BaseWorker, BaseWorkerResult
from prefect.workers.process import ProcessWorker


class Job(BaseJobConfiguration):
    cpu: int
    memory: str = "1g"
    tags: list[str] = Field(default_factory=list)


TEMPLATE: dict[str, Any] = {
    "job_configuration": {
        "cpu": "{{ a }}",
        "memory": "x-{{ b }}-{{ c }}",
        "env": {"X": "{{ b }}", "Y": "{{ c }}"},
        "tags": ["{{ b }}", "{{ c }}"],
    },
    "variables": {
        "properties": {
            "a": {"type": "integer", "default": 4},
            "b": {"type": "string"},
            "c": {"type": "string"},
        }
    },
}


def job(template: dict[str, Any], **values: Any) -> Job:
    return asyncio.run(Job.from_template_and_values(template, values))


def test_defaults_and_values_are_filled_in_and_what_has_neither_is_left_out():
    made = job(TEMPLATE, b="B")

    assert (made.cpu, made.memory, made.env, made.tags) == (4, "x-B-", {"X": "B"}, ["B"])
    assert job(TEMPLATE, a=7).cpu == 7


def test_a_default_template_has_each_field():
    class Worker(BaseWorker[Job, BaseVariables, BaseWorkerResult]):
        type = "for-tests"
        job_configuration = Job

        async def run(self, flow_run: Any, configuration: Job, task_status: Any = None) -> Any: ...

    template = Worker.get_default_base_job_template()

    assert template["job_configuration"]["cpu"] == "{{ cpu }}"
    assert template["variables"]["required"] == ["cpu"]
    assert job(template, cpu=3) == Job(cpu=3)
    with pytest.raises(ValidationError, match="cpu"):
        job(template)


def test_a_field_has_a_template_of_its_own():
    class Own(BaseJobConfiguration):
        volume: str = Field(default="", json_schema_extra={"template": "/data/{{ name }}"})

    assert Own.json_template()["volume"] == "/data/{{ name }}"


def test_environments_are_merged():
    template = {
        "job_configuration": {"cpu": 1, "env": "{{ env }}"},
        "variables": {"properties": {"env": {"type": "object", "default": {"A": "1", "B": "1"}}}},
    }

    assert job(template, env={"B": "2"}).env == {"A": "1", "B": "2"}


def test_what_is_kept_elsewhere_is_looked_up(here, monkeypatch):
    Secret(value="canary").save("token")
    Variable.set("region", "eu")
    monkeypatch.setenv("COLOUR", "red")
    template = {
        "job_configuration": {"cpu": 1, "env": "{{ env }}", "memory": "{{ prefect.variables.region }}"},
        "variables": {"properties": {"env": {"type": "object"}}},
    }

    made = job(
        template, env={"A": "{{ prefect.blocks.secret.token }}", "B": "is {{ $COLOUR }}", "C": "{{ $NONE }}"}
    )

    assert made.env == {"A": "canary", "B": "is red"}
    assert made.memory == "eu"
    with pytest.raises(ObjectNotFound):
        job(template, env={"A": "{{ prefect.blocks.secret.none }}"})
    with pytest.raises(ConfigurationError, match="names no block"):
        job(template, env={"A": "{{ prefect.blocks.secret }}"})
    with pytest.raises(ConfigurationError, match="has no 'x'"):
        job(template, env={"A": "{{ prefect.blocks.secret.token.x }}"})


def test_the_name_may_tell_of_the_run(here):
    flow = here.client.call(create_flow, FlowCreate(name="hello"))
    run = FlowRun(flow_id=flow.id, name="mine")
    made = Job(cpu=1, name="{{ ctx.flow.name }}-{{ ctx.flow_run.name }}{{ ctx.none.x }}")

    made.prepare_for_flow_run(run, flow=here.client.call(read_flow, flow.id))

    assert made.name == "hello-mine"


def test_a_process_worker_has_the_template_that_servers_have():
    properties = ProcessWorker.get_default_base_job_template()["variables"]["properties"]

    ours = {"capture_output"}
    assert set(properties) == {"name", "env", "labels", "command", "stream_output", "working_dir"} | ours


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_characters="{}")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(JSON)
def test_what_has_no_placeholders_stays(value):
    assert fill(value, lambda name: LEFT_OUT) == value


@given(JSON)
def test_a_placeholder_alone_becomes_the_value(value):
    assert fill({"a": ["{{ x }}", " {{x}} "]}, lambda name: value) == {"a": [value, value]}
    assert fill({"a": ["{{ x }}"], "b": "{{ y }}"}, lambda name: LEFT_OUT) == {"a": []}
