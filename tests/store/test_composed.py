"""The text that is kept of a composed statement is that which compiling it anew gives."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, literal, select, update
from sqlalchemy.sql import ClauseElement

from prefect.store.base import Dialect
from prefect.store.compile import DIALECTS
from prefect.store.composed import text_and_params
from prefect.store.conditions.base import TAG_TESTS, TESTS
from prefect.store.tables import flow_runs, flows
from prefect.store.values import Row, plain

DATABASES: tuple[Dialect, ...] = ("sqlite", "postgresql")


def compiled_anew(statement: ClauseElement, dialect: Dialect) -> tuple[str, Row]:
    options = {"render_postcompile": True}
    compiled = statement.compile(dialect=DIALECTS[dialect], compile_kwargs=options)
    names = getattr(compiled, "positiontup", None) or []
    values = compiled.params
    return str(compiled), tuple(plain(values[name]) for name in names)


texts = st.text("ab%_", max_size=3)
ids = st.integers(1, 5).map(lambda number: UUID(int=number))
conditions = st.one_of(
    st.lists(ids, max_size=4).map(lambda some: flow_runs.c.id.in_(some)),
    st.lists(ids, min_size=1, max_size=4).map(lambda some: TESTS["any_"](flow_runs.c.flow_id, some)),
    st.lists(texts, min_size=1, max_size=3).map(lambda some: TESTS["startswith_"](flow_runs.c.name, some)),
    st.lists(texts, min_size=1, max_size=3).map(lambda some: TAG_TESTS["any_"](flow_runs.c.tags, some)),
    st.booleans().map(lambda wanted: TESTS["is_null_"](flow_runs.c.state_id, wanted)),
    st.integers().map(lambda count: flow_runs.c.run_count > count),
    # Values that stand in the text.
    texts.map(lambda text: flow_runs.c.name == literal(text, literal_execute=True)),
    st.lists(texts, max_size=2).map(
        lambda names: flow_runs.c.flow_id.in_(select(flows.c.id).where(flows.c.name.in_(names)))
    ),
)
queries = st.builds(
    lambda wanted, limit, offset: select(flow_runs.c.id).where(*wanted).limit(limit).offset(offset),
    st.lists(conditions, max_size=3),
    st.integers(0, 200),
    st.none() | st.integers(0, 200),
)
changes = st.builds(
    lambda kind, wanted, name, count: {
        "insert": insert(flow_runs).values(id="1" * 32, name=name, run_count=count),
        "update": update(flow_runs).where(*wanted).values(name=name, run_count=flow_runs.c.run_count + count),
        "delete": delete(flow_runs).where(*wanted),
    }[kind],
    st.sampled_from(["insert", "update", "delete"]),
    st.lists(conditions, max_size=2),
    texts,
    st.integers(),
)


@settings(deadline=None)
@given(st.lists(queries | changes, min_size=1, max_size=5))
def test_what_is_kept_is_what_compiling_gives(statements: Iterable[ClauseElement]) -> None:
    for statement in statements:
        for dialect in DATABASES:
            assert text_and_params(statement, dialect) == compiled_anew(statement, dialect)
            assert text_and_params(statement, dialect) == compiled_anew(statement, dialect)


@pytest.mark.parametrize("dialect", DATABASES)
def test_a_text_is_compiled_once(dialect: Dialect, monkeypatch: pytest.MonkeyPatch) -> None:
    def query(name: str, limit: int) -> ClauseElement:
        return select(flows.c.id).where(flows.c.name == name, flows.c.created.is_not(None)).limit(limit)

    text, params = text_and_params(query("a", 1), dialect)
    # Whoever compiles from here on needs the dialects.
    monkeypatch.setattr("prefect.store.composed.DIALECTS", {})

    # SQLite has an offset of 0 of its own there.
    assert text_and_params(query("b", 2), dialect) == (text, ("b", 2, *params[2:]))


def test_only_so_many_texts_are_kept() -> None:
    columns = list(flow_runs.c)
    for first in columns:
        for second in columns:
            query = select(first.label("a"), second.label("b"))
            assert text_and_params(query, "sqlite") == compiled_anew(query, "sqlite")
