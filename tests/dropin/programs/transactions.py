"""Transactions: what is committed, what is undone, and in which order."""

import asyncio
from pathlib import Path

from prefect import flow, task
from prefect.filesystems import LocalFileSystem
from prefect.locking.filesystem import FileSystemLockManager
from prefect.locking.memory import MemoryLockManager
from prefect.results import ResultStore
from prefect.transactions import (
    CommitMode,
    IsolationLevel,
    Transaction,
    atransaction,
    get_transaction,
    transaction,
)


def step(name, fails=False, **options):
    """Make a task that tells of itself and of its hooks."""

    def work():
        print("run", name)
        if fails:
            raise ValueError(name)
        return name

    made = task(work, name=name, **options)
    made.on_rollback(lambda txn: print("rollback", name, txn.state))
    made.on_commit(lambda txn: print("commit", name, txn.state))
    return made


a, b, failing = step("a"), step("b"), step("failing", fails=True)


def states(transactions):
    return [str(each.state) for each in transactions]


def program_a_failure_undoes_what_was_done_before():
    @flow
    def pipeline():
        with transaction() as txn:
            print(txn.state, txn.commit_mode, txn.isolation_level, txn.key)
            a()
            b()
            print(states(txn.children))
            failing()

    pipeline()


def program_without_a_transaction_tasks_stand_alone():
    @flow
    def pipeline():
        a()
        failing()

    pipeline()


def program_commit_modes():
    for mode in CommitMode:

        @flow
        def well(mode=mode):
            with transaction(commit_mode=mode) as txn:
                a()
                b()
                print("end of block")
            print(txn.state, states(txn.children))

        @flow
        def badly(mode=mode):
            with transaction(commit_mode=mode):
                a()
                failing()

        print("--", mode)
        well()
        print(badly(return_state=True).type)


def program_nested_blocks():
    for mode in CommitMode:

        @flow
        def nested(mode=mode):
            with transaction() as outer:
                with transaction(commit_mode=mode) as inner:
                    print(inner.get_parent() is outer)
                    a()
                print("end of inner", inner.state, states(inner.children))
                b()
            print(outer.state, inner.state)

        print("--", mode)
        nested()


def program_hooks_in_reverse():
    with transaction() as txn:
        txn.stage(
            1,
            on_rollback_hooks=[lambda _: print("one"), lambda _: print("two")],
            on_commit_hooks=[lambda _: print("never")],
        )
        raise KeyError("x")


def program_a_failed_commit_hook():
    def fail(txn):
        print("fails")
        raise RuntimeError("no")

    with transaction() as txn:
        txn.stage(1, on_commit_hooks=[fail, print], on_rollback_hooks=[lambda _: print("undone")])
    print(txn.state)


def program_values():
    with transaction() as txn:
        for default in [(), (5,), (None,)]:
            try:
                print(txn.get("x", *default))
            except ValueError as error:
                print(error)
        txn.set("list", [1])
        txn.get("list").append(2)
        print(txn.get("list"))
        with transaction() as inner:
            print(inner.get("list"))
            inner.set("list", "mine")
            print(inner.get("list"), txn.get("list"))


def program_a_task_has_a_transaction_of_its_own():
    @task
    def work():
        txn = get_transaction()
        print(type(txn).__name__, txn.state, txn.commit_mode, txn.get_parent() is None, txn.key is None)
        txn.set("k", 1)

    @work.on_commit
    def tell(txn):
        print(txn.get("k"), txn.state)

    @flow
    def around():
        print(get_transaction())
        work()

    around()
    work()


def program_tasks_within_tasks():
    attempts = []

    @task(retries=1)
    def outer():
        attempts.append(1)
        a()
        if len(attempts) == 1:
            raise ValueError("first")

    outer.on_rollback(lambda txn: print("rollback outer"))
    outer.on_commit(lambda txn: print("commit outer"))

    @flow
    def around():
        outer()

    around()


def program_a_failure_that_nobody_raises():
    @flow
    def around():
        with transaction() as txn:
            a()
            print(failing(return_state=True).type, txn.state)
        print(txn.state)

    around()


def program_a_rolled_back_result_is_computed_again():
    kept = step("kept", persist_result=True, result_storage_key="kept-result")

    @flow
    def around():
        try:
            with transaction():
                kept()
                raise KeyError("x")
        except KeyError:
            pass
        print(kept(return_state=True).name)
        print(kept(return_state=True).name)
        with transaction():
            print(kept(return_state=True).name)
            raise KeyError("y")

    around()


def program_submitted_tasks():
    @flow
    def around():
        with transaction() as txn:
            future = a.submit()
            future.wait()
            b.submit(wait_for=[future]).wait()
            print(len(txn.children))
            raise KeyError("x")

    around()


def program_a_key_is_done_once():
    store = ResultStore(result_storage=LocalFileSystem(basepath="records"))
    for overwrite in [False, False, True]:
        with transaction(key="once", store=store, overwrite=overwrite) as txn:
            print(txn.is_committed())
            if not txn.is_committed():
                txn.stage({"v": 1})
        print(txn.state, store.read("once").result)
    with transaction(key="not-written", store=store, write_on_commit=False) as txn:
        txn.stage(1)
    print(txn.state, store.exists("not-written"))


def program_async_code():
    @task
    async def work(x):
        print("run", x, type(get_transaction()).__name__)

    @work.on_rollback
    async def undo(txn):
        await asyncio.sleep(0)
        print("undone", type(txn).__name__)

    @flow
    async def around():
        try:
            async with atransaction() as txn:
                print(type(txn).__name__)
                await work(1)
                a()
                raise KeyError("x")
        except KeyError:
            print(txn.state)
        async with atransaction():
            await work(2)

    asyncio.run(around())


def program_serializable_needs_locks():
    with transaction(key="k", isolation_level=IsolationLevel.SERIALIZABLE):
        pass


def program_serializable_holds_the_lock():
    store = ResultStore(result_storage=LocalFileSystem(basepath="records"), lock_manager=MemoryLockManager())
    with transaction(key="k", store=store, isolation_level=IsolationLevel.SERIALIZABLE) as txn:
        print(store.is_locked("k"))
        txn.stage(1)
    print(store.is_locked("k"), txn.state)


def program_lock_managers():
    for manager in [MemoryLockManager(), FileSystemLockManager(Path("locks"))]:
        print(manager.acquire_lock("k", "one"), manager.acquire_lock("k", "one"))
        print(
            manager.acquire_lock("k", "two", acquire_timeout=0.01), manager.wait_for_lock("k", timeout=0.01)
        )
        print(manager.is_locked("k"), manager.is_lock_holder("k", "one"), manager.is_lock_holder("k", "two"))
        try:
            manager.release_lock("k", "two")
        except ValueError as error:
            print(error)
        manager.release_lock("k", "one")
        print(manager.is_locked("k"), manager.wait_for_lock("k"))
        print(manager.acquire_lock("k", "one", hold_timeout=0.01), manager.acquire_lock("k", "two"))
        manager.release_lock("k", "two")


def program_stores_without_locks():
    ResultStore().acquire_lock("k")


def program_stores_with_locks():
    store = ResultStore(result_storage=LocalFileSystem(basepath="records"), lock_manager=MemoryLockManager())
    print(store.supports_isolation_level(IsolationLevel.SERIALIZABLE))
    print(store.acquire_lock("w", holder="A"))
    try:
        store.write(1, key="w", holder="B")
    except RuntimeError as error:
        print(error)
    store.write(1, key="w", holder="A")
    store.release_lock("w", holder="A")
    print(store.read("w").result)


def program_a_transaction_begins_once():
    txn = Transaction()
    with txn, txn:
        pass
