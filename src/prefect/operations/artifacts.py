"""Operations on artifacts, and on the latest artifact of each key."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import insert

from prefect.exceptions import ObjectNotFound
from prefect.operations.object_events import named, tell_of_object
from prefect.operations.registry import operation
from prefect.schemas.artifacts import (
    Artifact,
    ArtifactCollection,
    ArtifactCollectionQuery,
    ArtifactCreate,
    ArtifactQuery,
    ArtifactUpdate,
)
from prefect.schemas.pages import set_fields
from prefect.store.base import Connection, Store
from prefect.store.conditions.base import TESTS, Condition, Criterion, all_of, is_null, of
from prefect.store.pages import Order, asked, on_page
from prefect.store.records import Records
from prefect.store.relations import conditions_of
from prefect.store.tables import artifact_collections as collections
from prefect.store.tables import artifacts, flow_runs, task_runs
from prefect.store.values import Row, read_id, read_time
from prefect.types import format_utc, now, uuid7

__all__ = [
    "count_artifacts",
    "count_latest_artifacts",
    "create_artifact",
    "delete_artifact",
    "read_artifact",
    "read_artifacts",
    "read_latest_artifact",
    "read_latest_artifacts",
    "update_artifact",
]

_records = Records(artifacts, Artifact)
_key = of(artifacts.c.key, TESTS | {"exists_": lambda column, wanted: is_null(column, not wanted)})
_of_artifacts: dict[str, Criterion] = {
    "key": _key,
    "flow_run_id": of(artifacts.c.flow_run_id),
    "task_run_id": of(artifacts.c.task_run_id),
    "type": of(artifacts.c.type),
}
_condition = all_of({"id": of(artifacts.c.id), **_of_artifacts})
_latest_condition = all_of({"latest_id": of(artifacts.c.id), **_of_artifacts})


def _order(sort: str, created: Any, id_column: Any) -> Order:
    orders: dict[str, Order] = {
        "CREATED_DESC": (created.desc(), id_column.desc()),
        "UPDATED_DESC": (artifacts.c.updated.desc(), id_column.desc()),
        "ID_DESC": (id_column.desc(),),
        "KEY_DESC": (artifacts.c.key.desc().nulls_last(), id_column.desc()),
        "KEY_ASC": (artifacts.c.key.asc().nulls_last(), id_column),
    }
    return orders[sort]


@operation("POST", "/artifacts/", creates=True)
def create_artifact(store: Store, data: ArtifactCreate) -> Artifact:
    """Make an artifact; it is then the latest of its key.

    Args:
        store: The store.
        data: The artifact.
    """
    at = now()
    made = Artifact(
        key=data.key,
        type=data.type,
        description=data.description,
        data=data.data,
        metadata_=data.metadata_,
        flow_run_id=data.flow_run_id,
        task_run_id=data.task_run_id,
        created=at,
        updated=at,
    )
    with store.transaction() as connection:
        _records.insert(connection, made)
        if made.key is not None:
            _set_latest(connection, made)
    return made


@operation("POST", "/artifacts/filter")
def read_artifacts(store: Store, query: ArtifactQuery) -> list[Artifact]:
    """Return the artifacts that a query is about."""
    found = _records.select(*asked(_condition, query.artifacts), *_conditions_of_runs(query))
    return _records.all(store, on_page(found, query, _order(query.sort, artifacts.c.created, artifacts.c.id)))


@operation("POST", "/artifacts/count")
def count_artifacts(store: Store, query: ArtifactQuery) -> int:
    """Return how many artifacts a query is about, whatever its window."""
    return _records.count(store, *asked(_condition, query.artifacts), *_conditions_of_runs(query))


@operation("POST", "/artifacts/latest/filter")
def read_latest_artifacts(store: Store, query: ArtifactCollectionQuery) -> list[ArtifactCollection]:
    """Return the latest artifacts that a query is about."""
    conditions = [*asked(_latest_condition, query.artifacts), *_conditions_of_runs(query)]
    found = _latest(*conditions)
    rows = store.select(on_page(found, query, _order(query.sort, collections.c.created, collections.c.id)))
    return [_collection(row) for row in rows]


@operation("POST", "/artifacts/latest/count")
def count_latest_artifacts(store: Store, query: ArtifactCollectionQuery) -> int:
    """Return how many keys a query is about, whatever its window."""
    conditions = [*asked(_latest_condition, query.artifacts), *_conditions_of_runs(query)]
    return int(store.select(select(func.count()).select_from(_latest(*conditions).subquery()))[0][0])


@operation("GET", "/artifacts/{artifact_id}")
def read_artifact(store: Store, artifact_id: UUID) -> Artifact:
    """Return an artifact.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such artifact.
    """
    return _found(_records.first(store, artifacts.c.id == artifact_id.hex))


@operation("GET", "/artifacts/{key}/latest")
def read_latest_artifact(store: Store, key: str) -> Artifact:
    """Return the latest artifact of a key.

    Raises:
        prefect.exceptions.ObjectNotFound: There is none.
    """
    rows = store.select(_latest(collections.c.key == key))
    return _found(_records.read(rows[0]) if rows else None)


@operation("PATCH", "/artifacts/{artifact_id}")
def update_artifact(store: Store, artifact_id: UUID, data: ArtifactUpdate) -> None:
    """Change what is set in `data` of an artifact.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such artifact.
    """
    with store.transaction() as connection:
        changes = set_fields(data) | {"updated": now()}
        if not _records.update(connection, changes, artifacts.c.id == artifact_id.hex):
            raise _missing()


@operation("DELETE", "/artifacts/{artifact_id}")
def delete_artifact(store: Store, artifact_id: UUID) -> None:
    """Delete an artifact; of its key, the one before it is the latest then.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such artifact.
    """
    with store.transaction() as connection:
        gone = _found(_records.first(connection, artifacts.c.id == artifact_id.hex))
        # Before the artifact goes, so that nobody who deletes another one takes it for the one before.
        latest = _lock_latest(connection, gone.key)
        _found(gone if _records.delete(connection, artifacts.c.id == artifact_id.hex) else None)
        if latest == gone.id:
            _forget_latest(connection, gone)


def _set_latest(connection: Connection, made: Artifact) -> None:
    at = format_utc(made.created or now())
    values = {"id": uuid7().hex, "created": at, "updated": at, "key": made.key, "latest_id": made.id.hex}
    added = insert(collections).values(values)
    # Ids grow with time. Who was made later stays the latest, whichever transaction ends first.
    newer = collections.c.latest_id < added.excluded.latest_id
    changes = {"latest_id": added.excluded.latest_id, "updated": added.excluded.updated}
    if connection.execute(added.on_conflict_do_update(index_elements=["key"], set_=changes, where=newer)):
        _tell(connection, made, "updated", made_id=values["id"])


def _lock_latest(connection: Connection, key: str | None) -> UUID | None:
    """Return which artifact is the latest of a key, which nobody else changes until the transaction ends."""
    if key is None:
        return None
    rows = connection.select(
        select(collections.c.latest_id).where(collections.c.key == key).with_for_update()
    )
    return read_id(rows[0][0]) if rows else None


def _forget_latest(connection: Connection, gone: Artifact) -> None:
    mine = collections.c.key == gone.key
    others = select(artifacts.c.id).where(artifacts.c.key == gone.key)
    before = connection.select(others.order_by(artifacts.c.id.desc()).limit(1))
    if not before:
        _tell(connection, gone, "deleted")
    if before:
        changes = {"latest_id": read_id(before[0][0]).hex, "updated": format_utc(now())}
        connection.execute(collections.update().where(mine).values(changes))
        latest = _records.first(connection, artifacts.c.id == changes["latest_id"])
        assert latest is not None
        _tell(connection, latest, "updated")
    else:
        connection.execute(collections.delete().where(mine))


def _tell(connection: Connection, latest: Artifact, happened: str, made_id: str | None = None) -> None:
    """Tell what happened to the collection of a key; `made_id` is its id if it is new."""
    if not connection.keeps_events:
        return
    rows = connection.select(select(collections.c.id).where(collections.c.key == latest.key))
    collection_id = read_id(rows[0][0])
    if collection_id.hex == made_id:
        happened = "created"
    said = {name: getattr(latest, name) for name in ("key", "type", "data", "description")}
    related = [named("artifact", latest.id, role="latest")]
    if latest.flow_run_id is not None:
        related.append(named("flow-run", latest.flow_run_id))
    if latest.task_run_id is not None:
        related.append(named("task-run", latest.task_run_id))
    tell_of_object(
        connection, f"artifact-collection.{happened}", collection_id, latest.key or "", said, related
    )


def _latest(*conditions: Condition) -> Select[Any]:
    chosen = select(artifacts, collections.c.id, collections.c.created)
    return chosen.join(collections, collections.c.latest_id == artifacts.c.id).where(*conditions)


def _collection(row: Row) -> ArtifactCollection:
    latest = _records.read(row)
    values = msgspec.structs.asdict(latest)
    values |= {"id": read_id(row[-2]), "created": read_time(row[-1]), "latest_id": latest.id}
    return ArtifactCollection(**values)


def _conditions_of_runs(query: ArtifactQuery | ArtifactCollectionQuery) -> list[Condition]:
    conditions: list[Condition] = []
    filters = {"flow_runs": query.flow_runs, "flows": query.flows, "deployments": query.deployments}
    if (inside := conditions_of("flow_runs", filters)) is not None:
        conditions.append(artifacts.c.flow_run_id.in_(select(flow_runs.c.id).where(*inside)))
    if (inside := conditions_of("task_runs", {"task_runs": query.task_runs})) is not None:
        conditions.append(artifacts.c.task_run_id.in_(select(task_runs.c.id).where(*inside)))
    return conditions


def _found(artifact: Artifact | None) -> Artifact:
    if artifact is None:
        raise _missing()
    return artifact


def _missing() -> ObjectNotFound:
    return ObjectNotFound(help_message="Artifact not found.")
