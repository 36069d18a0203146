"""Write `prefect.store.statements` from the tables: `python -m prefect.store.compile`."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import Boolean, Dialect, Double, Numeric
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql import ClauseElement

from prefect.store.hot import HOT
from prefect.store.listings import CONDITIONS, LISTINGS
from prefect.store.tables import metadata
from prefect.store.versions import CREATE_VERSION_TABLE, stamp

__all__ = ["render", "schema_of"]


class _Boolean(Boolean):
    render_bind_cast = True


class _Double(Double[float]):
    render_bind_cast = True


class _Numeric(Numeric[float]):
    render_bind_cast = True


SQLITE: Dialect = sqlite.dialect(paramstyle="qmark")
POSTGRESQL: Dialect = psycopg.dialect(paramstyle="format")  # type: ignore[no-untyped-call]
# Each parameter says in the text what it is: values travel as texts, and lists of them to tables of rows.
POSTGRESQL.colspecs = {
    **POSTGRESQL.colspecs,
    Boolean: _Boolean,
    Double: _Double,
    Numeric: _Numeric,
}
DIALECTS = {"sqlite": SQLITE, "postgresql": POSTGRESQL}

HEADER = '''"""Statements that every run needs, as text. Written by `python -m prefect.store.compile`."""

# ruff: noqa: E501
from __future__ import annotations

from prefect.store.statement import Condition, Listing, Statement
'''


def _text(statement: ClauseElement, dialect: Dialect) -> str:
    compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    return re.sub(r"\s+", " ", str(compiled)).strip()


def schema_of(dialect: Dialect) -> list[str]:
    """Return the statements that make the current schema, in order."""
    made: list[str] = []
    for table in metadata.sorted_tables:
        made.append(str(CreateTable(table).compile(dialect=dialect)))
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        made += [str(CreateIndex(index).compile(dialect=dialect)) for index in indexes]
    made += [CREATE_VERSION_TABLE, stamp()]
    return [re.sub(r"\s+", " ", text).strip() for text in made]


def render() -> str:
    """Return the text of the module `prefect.store.statements`."""
    names = (*(f"{name.upper()}_SCHEMA" for name in DIALECTS), *HOT, *LISTINGS, *CONDITIONS)
    parts = [HEADER, "\n__all__ = [\n", *(f'    "{name}",\n' for name in names), "]\n"]
    for name, dialect in DIALECTS.items():
        parts.append(f"\n{name.upper()}_SCHEMA: tuple[str, ...] = (\n")
        parts += [f"    {_quoted(statement)},\n" for statement in schema_of(dialect)]
        parts.append(")\n")
    parts += [f"\n{name} = {_call('Statement', statement)}\n" for name, statement in HOT.items()]
    parts += [f"\n{name} = {_call('Listing', statement)}\n" for name, statement in LISTINGS.items()]
    for name, conditions in CONDITIONS.items():
        parts.append(f"\n{name} = {{\n")
        for path, texts in conditions.items():
            parts.append(f'    "{path}": Condition(\n')
            parts += [f"        {_call('Statement', text, 8)},\n" for text in texts if text is not None]
            parts.append("    ),\n")
        parts.append("}\n")
    return "".join(parts)


def _call(name: str, statement: ClauseElement, indent: int = 0) -> str:
    """Write the making of a statement, a line for each database."""
    lines = [f"{' ' * indent}    {_quoted(_text(statement, dialect))},\n" for dialect in DIALECTS.values()]
    return f"{name}(\n{''.join(lines)}{' ' * indent})"


def _quoted(text: str) -> str:
    return f"'{text}'" if '"' in text and "'" not in text else '"' + text.replace('"', '\\"') + '"'


if __name__ == "__main__":
    Path(__file__).with_name("statements.py").write_text(render(), encoding="utf-8")
