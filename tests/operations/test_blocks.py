from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from prefect.exceptions import (
    ConfigurationError,
    ObjectAlreadyExists,
    ObjectNotFound,
    ProtectedBlockError,
    RequestRefused,
    StoreConflict,
)
from prefect.operations.block_documents import (
    count_block_documents,
    create_block_document,
    delete_block_document,
    read_block_document,
    read_block_document_by_name,
    read_block_documents,
    read_block_documents_of_type,
    update_block_document,
)
from prefect.operations.block_schemas import (
    create_block_schema,
    delete_block_schema,
    read_block_capabilities,
    read_block_schema,
    read_block_schema_by_checksum,
    read_block_schemas,
)
from prefect.operations.block_types import (
    create_block_type,
    delete_block_type,
    read_block_type,
    read_block_type_by_slug,
    read_block_types,
    update_block_type,
)
from prefect.operations.result_storage import (
    ResultStorage,
    ResultStorageUpdate,
    clear_result_storage,
    read_result_storage,
    set_result_storage,
)
from prefect.schemas.blocks import (
    BlockDocument,
    BlockDocumentCreate,
    BlockDocumentQuery,
    BlockDocumentSort,
    BlockDocumentUpdate,
    BlockSchema,
    BlockSchemaCreate,
    BlockSchemaQuery,
    BlockTypeCreate,
    BlockTypeQuery,
    BlockTypeUpdate,
)
from prefect.schemas.filters.blocks import (
    BlockDocumentFilter,
    BlockDocumentFilterIsAnonymous,
    BlockDocumentFilterName,
    BlockSchemaFilter,
    BlockSchemaFilterCapabilities,
    BlockTypeFilter,
    BlockTypeFilterName,
    BlockTypeFilterSlug,
)
from prefect.settings.context import temporary_settings
from prefect.store.base import Store
from prefect.store.tables import block_documents

NOBODY = UUID(int=1)


def make_schema(store: Store, slug: str = "login", **values: Any) -> BlockSchema:
    kind = create_block_type(store, BlockTypeCreate(name=slug.capitalize(), slug=slug))
    fields = {"title": slug, "secret_fields": ["password", "headers.*"]} | values.pop("fields", {})
    return create_block_schema(store, BlockSchemaCreate(block_type_id=kind.id, fields=fields, **values))


def make(store: Store, schema: BlockSchema, name: str | None = "mine", **data: Any) -> BlockDocument:
    assert schema.block_type_id is not None
    wanted = BlockDocumentCreate(
        name=name,
        data=data,
        block_schema_id=schema.id,
        block_type_id=schema.block_type_id,
        is_anonymous=name is None,
    )
    return create_block_document(store, wanted)


def ref(document: BlockDocument) -> dict[str, Any]:
    return {"$ref": {"block_document_id": str(document.id)}}


def in_clear(store: Store, document: BlockDocument) -> dict[str, Any]:
    return read_block_document(store, document.id, include_secrets=True).data


def test_block_types_are_found_changed_and_deleted(store: Store) -> None:
    made = create_block_type(store, BlockTypeCreate(name="My Login", slug="my-login", description="d"))

    update_block_type(store, made.id, BlockTypeUpdate(logo_url="u"))
    found = read_block_type_by_slug(store, "my-login")
    assert (found.id, found.description, found.logo_url) == (made.id, "d", "u")
    with pytest.raises(ObjectAlreadyExists, match='"My Login" already exists'):
        create_block_type(store, BlockTypeCreate(name="My Login", slug="my-login"))
    delete_block_type(store, made.id)
    for ask in (read_block_type, delete_block_type):
        with pytest.raises(ObjectNotFound, match="Block type not found"):
            ask(store, made.id)


def test_what_clients_rely_on_is_protected(store: Store) -> None:
    schema = make_schema(store, "secret")
    assert schema.block_type is not None and schema.block_type.is_protected

    with pytest.raises(ProtectedBlockError):
        delete_block_type(store, schema.block_type.id)
    with pytest.raises(ProtectedBlockError):
        delete_block_schema(store, schema.id)


def test_block_types_are_filtered(store: Store) -> None:
    make_schema(store, "b", capabilities=["notify"])
    make_schema(store, "a", capabilities=["notify", "read-path"])

    def slugs(**query: Any) -> list[str]:
        return [each.slug for each in read_block_types(store, BlockTypeQuery(**query))]

    assert slugs() == ["a", "b"]
    assert slugs(block_types=BlockTypeFilter(slug=BlockTypeFilterSlug(any_=["b"]))) == ["b"]
    assert slugs(block_types=BlockTypeFilter(name=BlockTypeFilterName(like_="A"))) == ["a"]
    readable = BlockSchemaFilter(block_capabilities=BlockSchemaFilterCapabilities(all_=["read-path"]))
    assert slugs(block_schemas=readable) == ["a"]
    assert read_block_capabilities(store) == ["notify", "read-path"]


@pytest.mark.parametrize("values", [{"name": "a/b", "slug": "a"}, {"name": "a", "slug": "a_b C"}])
def test_names_of_types_are_plain(values: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"Block type (name|slug) must"):
        BlockTypeCreate(**values)


def test_a_schema_is_made_once_for_each_version(store: Store) -> None:
    first = make_schema(store)
    assert first.block_type_id is not None
    again = BlockSchemaCreate(block_type_id=first.block_type_id, fields=first.fields)

    assert create_block_schema(store, again) == read_block_schema(store, first.id) == first
    again.version = "2"
    second = create_block_schema(store, again)
    assert (second.checksum, second.id == first.id) == (first.checksum, False)
    assert read_block_schema_by_checksum(store, first.checksum) == second
    assert read_block_schema_by_checksum(store, first.checksum, "non-versioned") == first
    assert read_block_schemas(store, BlockSchemaQuery()) == [second, first]
    with pytest.raises(ObjectNotFound, match="Block schema not found"):
        read_block_schema_by_checksum(store, first.checksum, "3")


def test_a_schema_needs_what_it_refers_to(store: Store) -> None:
    inner = make_schema(store, "inner")

    def outer(slug: str, checksum: str) -> BlockSchema:
        reference = {"block_type_slug": slug, "block_schema_checksum": checksum}
        return make_schema(store, f"outer-{slug}", fields={"block_schema_references": {"login": [reference]}})

    assert outer("inner", inner.checksum).fields["block_schema_references"]
    with pytest.raises(StoreConflict, match="block type 'nope' was not found"):
        outer("nope", inner.checksum)
    with pytest.raises(ObjectNotFound, match="not found"):
        create_block_schema(store, BlockSchemaCreate(block_type_id=NOBODY))


def test_secrets_are_hidden_unless_they_are_asked_for(store: Store) -> None:
    made = make(store, make_schema(store), user="me", password="pw", headers={"a": {"b": "c"}})

    assert made.data == {"user": "me", "password": "********", "headers": {"a": {"b": "********"}}}
    assert read_block_document_by_name(store, "login", "mine") == made
    assert in_clear(store, made) == {"user": "me", "password": "pw", "headers": {"a": {"b": "c"}}}
    assert read_block_documents_of_type(store, "login", include_secrets=True)[0].data["password"] == "pw"
    assert (made.block_type_name, made.block_document_references) == ("Login", {})


def test_values_are_encrypted_in_the_database(store: Store) -> None:
    make(store, make_schema(store), user="canary", password="canary")

    [(text,)] = store.select(select(block_documents.c.data))

    assert "canary" not in text


def test_a_key_of_the_settings_is_used(store: Store) -> None:
    from cryptography.fernet import Fernet

    schema = make_schema(store)
    before = make(store, schema, "before", password="old")
    with temporary_settings({"PREFECT_SERVER_ENCRYPTION_KEY": Fernet.generate_key().decode()}):
        made = make(store, schema, "after", password="new")
        assert in_clear(store, made)["password"] == "new"
        assert in_clear(store, before)["password"] == "old"
    with pytest.raises(ConfigurationError, match="PREFECT_SERVER_ENCRYPTION_KEY to that one"):
        in_clear(store, made)
    short = temporary_settings({"PREFECT_SERVER_ENCRYPTION_KEY": "short"})
    with short, pytest.raises(ConfigurationError, match="is no key"):
        in_clear(store, made)


def test_names_are_taken_once_for_each_type(store: Store) -> None:
    schema = make_schema(store)
    make(store, schema)

    with pytest.raises(ObjectAlreadyExists, match="Block already exists"):
        make(store, schema)
    make(store, make_schema(store, "other"))


def test_a_document_needs_a_name_a_type_and_a_schema_of_it(store: Store) -> None:
    schema = make_schema(store)

    with pytest.raises(ValueError, match="Names must be provided"):
        BlockDocumentCreate(block_schema_id=schema.id, block_type_id=NOBODY)
    with pytest.raises(ValueError, match="Block document name must"):
        make(store, schema, "No Name")
    with pytest.raises(StoreConflict, match="has no schema"):
        create_block_document(
            store, BlockDocumentCreate(name="a", block_schema_id=schema.id, block_type_id=NOBODY)
        )


def test_references_are_resolved(store: Store) -> None:
    inner, outer = (
        make_schema(store),
        make_schema(store, "host", fields={"secret_fields": ["login.password"]}),
    )
    login = make(store, inner, "login", user="me", password="pw")

    made = make(store, outer, "host", login=ref(login), port=1)

    assert made.data == {"port": 1, "login": {"user": "me", "password": "********"}}
    assert in_clear(store, made)["login"]["password"] == "pw"
    told = made.block_document_references["login"]["block_document"]
    assert (told["id"], told["name"], told["block_type"].slug) == (login.id, "login", "login")
    update_block_document(store, login.id, BlockDocumentUpdate(data={"user": "you"}))
    assert in_clear(store, made)["login"] == {"user": "you", "password": "pw"}
    delete_block_document(store, login.id)
    assert in_clear(store, made) == {"port": 1}


def test_a_reference_gives_way_to_values_and_back(store: Store) -> None:
    schema = make_schema(store)
    login = make(store, schema, "login", user="me")
    made = make(store, schema, "host", login=ref(login))

    update_block_document(store, made.id, BlockDocumentUpdate(data={"login": {"user": "inline"}}))
    assert in_clear(store, made) == {"login": {"user": "inline"}}
    update_block_document(store, made.id, BlockDocumentUpdate(data={"login": ref(login)}))
    assert in_clear(store, made) == {"login": {"user": "me"}}


def test_documents_that_refer_to_each_other_can_be_read(store: Store) -> None:
    schema = make_schema(store)
    first = make(store, schema, "first", n=1)
    second = make(store, schema, "second", n=2, other=ref(first))

    update_block_document(
        store, first.id, BlockDocumentUpdate(data={"other": ref(second), "self": ref(first)})
    )

    assert in_clear(store, first) == {"n": 1, "other": {"n": 2}}


@pytest.mark.parametrize("target", [NOBODY, {"block_document_id": "nope"}, "nope", None])
def test_a_reference_to_nobody_is_refused(store: Store, target: Any) -> None:
    with pytest.raises((StoreConflict, RequestRefused)):
        make(store, make_schema(store), login={"$ref": target})


def test_changes_are_merged_and_asterisks_leave_secrets(store: Store) -> None:
    made = make(store, make_schema(store), user="me", password="pw", headers={"a": "b", "c": "d"})

    update_block_document(
        store,
        made.id,
        BlockDocumentUpdate(data={"password": "********", "headers": {"a": "********", "e": "f"}}),
    )
    assert in_clear(store, made) == {"user": "me", "password": "pw", "headers": {"a": "b", "e": "f"}}
    update_block_document(
        store, made.id, BlockDocumentUpdate(data={"user": "you"}, merge_existing_data=False)
    )
    assert in_clear(store, made) == {"user": "you"}


def test_a_document_keeps_its_type(store: Store) -> None:
    made, other = make(store, make_schema(store)), make_schema(store, "other")

    with pytest.raises(RequestRefused, match="same block type"):
        update_block_document(store, made.id, BlockDocumentUpdate(block_schema_id=other.id))


def test_documents_are_filtered_sorted_and_counted(store: Store) -> None:
    login, other = make_schema(store), make_schema(store, "a-other", capabilities=["notify"])
    make(store, login, "a")
    make(store, other, "b")
    made = make(store, login, None)
    assert made.name is not None and made.name.startswith("anonymous-")

    def names(**query: Any) -> list[str | None]:
        return [each.name for each in read_block_documents(store, BlockDocumentQuery(**query))]

    assert names() == ["a", "b"]
    assert names(sort=None, limit=1, offset=1) == ["b"]
    assert names(sort=BlockDocumentSort.NAME_DESC) == ["b", "a"]
    assert names(sort=BlockDocumentSort.BLOCK_TYPE_AND_NAME_ASC) == ["b", "a"]
    assert names(block_types=BlockTypeFilter(slug=BlockTypeFilterSlug(any_=["login"]))) == ["a"]
    notifying = BlockSchemaFilter(block_capabilities=BlockSchemaFilterCapabilities(all_=["notify"]))
    assert names(block_schemas=notifying) == ["b"]
    named = BlockDocumentFilter(name=BlockDocumentFilterName(like_="B"))
    assert names(block_documents=named) == ["b"]
    anonymous = BlockDocumentFilter(is_anonymous=BlockDocumentFilterIsAnonymous(eq_=True))
    assert names(block_documents=anonymous) == [made.name]
    everything = BlockDocumentFilter(is_anonymous=None)
    assert count_block_documents(store, BlockDocumentQuery(block_documents=everything)) == 3
    assert count_block_documents(store, BlockDocumentQuery()) == 2


def test_a_type_is_deleted_with_its_documents(store: Store) -> None:
    schema = make_schema(store)
    made = make(store, schema)
    assert schema.block_type_id is not None

    delete_block_type(store, schema.block_type_id)

    for ask in (read_block_document, delete_block_document):
        with pytest.raises(ObjectNotFound, match="Block document not found"):
            ask(store, made.id)
    with pytest.raises(ObjectNotFound, match="Block type not found"):
        read_block_documents_of_type(store, "login")


def test_results_can_go_to_a_block_by_default(store: Store) -> None:
    made = make(store, make_schema(store))
    assert read_result_storage(store) == ResultStorage()

    for _ in range(2):
        set_result_storage(store, ResultStorageUpdate(default_result_storage_block_id=made.id))
    assert read_result_storage(store).default_result_storage_block_id == made.id
    clear_result_storage(store)
    assert read_result_storage(store) == ResultStorage()
    with pytest.raises(ObjectNotFound, match="not found"):
        set_result_storage(store, ResultStorageUpdate(default_result_storage_block_id=NOBODY))
