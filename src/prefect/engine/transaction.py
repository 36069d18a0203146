"""Transactions: work that is committed as a whole, or undone as a whole. `committing.py` has their steps."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from enum import Enum
from typing import Any, TypeVar
from uuid import uuid4

from prefect.context.runs import _TASK_RUN, _TRANSACTION, TaskRunContext
from prefect.exceptions import ConfigurationError
from prefect.logging.loggers import get_logger
from prefect.results.current import get_result_store
from prefect.results.store import ResultStore
from prefect.types import fork_safe, process_mark
from prefect.types.annotations import NotSet

__all__ = [
    "BaseTransaction",
    "CommitMode",
    "Hook",
    "IsolationLevel",
    "TransactionState",
    "active_transaction",
    "decisions",
    "set_maker",
]

Hook = Callable[..., Any]
E = TypeVar("E", bound=Enum)

decisions = fork_safe(threading.Lock())
"""Held while a transaction is decided on, or left: they may happen in several threads of one tree."""


class _Named(str, Enum):  # noqa: UP042 - existing code relies on its text
    """A word, which shows as its name."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}"


class IsolationLevel(_Named):
    """What transactions of one key see of each other."""

    READ_COMMITTED = "READ_COMMITTED"
    """What was committed before they began."""
    SERIALIZABLE = "SERIALIZABLE"
    """One at a time has the key; it needs a lock manager."""


class CommitMode(_Named):
    """When a transaction is committed."""

    EAGER = "EAGER"
    """At its end."""
    LAZY = "LAZY"
    """At the end of the outermost one."""
    OFF = "OFF"
    """Not at its end: it is undone, unless `commit` was called. One within another is left to that."""


class TransactionState(_Named):
    """How far a transaction is."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    STAGED = "STAGED"
    """Its work is done, and waits for the outcome of the rest."""
    COMMITTED = "COMMITTED"
    ROLLED_BACK = "ROLLED_BACK"


_ENDED = (TransactionState.COMMITTED, TransactionState.ROLLED_BACK)


class BaseTransaction:
    """What transactions of synchronous and of asynchronous code have in common.

    Args:
        store: Where the record of a key is kept; the current run's, or the settings' default, if not given.
        key: Names the work. What was committed under it counts as done.
        commit_mode: When it is committed; as the transaction around, if not given, or LAZY.
        isolation_level: What it sees of others of its key; as the transaction around, if not given, or
            READ_COMMITTED.
        overwrite: Do the work though its key has a record.
        write_on_commit: Write a record when it is committed.
        logger: Where it tells of hooks.
        on_commit_hooks: Called with the transaction when it is committed.
        on_rollback_hooks: Called with the transaction when it is undone, the last first.

    Raises:
        ValueError: There is no such commit mode or isolation level.
    """

    def __init__(  # noqa: PLR0913 - the interface's own
        self,
        *,
        store: ResultStore | None = None,
        key: str | None = None,
        commit_mode: CommitMode | str | None = None,
        isolation_level: IsolationLevel | str | None = None,
        overwrite: bool = False,
        write_on_commit: bool = True,
        logger: Any = None,
        on_commit_hooks: Sequence[Hook] = (),
        on_rollback_hooks: Sequence[Hook] = (),
    ) -> None:
        self.store = store
        self.key = key
        self.commit_mode = _member(CommitMode, "commit_mode", commit_mode)
        self.isolation_level = _member(IsolationLevel, "isolation_level", isolation_level)
        self.overwrite = overwrite
        self.write_on_commit = write_on_commit
        self.logger = get_logger("transactions") if logger is None else logger
        self.on_commit_hooks = list(on_commit_hooks)
        self.on_rollback_hooks = list(on_rollback_hooks)
        self.state = TransactionState.PENDING
        self.children: list[BaseTransaction] = []
        self.holder = f"{ResultStore.generate_default_holder()}:{uuid4().hex}"
        """Names it to lock managers: asyncio tasks share their thread."""
        self.within: TaskRunContext | None = _TASK_RUN.get()
        """The task run that it is part of."""
        self.verdict: TransactionState | None = None
        """What was decided on; the state follows when its hooks have run."""
        self.is_open = False
        """Whether its work goes on."""
        self.has_lock = False
        self.outer: BaseTransaction | None = None
        """What was innermost before this one; not always its parent."""
        self.staged: Any = None
        self.when_rolled_back: Callable[[], None] | None = None
        self._parent: BaseTransaction | None = None
        self._values: dict[str, Any] = {}
        self._process = process_mark[0]

    @classmethod
    def get_active(cls) -> BaseTransaction | None:
        """Return the innermost transaction here, or None. Every task run has one."""
        found: BaseTransaction | None = active_transaction()
        return found

    def get_parent(self) -> BaseTransaction | None:
        """Return the transaction that this one is within, or None."""
        return self._parent

    def add_child(self, transaction: BaseTransaction) -> None:
        """Have a transaction share the outcome of this one."""
        with decisions:
            self.children.append(transaction)

    def is_pending(self) -> bool:
        """Whether it has not begun."""
        return self.state is TransactionState.PENDING

    def is_active(self) -> bool:
        """Whether its work goes on."""
        return self.state is TransactionState.ACTIVE

    def is_staged(self) -> bool:
        """Whether its work is done, but not committed."""
        return self.state is TransactionState.STAGED

    def is_committed(self) -> bool:
        """Whether it is committed, or its key had a record when it began."""
        return self.state is TransactionState.COMMITTED

    def is_rolled_back(self) -> bool:
        """Whether it was undone."""
        return self.state is TransactionState.ROLLED_BACK

    def set(self, name: str, value: Any) -> None:
        """Keep a value for hooks and for transactions within this one.

        Args:
            name: Its name.
            value: The value.
        """
        self._values[name] = value

    def get(self, name: str, default: Any = NotSet) -> Any:
        """Return a copy of a value that was set here, or in a transaction around.

        Args:
            name: Its name.
            default: Returned where there is none.

        Raises:
            ValueError: There is none, and no default.
        """
        if name in self._values:
            try:
                return copy.deepcopy(self._values[name])
            except Exception:  # noqa: BLE001 - connections, locks and the like have no copies
                return self._values[name]
        if self._parent is not None:
            return self._parent.get(name, default)
        if default is NotSet:
            raise ValueError(f"Could not retrieve value for unknown key: {name}")
        return default

    def stage(
        self,
        value: Any,
        on_rollback_hooks: Sequence[Hook] | None = None,
        on_commit_hooks: Sequence[Hook] | None = None,
    ) -> None:
        """Say that the work is done.

        Args:
            value: What is written when it is committed.
            on_rollback_hooks: Further hooks for the case that it is undone.
            on_commit_hooks: Further hooks for when it is committed.
        """
        with decisions:
            self.staged = value
            self.on_rollback_hooks += on_rollback_hooks or ()
            self.on_commit_hooks += on_commit_hooks or ()
            self.state, self.verdict = TransactionState.STAGED, None

    def forget(self) -> None:
        """Forget what was set, for the work begins anew."""
        self._values.clear()

    @property
    def has_ended(self) -> bool:
        """Whether it is committed or undone."""
        return self.state in _ENDED

    def open(self, parent: BaseTransaction | None) -> None:
        """Take a place within another transaction, and from that what was not said.

        Args:
            parent: The transaction around.

        Raises:
            RuntimeError: It has begun before.
            prefect.exceptions.ConfigurationError: It is to be serializable, and there is no lock manager.
        """
        if self.is_open or self.state is not TransactionState.PENDING:
            raise RuntimeError("Context already entered. Context enter calls cannot be nested.")
        if self.key is not None and self.store is None:
            self.store = get_result_store()
        around = parent.store if parent is not None else None
        if self.store is not None and self.store.lock_manager is None and around is not None:
            self.store = self.store.model_copy(update={"lock_manager": around.lock_manager})
        if self.isolation_level is IsolationLevel.SERIALIZABLE and (
            self.store is None or not self.store.supports_isolation_level(self.isolation_level)
        ):
            raise ConfigurationError(
                "Isolation level SERIALIZABLE is not supported by provided configuration. Please ensure "
                "you've provided a lock file directory or lock manager when using the SERIALIZABLE isolation "
                "level."
            )
        if parent is not None:
            self.commit_mode = self.commit_mode or parent.commit_mode
            self.isolation_level = self.isolation_level or parent.isolation_level
            self._parent = parent
            parent.add_child(self)
        self.commit_mode = self.commit_mode or CommitMode.LAZY
        self.isolation_level = self.isolation_level or IsolationLevel.READ_COMMITTED
        self.is_open = True

    @property
    def locks(self) -> ResultStore | None:
        """The store whose lock of the key this transaction needs, if it needs one."""
        if self.key is None or self.isolation_level is not IsolationLevel.SERIALIZABLE:
            return None
        return self.store if self.store is not None and self.store.lock_manager is not None else None

    def shares_lock(self) -> bool:
        """Share the lock of the key, if one in the same tree holds it that waits for this one to end."""
        ancestors, root = [], self
        while root._parent is not None:
            root = root._parent
            ancestors.append(root)
        for other in _tree(root):
            if other.has_lock and other.key == self.key and (other in ancestors or other.is_staged()):
                self.holder = other.holder  # or it would wait for that one when it reads
                return True
        return False

    def unlock(self) -> None:
        """Give the lock of the key back, if this transaction has it."""
        # A forked child has none of its parent's locks.
        is_here = self._process is process_mark[0]
        if self.has_lock and is_here and self.store is not None and self.key is not None:
            self.has_lock = False
            with suppress(ValueError):  # its time was over, or somebody has taken it away
                self.store.release_lock(self.key, self.holder)

    def unlock_unless_staged(self) -> None:
        """Give the lock of the key back, if no outcome is waited for."""
        if not self.is_staged():
            self.unlock()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(key={self.key!r}, state={self.state})"


_makers: list[Callable[[TaskRunContext], BaseTransaction]] = []


def set_maker(make: Callable[[TaskRunContext], BaseTransaction]) -> None:
    """Say what makes the transaction of a task run; `engine.transactions`, which stands above, calls it."""
    _makers[:] = [make]


def active_transaction() -> Any:
    """Return the innermost transaction here, or None; the one of a task run is made when it is asked for."""
    innermost, run = _TRANSACTION.get(), _TASK_RUN.get()
    if run is None or (innermost is not None and innermost.within is run):
        return innermost
    if run.transaction is None:
        _makers[0](run)
    return run.transaction


def _tree(root: BaseTransaction) -> Iterator[BaseTransaction]:
    yield root
    for child in list(root.children):
        yield from _tree(child)


def _member(kind: type[E], name: str, value: Any) -> E | None:
    if value is None:
        return None
    try:
        return kind(value)
    except ValueError:
        names = ", ".join(member.value for member in kind)
        raise ValueError(f"{name} is one of {names}, not {value!r}.") from None
