from __future__ import annotations

from uuid import UUID

import pytest
from makers import make_flow_run, make_task_run

from prefect.exceptions import ObjectNotFound
from prefect.operations.artifacts import (
    count_artifacts,
    count_latest_artifacts,
    create_artifact,
    delete_artifact,
    read_artifact,
    read_artifacts,
    read_latest_artifact,
    read_latest_artifacts,
    update_artifact,
)
from prefect.schemas.artifacts import (
    Artifact,
    ArtifactCollectionQuery,
    ArtifactCollectionSort,
    ArtifactCreate,
    ArtifactQuery,
    ArtifactSort,
    ArtifactUpdate,
)
from prefect.schemas.filters import (
    DeploymentFilter,
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterName,
    TaskRunFilter,
    TaskRunFilterName,
)
from prefect.schemas.filters.artifacts import (
    ArtifactCollectionFilter,
    ArtifactCollectionFilterLatestId,
    ArtifactFilter,
    ArtifactFilterKey,
    ArtifactFilterType,
)
from prefect.store.base import Store


def make(store: Store, key: str | None = None, **values: object) -> Artifact:
    return create_artifact(store, ArtifactCreate(key=key, **values))  # type: ignore[arg-type]


def test_an_artifact_is_kept(store: Store) -> None:
    made = make(store, "report", type="table", data='[{"a": 1}]', metadata_={"a": "b"}, description="d")

    assert read_artifact(store, made.id) == made
    assert read_latest_artifact(store, "report") == made


def test_data_is_any_json(store: Store) -> None:
    for data in ({"z": 1, "a": 2.5}, 12.5, None, "text", [1]):
        assert read_artifact(store, make(store, data=data).id).data == data


def test_the_latest_of_a_key_follows_what_is_made_changed_and_deleted(store: Store) -> None:
    first, second = make(store, "k", data=1), make(store, "k", data=2)

    [found] = read_latest_artifacts(store, ArtifactCollectionQuery())
    assert (found.latest_id, found.data, found.created) == (second.id, 2, first.created)
    update_artifact(store, second.id, ArtifactUpdate(data=3, description="new"))
    assert read_latest_artifacts(store, ArtifactCollectionQuery())[0].description == "new"
    delete_artifact(store, second.id)
    assert read_latest_artifact(store, "k") == first
    assert read_latest_artifacts(store, ArtifactCollectionQuery())[0].id == found.id
    delete_artifact(store, first.id)
    assert count_latest_artifacts(store, ArtifactCollectionQuery()) == 0


def test_deleting_an_older_one_leaves_the_latest(store: Store) -> None:
    first, second = make(store, "k"), make(store, "k")

    delete_artifact(store, first.id)

    assert read_latest_artifact(store, "k").id == second.id


def test_artifacts_are_filtered_sorted_and_counted(store: Store) -> None:
    b, a, none = make(store, "b", type="markdown"), make(store, "a", type="table"), make(store)
    newer = make(store, "b", type="progress")

    def ids(**query: object) -> list[UUID]:
        return [each.id for each in read_artifacts(store, ArtifactQuery(**query))]  # type: ignore[arg-type]

    assert ids() == [newer.id, none.id, a.id, b.id]
    assert ids(sort=ArtifactSort.KEY_ASC) == [a.id, b.id, newer.id, none.id]
    assert ids(limit=1, offset=1) == [none.id]
    assert ids(offset=None, limit=1) == [newer.id]
    assert ids(artifacts=ArtifactFilter(key=ArtifactFilterKey(exists_=False))) == [none.id]
    assert ids(artifacts=ArtifactFilter(key=ArtifactFilterKey(any_=["b"]))) == [newer.id, b.id]
    tables = ArtifactFilter(type=ArtifactFilterType(any_=["table"]))
    assert count_artifacts(store, ArtifactQuery(artifacts=tables)) == 1
    latest = read_latest_artifacts(store, ArtifactCollectionQuery(sort=ArtifactCollectionSort.KEY_ASC))
    assert [each.latest_id for each in latest] == [a.id, newer.id]
    one = ArtifactCollectionFilter(latest_id=ArtifactCollectionFilterLatestId(any_=[a.id, b.id]))
    assert count_latest_artifacts(store, ArtifactCollectionQuery(artifacts=one)) == 1


def test_artifacts_are_found_by_their_runs(store: Store) -> None:
    run, other = make_flow_run(store, flow="one", name="r1"), make_flow_run(store, flow="two", name="r2")
    task_run = make_task_run(store, flow_run_id=other.id, name="load-7")
    of_flow = make(store, "a", flow_run_id=run.id)
    of_task = make(store, "b", flow_run_id=other.id, task_run_id=task_run.id)
    make(store, "c")

    def ids(**query: object) -> list[UUID]:
        return [each.id for each in read_artifacts(store, ArtifactQuery(**query))]  # type: ignore[arg-type]

    assert ids(flow_runs=FlowRunFilter(name=FlowRunFilterName(any_=["r1"]))) == [of_flow.id]
    assert ids(flows=FlowFilter(name=FlowFilterName(any_=["two"]))) == [of_task.id]
    by_task = TaskRunFilter(name=TaskRunFilterName(any_=["load-7"]))
    assert ids(task_runs=by_task) == [of_task.id]
    assert count_latest_artifacts(store, ArtifactCollectionQuery(task_runs=by_task)) == 1


def test_artifacts_are_found_by_whether_they_have_a_run(store: Store) -> None:
    run = make_flow_run(store)
    of_flow = make(store, "a", flow_run_id=run.id)
    make(store, "b", task_run_id=make_task_run(store, flow_run_id=run.id).id)
    make(store, "c")

    def count(**query: object) -> int:
        return count_artifacts(store, ArtifactQuery(**query))  # type: ignore[arg-type]

    assert [each.id for each in read_artifacts(store, ArtifactQuery(flows=FlowFilter()))] == [of_flow.id]
    assert [count(flow_runs=FlowRunFilter()), count(task_runs=TaskRunFilter())] == [1, 1]
    assert [count(deployments=DeploymentFilter()), count()] == [0, 3]


def test_what_is_not_there_is_not_found(store: Store) -> None:
    nobody = UUID(int=1)
    for ask in (
        lambda: read_artifact(store, nobody),
        lambda: read_latest_artifact(store, "nope"),
        lambda: update_artifact(store, nobody, ArtifactUpdate(data=1)),
        lambda: delete_artifact(store, nobody),
    ):
        with pytest.raises(ObjectNotFound, match=r"Artifact not found\."):
            ask()


def test_keys_are_plain() -> None:
    with pytest.raises(ValueError, match="Artifact key must only contain"):
        ArtifactCreate(key="No Key")
