import asyncio
import json
from typing import Optional

from pydantic import BaseModel, SecretStr

from prefect import flow, task
from prefect.artifacts import (
    Artifact,
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.blocks.core import Block
from prefect.blocks.system import Secret
from prefect.variables import Variable


class Plain(BaseModel):
    a: int = 1
    token: SecretStr = SecretStr("t")


class Login(Block):
    """Who may come in."""

    user: str = "me"
    password: SecretStr


class Other(Block):
    _block_type_name = "Other Kind"
    n: int


class Host(Block):
    port: int = 80
    login: Login
    either: Optional[Login | Other] = None
    plain: Plain = Plain()


def program_variables():
    print(repr(Variable.set("region", {"eu": [1, 2]}, tags=["a"])))
    print(Variable.get("region"), Variable.get("nope"), Variable.get("nope", default=5))
    try:
        Variable.set("region", 2)
    except ValueError as error:
        print(error)
    print(Variable.set("region", None, overwrite=True).value, Variable.get("region"))
    print(Variable.unset("region"), Variable.unset("region"))


def program_variables_in_async_code():
    @flow
    async def main():
        await Variable.set("a", 1)
        found = [await Variable.get("a"), await Variable.aget("b", 2), await Variable.aunset("a")]
        return found

    print(asyncio.run(main()))


def program_artifacts():
    @task
    def inner():
        return create_markdown_artifact("# hi", key="text", description="d")

    @flow
    def main():
        create_link_artifact("https://example.com", key="link", link_text="L")
        create_table_artifact({"a": [1, float("nan")]}, key="table")
        progress = create_progress_artifact(10, key="progress")
        update_progress_artifact(progress, 55.5)
        return inner()

    made = main()
    for key in ("link", "table", "progress", "text", "nope"):
        found = Artifact.get(key)
        print(key, found and (found.type, found.data, found.description))
    print(Artifact.get("text").id == made, Artifact.get("text").task_run_id is not None)
    print(Artifact.get_or_create("text", data="x")[1])


def program_secrets():
    Secret(value="s3cret").save("token")
    found = Secret.load("token")
    print(found, found.get())
    Secret(value={"a": [1, 2]}).save("token", overwrite=True)
    print(Secret.load("token").get())


def program_blocks():
    login = Login(password="one")
    login.save("login")
    Host(login=login, either=Other(n=3)).save("host")
    Login(password="two").save("login", overwrite=True)
    found = Host.load("host")
    print(found)
    print(found.login.password.get_secret_value(), found.plain.token.get_secret_value(), found.either.n)
    print(found.login._block_document_name, Block.load("host/host").port)
    for name in ("nope", "host"):
        try:
            print(Other.load(name))
        except ValueError as error:
            print(error)
    print(Host.get_block_type_slug(), Other.get_block_type_slug(), Other.get_block_type_name())
    Host.delete("host")
    try:
        Host.load("host")
    except ValueError as error:
        print(error)


def program_schemas_of_blocks():
    for cls in (Login, Other, Host):
        fields = cls.model_json_schema()
        print(cls.__name__, sorted(fields), fields["secret_fields"], fields["properties"])
    print(json.dumps(Host.model_json_schema()["block_schema_references"], sort_keys=True))


def program_blocks_in_async_code():
    async def main():
        await Other(n=1).save("one")
        return (await Other.load("one")).n, (await Other.aload("one")).n

    print(asyncio.run(main()))
