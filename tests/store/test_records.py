"""Objects whose rows are made by what the columns are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prefect.schemas.base import Schema
from prefect.store.base import Store
from prefect.store.records import Records
from prefect.store.tables import variables
from prefect.types import now, uuid7


class Kept(Schema):
    """A variable, with a field that has no column."""

    name: str
    value: Any = None
    tags: list[str] = msgspec.field(default_factory=list)
    id: UUID = msgspec.field(default_factory=uuid7)
    created: datetime | None = None
    updated: datetime | None = None
    beside: str = "default"


RECORDS = Records(variables, Kept)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


def kept(name: str, value: Any = None) -> Kept:
    return Kept(name=name, value=value, created=now(), updated=now(), tags=["a"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(value=VALUES)
def test_what_is_inserted_is_read(store: Store, value: Any) -> None:
    one = kept(uuid7().hex, value)
    with store.transaction() as connection:
        assert RECORDS.insert(connection, one)
    assert RECORDS.first(store, variables.c.id == one.id) == one


def test_the_same_key_is_not_inserted_twice(store: Store) -> None:
    with store.transaction() as connection:
        assert RECORDS.insert(connection, kept("one"))
        assert not RECORDS.insert(connection, kept("one"))
    assert RECORDS.count(store) == 1


def test_fields_are_changed_and_objects_deleted(store: Store) -> None:
    one, other = kept("one"), kept("other")
    moment = datetime(2020, 1, 1, tzinfo=UTC)
    with store.transaction() as connection:
        RECORDS.insert_all(connection, [one, other])
        held = RECORDS.to_change(connection, variables.c.name == "one")
        assert held == one
        assert (
            RECORDS.update(connection, {"value": {"x": 1}, "updated": moment}, variables.c.id == one.id) == 1
        )
        assert RECORDS.delete(connection, variables.c.id == other.id) == 1
    assert RECORDS.all(store, RECORDS.select()) == [
        msgspec.structs.replace(one, value={"x": 1}, updated=moment)
    ]
