"""The embedded store in fair weather: one file, many users."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from prefect.operations import create_flow, read_flow_by_name, read_flows
from prefect.schemas.actions import FlowCreate
from prefect.schemas.queries import FlowQuery
from prefect.store import make_store, open_store
from prefect.store.administration import upgrade
from prefect.store.base import Store
from prefect.store.migrate import upgrade_sqlite
from prefect.store.versions import SCHEMA_VERSION


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "prefect.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    made = make_store(f"sqlite:///{path}")
    yield made
    made.close()


def names(store: Store) -> set[str]:
    return {flow.name for flow in read_flows(store, FlowQuery())}


def test_a_file_and_its_folder_are_made_when_first_used(store: Store, path: Path) -> None:
    assert not path.parent.exists()
    create_flow(store, FlowCreate(name="etl"))
    assert path.exists()


def test_a_new_file_and_those_beside_it_are_for_this_user_alone(store: Store, path: Path) -> None:
    create_flow(store, FlowCreate(name="etl"))
    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert set(modes) >= {"prefect.db", "prefect.db-wal"}
    assert set(modes.values()) == {0o600}


def test_a_file_that_is_there_keeps_its_mode(store: Store, path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    path.chmod(0o640)
    create_flow(store, FlowCreate(name="etl"))
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_file_that_is_made_by_way_of_administration_is_for_this_user_alone(
    store: Store, path: Path
) -> None:
    upgrade(store)
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_was_written_is_there_when_the_file_is_opened_again(store: Store, path: Path) -> None:
    create_flow(store, FlowCreate(name="etl"))
    store.close()
    other = make_store(f"sqlite+aiosqlite:///{path}")
    assert names(other) == {"etl"}
    other.close()


def test_a_store_that_was_closed_opens_again(store: Store) -> None:
    create_flow(store, FlowCreate(name="etl"))
    store.close()
    assert names(store) == {"etl"}


def test_what_raises_is_undone(store: Store) -> None:
    create_flow(store, FlowCreate(name="kept"))
    with pytest.raises(RuntimeError), store.transaction() as connection:
        from sqlalchemy import delete

        from prefect.store.tables import flows

        assert connection.execute(delete(flows)) == 1
        raise RuntimeError
    assert names(store) == {"kept"}


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "sqlite+aiosqlite:///file::memory:?uri=true"]
)
def test_a_store_in_memory_lives_in_this_process(url: str) -> None:
    store = make_store(url)
    create_flow(store, FlowCreate(name="etl"))
    assert names(store) == {"etl"}
    store.close()


def test_a_process_has_one_store_a_url(path: Path) -> None:
    assert open_store(f"sqlite:///{path}") is open_store(f"sqlite:///{path}")


def test_a_relative_file_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    store = make_store("sqlite:///50%25 of runs.db")
    monkeypatch.chdir(tmp_path / "elsewhere")
    create_flow(store, FlowCreate(name="etl"))
    store.close()
    assert (tmp_path / "50%25 of runs.db").exists()


def test_the_default_store_is_in_the_home() -> None:
    assert open_store().url == f"sqlite:///{os.environ['PREFECT_HOME']}/prefect.db"


def test_threads_share_a_store(store: Store) -> None:
    def work(number: int) -> None:
        for item in range(20):
            create_flow(store, FlowCreate(name=f"{number}-{item}"))
            read_flow_by_name(store, f"{number}-{item}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names(store)) == 160


def in_child(work: Callable[[], bool]) -> bool:
    child = os.fork()
    if child == 0:
        succeeded = False
        try:
            succeeded = work()
        finally:
            os._exit(0 if succeeded else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_uses_connections_of_its_own(store: Store) -> None:
    create_flow(store, FlowCreate(name="parent"))
    with store.transaction():
        # The child must not wait for a lock that only its parent could give back.
        assert in_child(lambda: names(store) == {"parent"})
    assert in_child(lambda: create_flow(store, FlowCreate(name="child")).name == "child")
    create_flow(store, FlowCreate(name="later"))
    assert names(store) == {"parent", "child", "later"}


def test_an_older_database_is_brought_up_to_date(store: Store, path: Path) -> None:
    path.parent.mkdir()
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("CREATE TABLE proconsul_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    raw.execute("INSERT INTO proconsul_version VALUES ('0000')")
    raw.execute("DELETE FROM proconsul_version")
    raw.execute("BEGIN")
    upgrade_sqlite(raw)
    raw.close()
    create_flow(store, FlowCreate(name="etl"))
    raw = sqlite3.connect(path)
    assert raw.execute("SELECT version_num FROM proconsul_version").fetchall() == [(SCHEMA_VERSION,)]
    raw.close()


def test_tables_of_the_interfaces_own_server_are_left_alone(store: Store, path: Path) -> None:
    path.parent.mkdir()
    raw = sqlite3.connect(path)
    raw.execute("CREATE TABLE alembic_version (version_num TEXT)")
    raw.execute("CREATE TABLE flow (id TEXT)")
    raw.execute("INSERT INTO flow VALUES ('theirs')")
    raw.commit()
    create_flow(store, FlowCreate(name="ours"))
    assert raw.execute("SELECT * FROM flow").fetchall() == [("theirs",)]
    raw.close()
    assert names(store) == {"ours"}
