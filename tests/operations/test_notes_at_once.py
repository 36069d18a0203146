"""What several writers do at the same time, as servers over one database would."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from prefect.exceptions import ObjectAlreadyExists
from prefect.operations.artifacts import (
    create_artifact,
    delete_artifact,
    read_artifacts,
    read_latest_artifact,
)
from prefect.operations.block_schemas import create_block_schema
from prefect.operations.block_types import create_block_type
from prefect.operations.variables import create_variable
from prefect.schemas.artifacts import ArtifactCreate, ArtifactQuery
from prefect.schemas.blocks import BlockSchemaCreate, BlockTypeCreate
from prefect.schemas.variables import VariableCreate
from prefect.store.base import Store
from prefect.store.encryption import cipher_of

WRITERS = 8


def test_one_key_is_made(store: Store) -> None:
    with ThreadPoolExecutor(WRITERS) as pool:
        ciphers = list(pool.map(lambda _: cipher_of(store), range(WRITERS)))

    texts = [cipher.encrypt({"a": 1}) for cipher in ciphers]
    assert all(cipher.decrypt(text, UUID(int=1)) == {"a": 1} for cipher in ciphers for text in texts)


def test_the_latest_artifact_is_the_newest(store: Store) -> None:
    def make_and_delete(number: int) -> None:
        create_artifact(store, ArtifactCreate(key="k", data=number))
        delete_artifact(store, create_artifact(store, ArtifactCreate(key="k", data=-number)).id)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(make_and_delete, range(1, 3 * WRITERS)))

    [newest, *others] = read_artifacts(store, ArtifactQuery())
    assert len(others) == 3 * WRITERS - 2
    assert read_latest_artifact(store, "k") == newest


def test_a_name_is_given_once(store: Store) -> None:
    def make(number: int) -> int:
        try:
            create_variable(store, VariableCreate(name="one", value=number))
        except ObjectAlreadyExists:
            return 0
        return 1

    with ThreadPoolExecutor(WRITERS) as pool:
        assert sum(pool.map(make, range(WRITERS))) == 1


def test_a_schema_is_made_once(store: Store) -> None:
    kind = create_block_type(store, BlockTypeCreate(name="a", slug="a"))
    wanted = BlockSchemaCreate(block_type_id=kind.id, fields={"title": "a"})

    with ThreadPoolExecutor(WRITERS) as pool:
        made = set(pool.map(lambda _: create_block_schema(store, wanted).id, range(WRITERS)))

    assert len(made) == 1
