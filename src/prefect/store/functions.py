"""What the two databases say differently about JSON, as SQLAlchemy functions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

__all__ = ["Among", "Holds", "Member"]


class Among(FunctionElement[bool]):
    """Whether a column's value is in a JSON list of texts: one parameter, however long the list is."""

    # No `type = Boolean()`: for SQLite that appends `= 1`, which keeps it from using an index.
    name = "among"
    inherit_cache = True


class Holds(FunctionElement[bool]):
    """Whether a JSON list of texts holds a text."""

    type = Boolean()
    name = "holds"
    inherit_cache = True


class Member(FunctionElement[str]):
    """A member of a JSON object, as text."""

    type = String()
    name = "member"
    inherit_cache = True


def _parts(element: FunctionElement[Any], compiler: Any, options: dict[str, Any]) -> list[str]:
    return [compiler.process(part, **options) for part in element.clauses]


@compiles(Among, "sqlite")
def _among_sqlite(element: Among, compiler: Any, **options: Any) -> str:
    column, wanted = _parts(element, compiler, options)
    return f"{column} IN (SELECT value FROM json_each({wanted}))"


@compiles(Among, "postgresql")
def _among_postgresql(element: Among, compiler: Any, **options: Any) -> str:
    column, wanted = _parts(element, compiler, options)
    kind = next(iter(element.clauses)).type
    # A cast to VARCHAR(16) would cut what is longer.
    name = "TEXT" if isinstance(kind, String) else compiler.dialect.type_compiler_instance.process(kind)
    return f"{column} IN (SELECT value::{name} FROM jsonb_array_elements_text({wanted}) AS item(value))"


@compiles(Holds, "sqlite")
def _holds_sqlite(element: Holds, compiler: Any, **options: Any) -> str:
    texts, wanted = _parts(element, compiler, options)
    return f"EXISTS (SELECT 1 FROM json_each({texts}) AS item WHERE item.value = {wanted})"


@compiles(Holds, "postgresql")
def _holds_postgresql(element: Holds, compiler: Any, **options: Any) -> str:
    texts, wanted = _parts(element, compiler, options)
    return f"{texts} @> jsonb_build_array({wanted}::text)"


@compiles(Member, "sqlite")
def _member_sqlite(element: Member, compiler: Any, **options: Any) -> str:
    document, name = _parts(element, compiler, options)
    return f"json_extract({document}, '$.' || {name})"


@compiles(Member, "postgresql")
def _member_postgresql(element: Member, compiler: Any, **options: Any) -> str:
    document, name = _parts(element, compiler, options)
    return f"({document} ->> {name}::text)"
