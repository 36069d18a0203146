"""Transactions: tasks that succeed together, or are undone together.

Inside `with transaction():`, what tasks have done is committed at the end of the block, or undone by their
`on_rollback` hooks, if anything in it fails.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from prefect.context.runs import _FLOW_RUN, _TASK_RUN
from prefect.engine.transaction import (
    BaseTransaction,
    CommitMode,
    IsolationLevel,
    TransactionState,
    active_transaction,
)
from prefect.engine.transactions import AsyncTransaction, Transaction
from prefect.logging.loggers import get_run_logger
from prefect.results.store import ResultStore

__all__ = [
    "AsyncTransaction",
    "BaseTransaction",
    "CommitMode",
    "IsolationLevel",
    "Transaction",
    "TransactionState",
    "atransaction",
    "get_transaction",
    "transaction",
]


def get_transaction() -> BaseTransaction | None:
    """Return the innermost transaction here: in a task, at least that of its run; None outside of any."""
    found: BaseTransaction | None = active_transaction()
    return found


@contextmanager
def transaction(
    key: str | None = None,
    store: ResultStore | None = None,
    commit_mode: CommitMode | None = None,
    isolation_level: IsolationLevel | None = None,
    overwrite: bool = False,
    write_on_commit: bool = True,
    logger: Any = None,
) -> Generator[Transaction, None, None]:
    """Have the work of a block committed as a whole, or undone as a whole.

    Args:
        key: Names the work: a record of it is written when it is committed, and `is_committed()` tells the
            next one of the key that it was. None writes no record.
        store: Where the record is; the current run's, or the settings' default, if not given.
        commit_mode: When it is committed; as the transaction around, if not given, or `LAZY`.
        isolation_level: `SERIALIZABLE` has transactions of one key wait for each other.
        overwrite: Do the work though its key has a record.
        write_on_commit: Write a record.
        logger: Where it tells of hooks; the current run's, if not given.

    Raises:
        prefect.exceptions.ConfigurationError: `SERIALIZABLE` with a store that has no lock manager.
        ValueError: There is no such commit mode or isolation level.
    """
    with Transaction(
        key=key,
        store=store,
        commit_mode=commit_mode,
        isolation_level=isolation_level,
        overwrite=overwrite,
        write_on_commit=write_on_commit,
        logger=_logger_here() if logger is None else logger,
    ) as txn:
        yield txn


@asynccontextmanager
async def atransaction(
    key: str | None = None,
    store: ResultStore | None = None,
    commit_mode: CommitMode | None = None,
    isolation_level: IsolationLevel | None = None,
    overwrite: bool = False,
    write_on_commit: bool = True,
    logger: Any = None,
) -> AsyncGenerator[AsyncTransaction, None]:
    """Have the work of a block committed as a whole, or undone as a whole; `transaction` for async code.

    Args:
        key: As for `transaction`, like all that follow.
        store: Where the record is.
        commit_mode: When it is committed.
        isolation_level: `SERIALIZABLE` has transactions of one key wait for each other.
        overwrite: Do the work though its key has a record.
        write_on_commit: Write a record.
        logger: Where it tells of hooks.

    Raises:
        prefect.exceptions.ConfigurationError: `SERIALIZABLE` with a store that has no lock manager.
        ValueError: There is no such commit mode or isolation level.
    """
    async with AsyncTransaction(
        key=key,
        store=store,
        commit_mode=commit_mode,
        isolation_level=isolation_level,
        overwrite=overwrite,
        write_on_commit=write_on_commit,
        logger=_logger_here() if logger is None else logger,
    ) as txn:
        yield txn


def _logger_here() -> Any:
    return get_run_logger() if _TASK_RUN.get() is not None or _FLOW_RUN.get() is not None else None
