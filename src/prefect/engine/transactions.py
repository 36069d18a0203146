"""The two kinds of transactions, for `with` and for `async with`, and which of them a task run gets."""

from __future__ import annotations

from contextvars import Token
from typing import Any, NoReturn, Self

from prefect.context.runs import _TRANSACTION, TaskRunContext
from prefect.engine import committing
from prefect.engine.drivers import drive
from prefect.engine.transaction import BaseTransaction, Hook, TransactionState, active_transaction, set_maker
from prefect.logging.loggers import task_run_logger
from prefect.schemas.results import ResultRecord
from prefect.schemas.states import TERMINAL_STATES

__all__ = ["AsyncTransaction", "Transaction", "make_transaction"]


class _Entered(BaseTransaction):
    """A transaction that is current inside a block."""

    _token: Token[Any] | None = None

    def _enter(self) -> None:
        self.open(active_transaction())

    def _become_current(self) -> None:
        self._token = _TRANSACTION.set(self)

    def _step_back(self) -> None:
        """Be current no longer: hooks that call tasks call them as part of what is around."""
        token, self._token = self._token, None
        if token is None:
            return
        try:
            _TRANSACTION.reset(token)
        except ValueError:  # the block was left in another context than it was entered in
            _TRANSACTION.set(None if token.old_value is Token.MISSING else token.old_value)


class Transaction(_Entered):
    """A transaction of synchronous code; arguments as for `BaseTransaction`."""

    def __enter__(self) -> Self:
        """Begin."""
        self._enter()
        self.begin()
        self._become_current()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Commit, undo, or leave that to the transaction around."""
        self._step_back()
        drive(committing.leave(self, has_failed=kind is not None))

    def begin(self) -> None:
        """Take the lock of the key, if it needs one, and look whether the key has a record."""
        drive(committing.begin(self))

    def read(self) -> ResultRecord | None:
        """Return the record of the key; None, where there is none."""
        return self.store.find(self.key, self.holder) if self.store is not None and self.key else None

    def commit(self) -> bool:
        """Commit this transaction and those within it.

        Returns:
            Whether it was committed now; what cannot be is undone.
        """
        return drive(committing.commit(self))

    def rollback(self) -> bool:
        """Undo this transaction, those within it, and the one around.

        Returns:
            Whether it was undone now; what was committed stays.
        """
        return drive(committing.rollback(self))

    def run_hook(self, hook: Hook, hook_type: str) -> None:
        """Run a hook, and tell of it in the log.

        Args:
            hook: The hook.
            hook_type: `commit` or `rollback`, for the log.

        Raises:
            Exception: What the hook raised.
        """
        drive(committing.run_hook(self, hook, hook_type))


class AsyncTransaction(_Entered):
    """A transaction of asynchronous code; arguments as for `BaseTransaction`."""

    async def __aenter__(self) -> Self:
        """Begin."""
        self._enter()
        await self.begin()
        self._become_current()
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        """Commit, undo, or leave that to the transaction around."""
        self._step_back()
        await _adrive(committing.leave(self, has_failed=kind is not None))

    def __enter__(self) -> NoReturn:
        """Refuse, for its end is awaited.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(
            "AsyncTransaction does not support the `with` statement. Use the `async with` statement instead."
        )

    def __exit__(self, *_: object) -> NoReturn:
        """Refuse; as `__enter__`."""
        self.__enter__()

    async def begin(self) -> None:
        """Take the lock of the key, if it needs one, and look whether the key has a record."""
        await _adrive(committing.begin(self))

    async def read(self) -> ResultRecord | None:
        """Return the record of the key; None, where there is none."""
        return self.store.find(self.key, self.holder) if self.store is not None and self.key else None

    async def commit(self) -> bool:
        """Commit this transaction and those within it; as `Transaction.commit`."""
        committed: bool = await _adrive(committing.commit(self))
        return committed

    async def rollback(self) -> bool:
        """Undo this transaction, those within it, and the one around; as `Transaction.rollback`."""
        undone: bool = await _adrive(committing.rollback(self))
        return undone

    async def run_hook(self, hook: Hook, hook_type: str) -> None:
        """Run a hook, and tell of it in the log; as `Transaction.run_hook`."""
        await _adrive(committing.run_hook(self, hook, hook_type))


async def _adrive(steps: Any) -> Any:
    from prefect.engine.async_drivers import adrive  # noqa: PLC0415 - asyncio is 40 ms of every start

    return await adrive(steps)


def make_transaction(context: TaskRunContext) -> BaseTransaction:
    """Make the transaction of a task run, within the one around it.

    Args:
        context: The run's context.
    """
    task, run = context.task, context.task_run
    kind = AsyncTransaction if task is not None and task.isasync else Transaction
    policy = task.cache_policy if task is not None else None
    txn = kind(
        store=context.result_store if context.persist_result else None,
        isolation_level=getattr(policy, "isolation_level", None) if context.persist_result else None,
        write_on_commit=bool(context.persist_result),
        logger=task_run_logger(run, task=task) if run is not None else None,
    )
    txn.within = context
    txn.open(_parent(context))
    if run is not None:
        txn.key = run.cache_key or run.id.hex
    txn.state = TransactionState.ACTIVE
    txn.outer = _TRANSACTION.get()
    context.transaction = txn
    _TRANSACTION.set(txn)
    return txn


def _parent(context: TaskRunContext) -> Any:
    innermost, around = _TRANSACTION.get(), context.around
    if around is None or (innermost is not None and innermost.within is around):
        return innermost
    if around.transaction is None:
        if around.task_run is None or around.task_run.state_type in TERMINAL_STATES:
            return innermost  # it has ended, and this run goes on without it
        make_transaction(around)
    return around.transaction


set_maker(make_transaction)
