"""`prefect.blocks`, as users call it, on the embedded store."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from blocks.models import Host, Login, Other, Plain
from prefect import flow
from prefect.blocks.core import Block, InvalidBlockRegistration
from prefect.blocks.system import Secret
from prefect.client.current import get_caller
from prefect.operations.block_documents import read_block_document, read_block_documents
from prefect.operations.block_types import read_block_type_by_slug
from prefect.schemas.blocks import BlockDocumentQuery


def shown(block: Block) -> dict[str, Any]:
    """What clients that ask for no secrets see."""
    assert block._block_document_id is not None
    return get_caller().call(read_block_document, block._block_document_id).data


def test_a_secret_is_kept():
    saved = Secret(value="s3cret").save("token")

    found = Secret.load("token")
    assert (found.get(), found._block_document_id, found._block_document_name) == ("s3cret", saved, "token")
    assert repr(found) == str(found) == "Secret(value=Secret('**********'))"
    assert shown(found) == {"value": "********"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(
    st.recursive(st.text('aé"\n') | st.integers(0, 9) | st.booleans(), st.lists)
    | st.dictionaries(st.text("a"), st.none())
)
def test_a_secret_is_anything_that_json_has(value):
    Secret(value=value).save("any", overwrite=True)

    assert Secret.load("any").get() == value


def test_blocks_within_are_kept_with_it():
    block = Host(
        login=Login(password="pw", extra={"k": "v"}),
        either=Other(n=3),
        many=[Plain(token="x")],
        by_name={"a": "b"},
    )
    block.save("host")

    found = Host.load("host")
    assert (found.login.password.get_secret_value(), found.login.extra.get_secret_value()) == (
        "pw",
        {"k": "v"},
    )
    assert (found.either, found.many[0].token.get_secret_value()) == (Other(n=3), "x")
    assert found.by_name["a"].get_secret_value() == "b"
    hidden = shown(found)
    assert (
        hidden["login"]["password"] == hidden["login"]["extra"]["k"] == hidden["by_name"]["a"] == "********"
    )
    assert hidden["many"] == [{"a": 1, "token": "********"}]


def test_blocks_that_are_kept_themselves_are_referred_to():
    login = Login(user="u", password="one")
    login.save("login")
    Host(login=login, either=Other(n=1)).save("host")

    Login(user="u", password="two").save("login", overwrite=True)

    found = Host.load("host")
    assert found.login.password.get_secret_value() == "two"
    assert (found.login._block_document_id, found.login._block_document_name) == (
        login._block_document_id,
        "login",
    )


def test_values_are_replaced_only_when_that_is_asked():
    block = Other(n=1)
    first = block.save("mine")
    block.n = 2

    with pytest.raises(ValueError, match="`overwrite=True`"):
        block.save("mine")
    assert block.save(overwrite=True) == first
    assert Other.load("mine").n == 2


def test_a_block_needs_a_plain_name():
    for name in (None, "No Name"):
        with pytest.raises(ValueError, match="name"):
            Other(n=1).save(name)
    anonymous = Other(n=1)
    assert isinstance(anonymous.save(is_anonymous=True), UUID)
    assert anonymous._block_document_name is not None
    assert get_caller().call(read_block_documents, BlockDocumentQuery()) == []


def test_a_block_is_loaded_by_its_type_or_by_a_reference():
    block = Other(n=1)
    block.save("mine")

    assert type(Block.load("other-kind/mine")) is Other
    for ref in (
        block._block_document_id,
        str(block._block_document_id),
        {"block_document_id": block._block_document_id},
        {"block_document_slug": "other-kind/mine"},
    ):
        assert Block.load_from_ref(ref).n == 1


@pytest.mark.parametrize("name", ["nope", "other-kind/nope", "nope/mine"])
def test_what_is_not_there_cannot_be_loaded(name):
    with pytest.raises(ValueError, match=r"Unable to find|needs the type"):
        Block.load(name)


def test_a_block_is_deleted():
    Other(n=1).save("mine")

    Other.delete("mine")

    with pytest.raises(ValueError, match="Unable to find block document named mine"):
        Other.delete("mine")


def test_values_that_no_longer_fit_are_loaded_without_validation():
    class Changing(Block):
        a: int

    Changing(a=1).save("mine")

    class Changed(Block):
        _block_type_slug = "changing"
        a: int
        b: int

    with pytest.raises(RuntimeError, match="validate=False"):
        Changed.load("mine")
    found = Changed.load("mine", validate=False)
    assert (found.a, found.b) == (1, None)


def test_async_code_awaits():
    @flow
    async def main() -> list[Any]:
        saved = await Other(n=1).save("one")
        await Other(n=2).asave("two")
        found = [(await Other.load("one")).n, (await Other.aload("two")).n, isinstance(saved, UUID)]
        found.append((await Block.aload_from_ref(saved)).n)
        await Other.register_type_and_schema()
        await Other.delete("one")
        await Other.adelete("two")
        return found

    assert asyncio.run(main()) == [1, 2, True, 1]


def test_a_class_describes_itself():
    Other.register_type_and_schema()

    known = get_caller().call(read_block_type_by_slug, "other-kind")
    assert (known.name, known.description, known.code_example) == ("Other Kind", "told", "code")
    assert (known.logo_url, known.documentation_url) == (
        "https://example.com/logo.png",
        "https://example.com/docs",
    )
    assert Login.get_description() == "Who may come in."
    assert 'Login.load("BLOCK_NAME")' in (Login.get_code_example() or "")
    assert (Other.get_block_schema_version(), Other.get_block_capabilities()) == ("1.2", {"a", "b"})
    with pytest.raises(InvalidBlockRegistration):
        Block.register_type_and_schema()


def test_texts_that_changed_are_told():
    class Told(Block):
        _description = "first"

    Told.register_type_and_schema()
    Told._description = "second"
    Told.register_type_and_schema()

    assert get_caller().call(read_block_type_by_slug, "told").description == "second"


def test_the_schema_is_that_of_other_clients():
    # Checksums that clients of Prefect 3.8.8 compute for the same classes.
    class Region(Block):
        p: Plain = Plain(token="**********")

    fields = Host.model_json_schema()
    assert fields["secret_fields"] == [
        "login.password",
        "login.extra.*",
        "either.password",
        "either.extra.*",
        "plain.token",
        "many.token",
        "by_name.*",
    ]
    assert set(fields["block_schema_references"]) == {"login", "either"}
    assert fields["properties"]["plain"]["position"] == 3
    assert set(fields["definitions"]) == {"Login", "Other", "Plain"}
    assert Region.model_json_schema()["secret_fields"] == ["p.token"]


def test_dumps_tell_the_type_and_no_secret():
    block = Login(password="pw", extra={"k": "v"})

    assert block.model_dump(mode="json") == {
        "user": "me",
        "password": "**********",
        "extra": "**********",
        "block_type_slug": "login",
    }
    with pytest.raises(ValidationError):
        Login()  # type: ignore[call-arg]


def test_a_new_block_is_initialized():
    class Ready(Block):
        a: int = 1

        def block_initialization(self) -> None:
            self._double = self.a * 2

        _double: int = 0

    Ready(a=2).save("ready")
    assert Ready.load("ready")._double == 4
    assert Secret[str] is Secret
