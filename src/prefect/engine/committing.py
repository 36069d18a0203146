"""How transactions begin and end, as steps: they are carried out by calling or by awaiting, like runs."""

from __future__ import annotations

from typing import Any

from prefect.engine.steps import Block, RunHook, Sleep, Steps
from prefect.engine.transaction import BaseTransaction, CommitMode, Hook, TransactionState, decisions
from prefect.exceptions import Abort, SerializationError
from prefect.schemas.results import ResultRecord

__all__ = ["again", "begin", "commit", "leave", "lock", "rollback", "run_hook"]

_TRY = 0.05
"""Seconds that a step waits for a lock. It is short: who waits may be interrupted between two of them."""


def begin(txn: BaseTransaction) -> Steps[None]:
    """Begin a transaction that has its place: take its lock, and look for its record.

    Args:
        txn: The transaction. It is committed already, if its key has a record.
    """
    yield from lock(txn)
    store, key = txn.store, txn.key
    if (
        key is not None
        and store is not None
        and not txn.overwrite
        and (yield Block(lambda: store.exists(key)))
    ):
        txn.state = TransactionState.COMMITTED
    else:
        txn.state = TransactionState.ACTIVE


def lock(txn: BaseTransaction) -> Steps[None]:
    """Take the lock of a transaction's key, if it needs one.

    Args:
        txn: The transaction. One within the same tree that holds the lock until this one has ended shares it.
    """
    store, key = txn.locks, txn.key
    if store is None or key is None:
        return
    while not txn.shares_lock():
        if (yield Block(lambda: store.acquire_lock(key, txn.holder, _TRY))):
            txn.has_lock = True
            return
        yield Sleep(_TRY)


def leave(txn: BaseTransaction, *, has_failed: bool = False) -> Steps[None]:
    """End the work of a transaction: commit it, undo it, or leave it to the one around.

    Args:
        txn: The transaction.
        has_failed: Whether its work has failed.
    """
    parent = txn.get_parent()
    with decisions:
        txn.is_open = False
        decided = parent.verdict if parent is not None else None
        if parent is not None and decided is None and parent.has_ended:
            decided = parent.state
    if has_failed:
        yield from rollback(txn)
        yield Block(txn.unlock)
    elif txn.has_ended:
        yield Block(txn.unlock)
    elif decided is TransactionState.ROLLED_BACK or (parent is None and txn.commit_mode is CommitMode.OFF):
        yield from rollback(txn)
    elif txn.commit_mode is CommitMode.EAGER or parent is None or decided is TransactionState.COMMITTED:
        yield from commit(txn)


def commit(txn: BaseTransaction) -> Steps[bool]:
    """Commit a transaction and those within it whose work is done.

    Args:
        txn: The transaction. If it cannot be committed, it is undone.

    Returns:
        Whether it was committed now.
    """
    with decisions:
        if txn.has_ended or txn.verdict is not None:
            return False
        txn.verdict = TransactionState.COMMITTED
        children = _undecided(txn)
    try:
        for child in children:
            if not (yield from commit(child)):
                raise _NotCommitted
        for hook in txn.on_commit_hooks:
            yield from run_hook(txn, hook, "commit")
        yield Block(lambda: _write(txn))
    except (Exception, Abort) as error:  # noqa: BLE001 - hooks and storages may be of users' making
        _log_failure(txn, error)
        yield from _undo(txn)
        return False
    txn.state = TransactionState.COMMITTED
    yield Block(txn.unlock)
    return True


def _undecided(txn: BaseTransaction) -> list[BaseTransaction]:
    """Return the transactions within one whose work is done, and which nobody has decided on."""
    return [
        child for child in txn.children if not child.is_open and not child.has_ended and child.verdict is None
    ]


class _NotCommitted(Exception):
    """A transaction within could not be committed; its own log line says why."""


def _write(txn: BaseTransaction) -> None:
    store, staged = txn.store, txn.staged
    if store is None or txn.key is None or not txn.write_on_commit:
        return
    if isinstance(staged, ResultRecord) and staged.metadata is not None:
        store.persist_result_record(staged, txn.holder)
    else:
        store.write(staged, key=txn.key, holder=txn.holder if txn.has_lock else None)


def _log_failure(txn: BaseTransaction, error: BaseException) -> None:
    if isinstance(error, SerializationError):
        txn.logger.error("The result of transaction %r is not kept, and it is undone: %s", txn.key, error)
    elif not isinstance(error, _NotCommitted):
        txn.logger.error("An error was encountered while committing transaction %r", txn.key, exc_info=error)


def rollback(txn: BaseTransaction) -> Steps[bool]:
    """Undo a transaction, those within it, and the one around it.

    Args:
        txn: The transaction.

    Returns:
        Whether it was undone now: what was committed stays.
    """
    with decisions:
        if txn.has_ended or txn.verdict is not None:
            return False
        txn.verdict = TransactionState.ROLLED_BACK
    yield from _undo(txn)
    parent = txn.get_parent()
    if parent is not None:
        yield from rollback(parent)
    return True


def _undo(txn: BaseTransaction) -> Steps[None]:
    """Run the rollback hooks. What one raises is logged, and the others run all the same."""
    with decisions:
        txn.verdict = TransactionState.ROLLED_BACK
        children = _undecided(txn)
    for hook in reversed(txn.on_rollback_hooks):
        try:
            yield from run_hook(txn, hook, "rollback")
        except (Exception, Abort):  # noqa: BLE001, S112 - run_hook has logged it
            continue
    txn.state = TransactionState.ROLLED_BACK
    for child in reversed(children):
        yield from _undo(child)
    if txn.when_rolled_back is not None:
        txn.when_rolled_back()
    yield Block(txn.unlock)


def again(txn: BaseTransaction) -> Steps[None]:
    """Undo what an attempt has done within a transaction whose work is tried again; it keeps its lock.

    Args:
        txn: The transaction. The one around is not undone: the work has not failed yet.
    """
    with decisions:
        children, txn.children = [child for child in txn.children if not child.has_ended], []
        for child in children:
            child.verdict = TransactionState.ROLLED_BACK
    for child in reversed(children):
        yield from _undo(child)
    txn.verdict, txn.state = None, TransactionState.ACTIVE
    txn.forget()


def run_hook(txn: BaseTransaction, hook: Hook, kind: str) -> Steps[Any]:
    """Run a hook of a transaction, and tell of it in the log.

    Args:
        txn: The transaction.
        hook: The hook.
        kind: `commit` or `rollback`.
    """
    name = getattr(hook, "__name__", None) or repr(hook)
    txn.logger.info("Running %s hook %r", kind, name)
    try:
        yield RunHook(hook, (txn,))
    except (Exception, Abort):
        txn.logger.error("An error was encountered while running %s hook %r", kind, name, exc_info=True)  # noqa: G201
        raise
    txn.logger.info("%s hook %r finished running successfully", kind.capitalize(), name)
