"""`prefect artifact`: what runs show of their work."""

from __future__ import annotations

from typing import Annotated

from prefect.cli.commands import Flag, Group
from prefect.cli.log_lines import Output
from prefect.cli.moments import ago
from prefect.cli.output import confirm, print_json, print_table
from prefect.cli.selecting import Limit, whole_id
from prefect.client.current import get_caller
from prefect.exceptions import ObjectNotFound
from prefect.operations.artifacts import (
    delete_artifact,
    read_artifact,
    read_artifacts,
    read_latest_artifacts,
)
from prefect.schemas.artifacts import (
    Artifact,
    ArtifactCollectionQuery,
    ArtifactCollectionSort,
    ArtifactQuery,
    ArtifactSort,
)
from prefect.schemas.filters.artifacts import ArtifactFilter, ArtifactFilterKey

__all__ = ["run"]

group = Group("artifact")
run = group.run

Everything = Annotated[bool, Flag("-a")]
Key = Annotated[str, Flag(metavar="KEY")]


@group.command("ls")
def ls(*, limit: Limit = 100, all: Everything = False, output: Output = None) -> None:
    """List the latest artifact of each key, by key.

    Args:
        limit: At most so many.
        all: List all artifacts of each key.
        output: Print for programs.
    """
    client = get_caller()
    if all:
        query = ArtifactQuery(
            artifacts=ArtifactFilter(key=ArtifactFilterKey(exists_=True)),
            sort=ArtifactSort.KEY_ASC,
            limit=limit,
        )
        found = client.call(read_artifacts, query)
    else:
        latest = ArtifactCollectionQuery(sort=ArtifactCollectionSort.KEY_ASC, limit=limit)
        collections = client.call(read_latest_artifacts, latest)
        found = [
            Artifact(id=each.latest_id, key=each.key, type=each.type, updated=each.updated)
            for each in collections
        ]
        if output:
            print_json(collections)
            return
    if output:
        print_json(found)
        return
    rows = [[str(each.id), each.key or "", each.type or "", ago(each.updated)] for each in found]
    print_table("Artifacts", ["ID", "Key", "Type", "Updated"], rows)


@group.command("inspect")
def inspect(key: Key, *, limit: Limit = 10) -> None:
    """Show the artifacts of a key as JSON, newest first.

    Args:
        key: The key, or the id of one artifact.
        limit: At most so many.
    """
    print_json(_find(key, limit))


@group.command("delete")
def delete(key: Key, *, yes: Annotated[bool, Flag("-y")] = False) -> None:
    """Delete all artifacts of a key, or one.

    Args:
        key: The key, or the id of one artifact.
        yes: Do not ask.
    """
    found = _find(key, None)
    what = "artifact" if len(found) == 1 else f"{len(found)} artifacts"
    confirm(f"Delete {what} of {key!r}?", yes=yes)
    while found:
        for each in found:
            get_caller().call(delete_artifact, each.id)
        # There may be more than one answer holds.
        found = [] if whole_id(key) else _of_key(key, None)
    print(f"Deleted {what} of {key!r}.")


def _find(key: str, limit: int | None) -> list[Artifact]:
    if (artifact_id := whole_id(key)) is not None:
        return [get_caller().call(read_artifact, artifact_id)]
    found = _of_key(key, limit)
    if not found:
        raise ObjectNotFound(help_message=f"There is no artifact with key or id {key!r}.")
    return found


def _of_key(key: str, limit: int | None) -> list[Artifact]:
    named = ArtifactFilter(key=ArtifactFilterKey(any_=[key]))
    return get_caller().call(read_artifacts, ArtifactQuery(artifacts=named, limit=limit))
