"""Statements on their way to PostgreSQL, many in one packet, and what it answers.

A round trip takes longer than most statements do, and for as long as it takes the interpreter may be given to
another thread. So a statement whose outcome nobody waits for is sent with what comes next: BEGIN with the
first one of a transaction, the last ones with COMMIT. What fails makes all that was sent after it fail too.

This is libpq's pipeline mode, used through psycopg's wrapper of libpq. Its cursors would do the same, at four
times the cost in this process: they find out anew what each value is and whether a statement is prepared.
Here all values go as text, and the statements themselves say what they are.
"""

from __future__ import annotations

import re
import select
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer

from prefect.store.values import Row

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn, PGresult

__all__ = ["Pipeline", "together"]

Raw = psycopg.Connection[tuple[Any, ...]]
Command = tuple[str, Row]

_MOST_PREPARED = 200
"""How many statements one connection keeps prepared; each takes some 50 KB of the server's memory."""
_LOOK_MILLISECONDS = 100
"""How long to wait at a time, so that a deadline that strikes meanwhile is noticed."""
# As plain numbers, which are compared at a fraction of the cost.
_DONE = (int(pq.ExecStatus.COMMAND_OK), int(pq.ExecStatus.TUPLES_OK))
_SYNCED = int(pq.ExecStatus.PIPELINE_SYNC)
_CONNECTED = int(pq.ConnStatus.OK)
_IDLE = int(pq.TransactionStatus.IDLE)

BEGIN: Command = ("BEGIN", ())
COMMIT: Command = ("COMMIT", ())
ROLLBACK: Command = ("ROLLBACK", ())


class Pipeline:
    """Sends statements over one connection; it belongs to one thread at a time.

    Args:
        raw: The connection.
        prepares: Whether statements are prepared under a name. Poolers that lend a connection for a
            transaction only may not know the names.
    """

    __slots__ = (
        "_names",
        "_number",
        "_pg",
        "_poll",
        "_prepares",
        "_transformer",
        "_waiting",
        "in_transaction",
        "is_sound",
        "raw",
    )

    def __init__(self, raw: Raw, prepares: bool) -> None:
        self.raw = raw
        self._pg: PGconn = raw.pgconn
        self._poll = _Poll(self._pg.socket)
        self._prepares = prepares
        self._transformer = Transformer(raw)
        self._names: dict[str, bytes] = {}
        self._number = 0
        self._waiting: list[Command] = []
        self.in_transaction = False
        self.is_sound = True
        """Whether every answer was read; else nobody could make sense of the next one."""

    @property
    def is_idle(self) -> bool:
        """Whether another may use it."""
        return self.is_sound and self._pg.transaction_status == _IDLE

    # --- what is asked ------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Have a transaction begin with the next statement."""
        self.in_transaction = True
        self._waiting = [BEGIN]

    def commit(self) -> None:
        """Send what waits and keep what the transaction has done; one without a statement was none."""
        self.in_transaction = False
        if self._waiting == [BEGIN]:
            self._waiting = []
            return
        tag = self._exchange([COMMIT])[-1].command_status
        if tag != b"COMMIT":
            raise psycopg.errors.InFailedSqlTransaction("the transaction had failed before it was to be kept")

    def roll_back(self) -> None:
        """Undo what the transaction has done."""
        self.in_transaction, self._waiting = False, []
        if self.is_sound and self._pg.transaction_status != _IDLE:
            self._exchange([ROLLBACK])

    def later(self, text: str, params: Row) -> None:
        """Have a statement sent with what comes next; outside of a transaction, at once."""
        self._waiting.append((text, params))
        if not self.in_transaction:
            self._exchange([])

    def rows(self, text: str, params: Row) -> list[Row]:
        """Run a statement and return its rows."""
        result = self._exchange([(text, params)])[-1]
        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, result.ntuples, tuple)

    def changed(self, text: str, every: Iterable[Row]) -> int:
        """Run a statement for each of some rows and return how many rows it changed."""
        commands = [(text, params) for params in every]
        if not commands:
            return 0
        return sum(result.command_tuples or 0 for result in self._exchange(commands)[-len(commands) :])

    # --- how it travels -----------------------------------------------------------------------------------

    def _exchange(self, commands: Sequence[Command]) -> list[PGresult]:
        """Send what waits and some commands, and return what came of each."""
        pg, sent = self._pg, [*self._waiting, *commands]
        self._waiting = []
        values = [[_value(value) for value in params] for _, params in sent]
        # From here on, whatever is raised leaves answers behind that nobody has read.
        self.is_sound = False
        pg.enter_pipeline_mode()
        new: dict[int, str] = {}
        place = 0
        for (text, _), row in zip(sent, values, strict=True):
            name = self._names.get(text) if self._prepares else None
            if name is None and self._prepares and len(self._names) < _MOST_PREPARED and _ITEM not in text:
                self._number += 1
                name = self._names[text] = b"proconsul_%d" % self._number
                pg.send_prepare(name, _numbered(text))
                new[place] = text
                place += 1
            if name is None:
                pg.send_query_params(_numbered(text), row)
            else:
                pg.send_query_prepared(name, row)
            place += 1
        pg.pipeline_sync()
        results, are_good = self._answers()
        pg.exit_pipeline_mode()
        self.is_sound = True
        if not are_good:
            for index, text in new.items():
                if results[index].status not in _DONE:
                    del self._names[text]
            raise _error(results)
        return [result for index, result in enumerate(results) if index not in new] if new else results

    def _answers(self) -> tuple[list[PGresult], bool]:
        """Read until the server is through with all that was sent; return that, and whether all went well."""
        pg, poll = self._pg, self._poll
        while pg.flush():
            # A long text is read as it is sent: a server that waits to be listened to takes no more.
            if poll.is_readable(or_writable=True):
                pg.consume_input()
        results: list[PGresult] = []
        are_good = True
        while True:
            while pg.is_busy():
                poll.is_readable()
                pg.consume_input()
            result = pg.get_result()
            if result is None:
                # It stands behind the answer to each statement, and for ever where there is no connection.
                if pg.status != _CONNECTED:
                    raise psycopg.OperationalError(pq.error_message(pg))
                continue
            status = result.status
            if status == _SYNCED:
                return results, are_good
            if status not in _DONE:
                are_good = False
            results.append(result)


class _Poll:
    """Waits until a socket can be read or written."""

    __slots__ = ("_reading", "_socket", "_writing")

    def __init__(self, socket: int) -> None:
        self._socket = socket
        self._reading = select.poll()
        self._reading.register(socket, select.POLLIN)
        self._writing = select.poll()
        self._writing.register(socket, select.POLLIN | select.POLLOUT)

    def is_readable(self, or_writable: bool = False) -> bool:
        if not or_writable:
            return bool(self._reading.poll(_LOOK_MILLISECONDS))
        return any(event & ~select.POLLOUT for _, event in self._writing.poll(_LOOK_MILLISECONDS))


def _error(results: Sequence[PGresult]) -> psycopg.Error:
    """Make an exception of the first answer that is one; those after it only say that there was one."""
    failed = next(result for result in results if result.status == pq.ExecStatus.FATAL_ERROR)
    code = (failed.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
    try:
        kind: type[psycopg.Error] = psycopg.errors.lookup(code)
    except KeyError:
        kind = psycopg.DatabaseError
    return kind(pq.error_message(failed))


# --- texts and values -------------------------------------------------------------------------------------

_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
_ITEM = " AS item(c1"
"""Marks what `together` makes, of which there are too many kinds to prepare them all."""
_VALUES = re.compile(r" VALUES \((%s::[^()]*)\)")
_MARK = re.compile(r"%[s%]")


@lru_cache(maxsize=1000)
def _numbered(text: str) -> bytes:
    """Return a statement with its parameters as the server counts them."""
    count = 0

    def number(found: re.Match[str]) -> str:
        nonlocal count
        if found[0] == "%%":
            return "%"
        count += 1
        return f"${count}"

    return _MARK.sub(number, text).encode()


def _value(value: Any) -> bytes | None:
    """Write a value as text."""
    if value is None:
        return None
    return _clean(value if isinstance(value, str) else str(value)).encode()


def _clean(text: str) -> str:
    """Replace the one character that PostgreSQL cannot keep, in texts and in JSON."""
    if "\0" in text or "\\u0000" in text:
        return _NUL.sub(r"\1\\ufffd", text.replace("\0", "\ufffd"))
    return text


def together(insert: str, rows: Sequence[Row]) -> Command | None:
    """Return one statement that inserts some rows.

    Values come as lists, one for each column. What all rows have in common comes once, which spares both
    sides most of the work where that is much.

    Args:
        insert: The INSERT of one row.
        rows: Two rows at least.

    Returns:
        The statement and its parameters; None where there may be none: a row that is changed must not come
        twice in a statement, as it may in a list.
    """
    if not _is_simple(insert):
        return None
    columns = list(zip(*rows, strict=True))
    varies = tuple(column.count(column[0]) < len(column) for column in columns)
    if not any(varies):
        varies = (True, *varies[1:])
    shared = (column[0] for column, it_varies in zip(columns, varies, strict=True) if not it_varies)
    lists = (_list(column) for column, it_varies in zip(columns, varies, strict=True) if it_varies)
    return _of_lists(insert, varies), (*shared, *lists)


@lru_cache(maxsize=100)
def _is_simple(insert: str) -> bool:
    return insert.startswith("INSERT ") and " DO UPDATE " not in insert and bool(_VALUES.search(insert))


@lru_cache(maxsize=500)
def _of_lists(insert: str, varies: tuple[bool, ...]) -> str:
    """Return an INSERT of one row as one that takes the values of some columns, then lists for the others."""
    found = _VALUES.search(insert)
    assert found is not None
    chosen: list[str] = []
    lists: list[str] = []
    for value, it_varies in zip(found[1].split(", "), varies, strict=True):
        if it_varies:
            lists.append(f"{value}[]")
        chosen.append(f"item.c{len(lists)}" if it_varies else value)
    names = ", ".join(f"c{number}" for number in range(1, len(lists) + 1))
    source = f"unnest({', '.join(lists)}) AS item({names})"
    return f"{insert[: found.start()]} SELECT {', '.join(chosen)} FROM {source}{insert[found.end() :]}"


def _list(values: Iterable[Any]) -> str:
    """Write values as the server writes arrays."""
    return "{" + ",".join(map(_item, values)) + "}"


def _item(value: Any) -> str:
    if value is None:
        return "NULL"
    if not isinstance(value, str):
        return str(value)
    text = _clean(value)
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
