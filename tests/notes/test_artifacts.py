"""`prefect.artifacts`, as users call it."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID

import pytest

from prefect import flow, task
from prefect.artifacts import (
    Artifact,
    LinkArtifact,
    acreate_markdown_artifact,
    aupdate_progress_artifact,
    create_image_artifact,
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.client.current import get_caller
from prefect.exceptions import ObjectNotFound
from prefect.operations.artifacts import read_artifact
from prefect.runtime import flow_run, task_run


def kept(artifact_id):
    return get_caller().call(read_artifact, artifact_id)


def test_each_type_is_kept_as_clients_show_it():
    made = [
        create_link_artifact("https://example.com", link_text="here", key="link"),
        create_link_artifact("https://example.com"),
        create_markdown_artifact("# hi", description="d"),
        create_table_artifact({"a": [1, float("nan")]}),
        create_table_artifact([{"a": 1}]),
        create_progress_artifact(10),
        create_image_artifact("https://example.com/x.png"),
    ]

    assert [(each.type, each.data) for each in map(kept, made)] == [
        ("markdown", "[here](https://example.com)"),
        ("markdown", "[https://example.com](https://example.com)"),
        ("markdown", "# hi"),
        ("table", json.dumps({"a": [1, None]})),
        ("table", json.dumps([{"a": 1}])),
        ("progress", 10.0),
        ("image", "https://example.com/x.png"),
    ]
    assert (kept(made[0]).key, kept(made[2]).description) == ("link", "d")


def test_artifacts_belong_to_the_run_that_makes_them():
    seen = {}

    @task
    def inner() -> UUID:
        seen["task"] = task_run.id
        return create_markdown_artifact("of the task")

    @flow
    def outer() -> list[UUID]:
        seen["flow"] = flow_run.id
        return [create_markdown_artifact("of the flow"), inner(), inner.submit().result()]

    of_flow, of_task, of_thread = map(kept, outer())

    assert (str(of_flow.flow_run_id), of_flow.task_run_id) == (seen["flow"], None)
    assert str(of_task.flow_run_id) == str(of_thread.flow_run_id) == seen["flow"]
    assert str(of_thread.task_run_id) == seen["task"] != str(of_task.task_run_id)


def test_progress_is_updated_within_bounds(caplog):
    made = create_progress_artifact(-5)
    assert kept(made).data == 0.0

    assert update_progress_artifact(made, progress=150, description="done") == made
    assert (kept(made).data, kept(made).description) == (100.0, "done")
    update_progress_artifact(str(made), 50)
    assert (kept(made).data, kept(made).description) == (50.0, "done")
    with pytest.raises(ObjectNotFound):
        update_progress_artifact(UUID(int=1), 1)


def test_an_artifact_is_found_by_its_key():
    assert Artifact.get("report") is None
    made, was_made = Artifact.get_or_create("report", type="markdown", data={"a": 1})
    again, was_made_again = Artifact.get_or_create("report", data="other")

    assert (was_made, was_made_again, again.id) == (True, False, made.id)
    assert Artifact.get("report") == made
    assert LinkArtifact(key="report", link="x").create().id == Artifact.get("report").id != made.id


def test_async_code_awaits():
    @flow
    async def main() -> list[object]:
        made = await create_progress_artifact(1.5)
        await aupdate_progress_artifact(made, 2)
        text = await acreate_markdown_artifact("x", key="text")
        found = await Artifact.get("text")
        return [made, text, found.id, str(found.flow_run_id), flow_run.id]

    made, text, found, run, this_run = asyncio.run(main())

    assert (kept(made).data, text, run) == (2.0, found, this_run)


@pytest.mark.parametrize("make", [create_markdown_artifact, lambda text, key: Artifact(data=text, key=key)])
def test_keys_are_plain(make):
    with pytest.raises(ValueError, match="Artifact key must only contain"):
        make("x", key="No Key")
