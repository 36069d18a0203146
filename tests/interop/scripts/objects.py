"""What a client keeps beside runs: variables, blocks, artifacts, limits. `python objects.py`"""

from __future__ import annotations

from pydantic import SecretStr

from prefect import flow, get_client, task
from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.blocks.core import Block
from prefect.blocks.system import Secret
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.concurrency.sync import concurrency, rate_limit
from prefect.variables import Variable


class Login(Block):
    user: str
    password: SecretStr


class Database(Block):
    host: str
    port: int = 5432
    login: Login


@task
def note_in_task() -> None:
    create_markdown_artifact("# from a task", key="task-note", description="of a task")


@task(tags=["limited"])
def limited(x: int) -> int:
    return x


@flow(name="artifacts-flow")
def artifacts() -> None:
    create_markdown_artifact("# one", key="report", description="the first")
    create_markdown_artifact("# two", key="report")
    create_table_artifact([{"a": 1, "b": "x"}, {"a": 2, "b": None}], key="table")
    create_link_artifact("https://example.org/x", link_text="x", key="link")
    progress = create_progress_artifact(25.0, key="progress")
    update_progress_artifact(progress, progress=80.0)
    note_in_task()


@flow(name="limits-flow")
def limits() -> int:
    with concurrency("database", occupy=2):
        pass
    with concurrency("unknown-limit", occupy=1):
        pass
    rate_limit("rate", occupy=1)
    return sum(future.result() for future in limited.map([1, 2, 3]))


def variables() -> None:
    Variable.set("plain", "text", tags=["a", "b"])
    Variable.set("structured", {"x": [1, 2, {"y": None}], "z": 1.5})
    Variable.set("plain", "changed", overwrite=True)
    assert Variable.get("plain") == "changed"
    assert Variable.get("absent", default=7) == 7
    try:
        Variable.set("plain", "again")
    except ValueError as error:
        print("refused:", error)
    Variable.set("gone", True)
    Variable.unset("gone")


def blocks() -> None:
    Secret(value="s3cret").save("token")
    assert Secret.load("token").get() == "s3cret"
    Secret(value={"a": 1}).save("structured")
    login = Login(user="me", password="hidden")
    login.save("mine")
    Database(host="here", login=login).save("warehouse")
    loaded = Database.load("warehouse")
    assert loaded.login.password.get_secret_value() == "hidden"
    Database(host="there", port=1, login=login).save("warehouse", overwrite=True)
    assert Block.load("database/warehouse").host == "there"
    Secret(value="x").save("gone")
    Secret.delete("gone")


def main() -> None:
    variables()
    blocks()
    artifacts()
    with get_client(sync_client=True) as client:
        client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name="database", limit=2))
        client.create_global_concurrency_limit(
            GlobalConcurrencyLimitCreate(name="rate", limit=5, slot_decay_per_second=1000.0)
        )
        client.create_concurrency_limit(tag="limited", concurrency_limit=2)
        limits()


if __name__ == "__main__":
    main()
