"""What the two databases say differently about JSON, as SQLAlchemy functions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Float, Integer, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

# Conditions have no `type = Boolean()`: for SQLite that appends `= 1`, which keeps it from using an index.

__all__ = ["Among", "AnyOf", "Bucket", "Epoch", "Holds", "HoldsAll", "HoldsAny", "Items", "Member"]


class Among(FunctionElement[bool]):
    """Whether a column's value is in a JSON list of texts: one parameter, however long the list is."""

    name = "among"
    inherit_cache = True


class AnyOf(FunctionElement[bool]):
    """Whether a text column's value is in a JSON list of texts, where an index on the column is to be used.

    PostgreSQL reads all rows for a list in a subquery that it knows nothing of; an array is looked up.
    """

    name = "any_of"
    inherit_cache = True


class Holds(FunctionElement[bool]):
    """Whether a JSON list of texts holds a text."""

    name = "holds"
    inherit_cache = True


class HoldsAll(FunctionElement[bool]):
    """Whether a JSON list of texts holds all of another."""

    name = "holds_all"
    inherit_cache = True


class HoldsAny(FunctionElement[bool]):
    """Whether a JSON list of texts holds any of another."""

    name = "holds_any"
    inherit_cache = True


class Items(FunctionElement[Any]):
    """The items of a JSON list, as the column `value` of a table."""

    name = "items"
    inherit_cache = True


class Member(FunctionElement[str]):
    """A member of a JSON object, as text."""

    type = String()
    name = "member"
    inherit_cache = True


class Epoch(FunctionElement[float]):
    """A time as seconds since 1970."""

    type = Float()
    name = "epoch"
    inherit_cache = True


class Bucket(FunctionElement[int]):
    """In which interval a time is: of the time, when the first starts (seconds since 1970), their length."""

    type = Integer()
    name = "bucket"
    inherit_cache = True


def _parts(element: FunctionElement[Any], compiler: Any, options: dict[str, Any]) -> list[str]:
    return [compiler.process(part, **options) for part in element.clauses]


def _sound(column: str) -> str:
    """Leave out for SQLite what is no JSON: one damaged row must not fail a listing of the others."""
    return f"CASE WHEN json_valid({column}) THEN {column} END"


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


@compiles(AnyOf, "sqlite")
def _any_of_sqlite(element: AnyOf, compiler: Any, **options: Any) -> str:
    column, wanted = _parts(element, compiler, options)
    return f"{column} IN (SELECT value FROM json_each({wanted}))"


@compiles(AnyOf, "postgresql")
def _any_of_postgresql(element: AnyOf, compiler: Any, **options: Any) -> str:
    column, wanted = _parts(element, compiler, options)
    return f"{column} = ANY (ARRAY(SELECT value FROM jsonb_array_elements_text({wanted}) AS item(value)))"


@compiles(Holds, "sqlite")
def _holds_sqlite(element: Holds, compiler: Any, **options: Any) -> str:
    texts, wanted = _parts(element, compiler, options)
    return f"EXISTS (SELECT 1 FROM json_each({_sound(texts)}) AS item WHERE item.value = {wanted})"


@compiles(Holds, "postgresql")
def _holds_postgresql(element: Holds, compiler: Any, **options: Any) -> str:
    texts, wanted = _parts(element, compiler, options)
    return f"{texts} @> jsonb_build_array({wanted}::text)"


@compiles(HoldsAll, "sqlite")
def _holds_all_sqlite(element: HoldsAll, compiler: Any, **options: Any) -> str:
    texts, wanted = _parts(element, compiler, options)
    held = f"SELECT value FROM json_each({_sound(texts)})"
    return f"NOT EXISTS (SELECT 1 FROM json_each({wanted}) AS wanted WHERE wanted.value NOT IN ({held}))"


@compiles(HoldsAll, "postgresql")
def _holds_all_postgresql(element: HoldsAll, compiler: Any, **options: Any) -> str:
    texts, wanted = _parts(element, compiler, options)
    return f"{texts} @> {wanted}"


@compiles(HoldsAny, "sqlite")
def _holds_any_sqlite(element: HoldsAny, compiler: Any, **options: Any) -> str:
    texts, wanted = _parts(element, compiler, options)
    some = f"SELECT value FROM json_each({wanted})"
    return f"EXISTS (SELECT 1 FROM json_each({_sound(texts)}) AS item WHERE item.value IN ({some}))"


@compiles(HoldsAny, "postgresql")
def _holds_any_postgresql(element: HoldsAny, compiler: Any, **options: Any) -> str:
    texts, wanted = _parts(element, compiler, options)
    one = f"{texts} @> jsonb_build_array(wanted.value)"
    return f"EXISTS (SELECT 1 FROM jsonb_array_elements_text({wanted}) AS wanted(value) WHERE {one})"


@compiles(Items, "sqlite")
def _items_sqlite(element: Items, compiler: Any, **options: Any) -> str:
    (listed,) = _parts(element, compiler, options)
    return f"json_each({listed})"


@compiles(Items, "postgresql")
def _items_postgresql(element: Items, compiler: Any, **options: Any) -> str:
    (listed,) = _parts(element, compiler, options)
    return f"jsonb_array_elements({listed})"


@compiles(Member, "sqlite")
def _member_sqlite(element: Member, compiler: Any, **options: Any) -> str:
    document, name = _parts(element, compiler, options)
    return f"json_extract({_sound(document)}, '$.' || {name})"


@compiles(Member, "postgresql")
def _member_postgresql(element: Member, compiler: Any, **options: Any) -> str:
    document, name = _parts(element, compiler, options)
    return f"({document} ->> {name}::text)"


def _epoch_on_sqlite(time: str) -> str:
    # Not `julianday`, which has no microseconds, nor `unixepoch(…, 'subsec')`, which older ones lack.
    return f"(CAST(strftime('%s', {time}) AS REAL) + CAST('0' || substr({time}, 20) AS REAL))"


@compiles(Epoch, "sqlite")
def _epoch_sqlite(element: Epoch, compiler: Any, **options: Any) -> str:
    (time,) = _parts(element, compiler, options)
    return _epoch_on_sqlite(time)


@compiles(Epoch, "postgresql")
def _epoch_postgresql(element: Epoch, compiler: Any, **options: Any) -> str:
    (time,) = _parts(element, compiler, options)
    return f"extract(epoch FROM {time})::double precision"


@compiles(Bucket, "sqlite")
def _bucket_sqlite(element: Bucket, compiler: Any, **options: Any) -> str:
    time, start, seconds = _parts(element, compiler, options)
    return f"CAST(({_epoch_on_sqlite(time)} - {start}) / {seconds} AS INTEGER)"


@compiles(Bucket, "postgresql")
def _bucket_postgresql(element: Bucket, compiler: Any, **options: Any) -> str:
    time, start, seconds = _parts(element, compiler, options)
    return f"floor((extract(epoch FROM {time}) - {start}) / {seconds})::integer"
