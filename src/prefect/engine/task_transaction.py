"""The transaction of a task run. It is made only where something needs it: most runs have nothing to undo."""

from __future__ import annotations

from typing import Any

from prefect.context.runs import _TRANSACTION, TaskRunContext
from prefect.engine.caching import note_key, unwritten
from prefect.engine.committing import again, leave, lock, rollback
from prefect.engine.journal import Journal, enter
from prefect.engine.steps import Block, Steps
from prefect.engine.transaction import BaseTransaction, TransactionState
from prefect.engine.transactions import make_transaction
from prefect.schemas.objects import TaskRunRecord
from prefect.schemas.states import State, StateType
from prefect.states import RolledBack

__all__ = ["again", "begin_run", "close", "fail", "reuse", "settle"]


def begin_run(context: TaskRunContext) -> Steps[None]:
    """Make the transaction of a task run that begins, and take its lock, if it needs one.

    Args:
        context: The run's context, with its result store.
    """
    txn = make_transaction(context)
    run = context.task_run
    if txn.locks is not None and run is not None and (yield Block(lambda: note_key(context))) is not None:
        txn.key = run.cache_key
        yield from lock(txn)


def reuse(context: TaskRunContext) -> Steps[None]:
    """End the transaction of a task run whose result was there already: nothing is done, nor undone.

    Args:
        context: The run's context.
    """
    txn = context.transaction
    _restore(txn)
    txn.state = TransactionState.COMMITTED
    yield from leave(txn)


def settle(
    context: TaskRunContext, record: TaskRunRecord, journal: Journal, state: State[Any]
) -> Steps[State[Any]]:
    """End the work of a task run whose function has returned.

    Args:
        context: The run's context.
        record: The run.
        journal: Where it is written down.
        state: The run's final state.

    Returns:
        The state, saying where the result is kept, or will be when the transaction is committed.
    """
    txn, task = context.transaction, context.task
    _restore(txn)
    if state.type is not StateType.COMPLETED or task is None:
        yield from leave(txn, has_failed=True)
        return state
    final = unwritten(context, state) if context.persist_result else state
    if final is state:
        txn.write_on_commit = False
    elif record.run.cache_key is not None:
        txn.key = record.run.cache_key

    def note() -> None:
        # Not before the run has ended, nor twice.
        if record.run.state_type is StateType.COMPLETED and record.run.state_name != "RolledBack":
            details = record.states[-1].state_details
            enter(
                record, RolledBack(message="Task rolled back as part of transaction", state_details=details)
            )
            context.refresh()
            journal.note(record)

    txn.when_rolled_back = note
    staged = final.data if final is not state else None  # what nobody writes needs not be held
    txn.stage(staged, task.on_rollback_hooks, task.on_commit_hooks)
    yield from leave(txn)
    return state if txn.is_rolled_back() else final


def fail(context: TaskRunContext) -> Steps[None]:
    """Undo the transaction of a task run that has failed; without one, that of the run around.

    Args:
        context: The run's context.
    """
    txn = context.transaction
    if txn is not None:
        _restore(txn)
        yield from leave(txn, has_failed=True)
    elif context.around is not None and context.around.transaction is not None:
        yield from rollback(context.around.transaction)


def close(txn: BaseTransaction) -> None:
    """Let a transaction go whose run was ended between two steps, or has ended."""
    _restore(txn)
    txn.is_open = False
    txn.unlock_unless_staged()


def _restore(txn: BaseTransaction) -> None:
    if _TRANSACTION.get() is txn:
        _TRANSACTION.set(txn.outer)
