"""Bad weather: what goes wrong with a database is said clearly, with the place and the remedy."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from databases import POSTGRES_URL, postgres_schema
from prefect.exceptions import ConfigurationError, StoreCorrupt, StoreTooNew, StoreUnavailable
from prefect.operations import count_flows, create_flow, create_flow_run, create_logs, read_flow_by_name
from prefect.schemas.actions import FlowCreate, FlowRunCreate
from prefect.schemas.objects import Log
from prefect.schemas.queries import FlowQuery
from prefect.settings import temporary_settings
from prefect.store import make_store, open_store, postgres
from prefect.store.base import Store
from prefect.store.statement import Statement
from prefect.types import now

NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "prefect.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    made = make_store(f"sqlite:///{path}")
    yield made
    made.close()


def message_as_nobody(work: Callable[[], object]) -> str:
    """Return what `work` says when it fails, done as a user without rights."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setuid(NOBODY)
            work()
        except StoreUnavailable as error:
            os.write(writing, str(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as said:
        return said.read()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter and only its owner may change."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_full_disk_is_named_and_nothing_is_half_written(store: Store, path: Path) -> None:
    create_flow(store, FlowCreate(name="etl"))
    with store.transaction() as connection:
        connection._raw.execute("PRAGMA max_page_count=1")  # type: ignore[attr-defined]
    logs = [Log(name="l", level=20, message="x" * 1000, timestamp=now()) for _ in range(1000)]
    with pytest.raises(StoreUnavailable, match=rf"No space is left for {re.escape(str(path))}.*PREFECT_HOME"):
        create_logs(store, logs)
    with store.transaction() as connection:
        connection._raw.execute("PRAGMA max_page_count=1000000")  # type: ignore[attr-defined]
    create_logs(store, logs)
    assert read_flow_by_name(store, "etl").name == "etl"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_home_that_cannot_be_made(open_folder: Path) -> None:
    open_folder.chmod(0o555)
    store = make_store(f"sqlite:///{open_folder / 'home' / 'prefect.db'}")
    said = message_as_nobody(lambda: create_flow(store, FlowCreate(name="etl")))
    assert f"The folder {open_folder / 'home'} cannot be made (Permission denied)" in said
    assert "PREFECT_HOME" in said


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_home_that_cannot_be_written(open_folder: Path) -> None:
    open_folder.chmod(0o555)
    store = make_store(f"sqlite:///{open_folder / 'prefect.db'}")
    said = message_as_nobody(lambda: create_flow(store, FlowCreate(name="etl")))
    assert f"{open_folder / 'prefect.db'} cannot be opened for writing" in said


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_file_that_may_only_be_read(open_folder: Path) -> None:
    store = make_store(f"sqlite:///{open_folder / 'prefect.db'}")
    create_flow(store, FlowCreate(name="etl"))
    store.close()
    (open_folder / "prefect.db").chmod(0o444)
    open_folder.chmod(0o555)
    said = message_as_nobody(lambda: create_flow(store, FlowCreate(name="other")))
    assert f"{open_folder / 'prefect.db'} cannot be opened for writing" in said


def test_a_file_that_is_a_folder(store: Store, path: Path) -> None:
    path.mkdir()
    with pytest.raises(StoreUnavailable, match=re.escape(str(path))):
        create_flow(store, FlowCreate(name="etl"))


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    store = make_store(f"sqlite:///{tmp_path / 'home' / 'prefect.db'}")
    with pytest.raises(StoreUnavailable, match="cannot be made"):
        create_flow(store, FlowCreate(name="etl"))


def test_a_database_of_a_newer_release_is_left_alone(store: Store, path: Path) -> None:
    create_flow(store, FlowCreate(name="etl"))
    store.close()
    raw = sqlite3.connect(path)
    raw.execute("UPDATE proconsul_version SET version_num = '9999'")
    raw.commit()
    raw.close()
    with pytest.raises(StoreTooNew, match=rf"{re.escape(str(path))} was written by a newer release.*9999"):
        create_flow(store, FlowCreate(name="other"))


def test_a_file_that_is_no_database(store: Store, path: Path) -> None:
    path.write_bytes(b"this is a letter to my aunt\n" * 1000)
    with pytest.raises(StoreCorrupt, match=rf"{re.escape(str(path))} is not a sound database.*Move it away"):
        create_flow(store, FlowCreate(name="etl"))
    path.unlink()
    assert create_flow(store, FlowCreate(name="etl")).name == "etl"


def test_a_database_that_was_damaged(store: Store, path: Path) -> None:
    create_flow(store, FlowCreate(name="etl"))
    store.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    with pytest.raises(StoreCorrupt, match="is not a sound database"):
        count_flows(store, FlowQuery())


def test_a_database_with_tables_of_the_same_names(store: Store, path: Path) -> None:
    raw = sqlite3.connect(path)
    raw.execute("CREATE TABLE flows (name TEXT)")
    raw.commit()
    raw.close()
    with pytest.raises(StoreCorrupt, match="holds tables of another program"):
        create_flow(store, FlowCreate(name="etl"))


def test_a_writer_that_never_ends(path: Path) -> None:
    with temporary_settings({"server.database.timeout": 0.01}):
        store = open_store(f"sqlite:///{path}")
    create_flow(store, FlowCreate(name="etl"))
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match=r"Another process has been writing .* for 0.01 seconds"):
        create_flow(store, FlowCreate(name="other"))
    assert read_flow_by_name(store, "etl").name == "etl"
    raw.execute("ROLLBACK")
    raw.close()
    assert create_flow(store, FlowCreate(name="other")).name == "other"
    store.close()


@pytest.mark.parametrize("url", ["mysql://host/name", "prefect.db", "", "sqlite"])
def test_a_database_of_another_kind(url: str) -> None:
    with pytest.raises(ConfigurationError, match="no database that is supported"):
        make_store(url)


def test_the_password_of_a_database_of_another_kind_is_not_shown() -> None:
    with pytest.raises(ConfigurationError, match="'mysql://host/name' is no database") as caught:
        make_store("mysql://someone:secret@host/name")
    assert "secret" not in str(caught.value)


def test_a_server_that_does_not_answer() -> None:
    store = make_store("postgresql://someone:secret@127.0.0.1:1/name")
    with pytest.raises(StoreUnavailable, match=r"someone@127.0.0.1:1/name does not answer") as caught:
        create_flow(store, FlowCreate(name="etl"))
    assert "secret" not in str(caught.value) + repr(store)


@pytest.mark.postgres
def test_a_server_that_was_started_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    import psycopg

    monkeypatch.setattr(postgres, "TRUST_SECONDS", 0.0)
    with postgres_schema() as url:
        store = make_store(url)
        create_flow(store, FlowCreate(name="etl"))
        with store.transaction() as connection:
            pid = connection._raw.info.backend_pid  # type: ignore[attr-defined]
        with psycopg.connect(POSTGRES_URL, autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
        assert read_flow_by_name(store, "etl").name == "etl"
        store.close()


@pytest.mark.postgres
def test_a_server_that_goes_away_in_the_middle() -> None:
    import psycopg

    with postgres_schema() as url:
        store = make_store(url)
        flow = create_flow(store, FlowCreate(name="etl"))
        with pytest.raises(StoreUnavailable, match="does not answer"), store.transaction() as connection:
            pid = connection._raw.info.backend_pid  # type: ignore[attr-defined]
            with psycopg.connect(POSTGRES_URL, autocommit=True) as admin:
                admin.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
            connection._raw.execute("SELECT 1")  # type: ignore[attr-defined]
        assert create_flow_run(store, FlowRunCreate(flow_id=flow.id)).flow_id == flow.id
        store.close()


@pytest.mark.postgres
def test_a_statement_that_takes_too_long() -> None:
    with postgres_schema() as url:
        store = make_store(url, timeout=0.05)
        create_flow(store, FlowCreate(name="etl"))
        with (
            pytest.raises(StoreUnavailable, match=r"took too long .*PREFECT_SERVER_DATABASE_TIMEOUT"),
            store.reading() as connection,
        ):
            connection.fetch(Statement("", "SELECT pg_sleep(30)"))
        assert read_flow_by_name(store, "etl").name == "etl"
        store.close()


@pytest.mark.postgres
def test_a_newer_schema_on_a_server() -> None:
    import psycopg

    with postgres_schema() as url:
        store = make_store(url)
        create_flow(store, FlowCreate(name="etl"))
        store.close()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("UPDATE proconsul_version SET version_num = '9999'")
        other = make_store(url)
        with pytest.raises(StoreTooNew, match="newer release"):
            create_flow(other, FlowCreate(name="etl"))
        other.close()


@pytest.mark.postgres
def test_a_timeout_in_the_middle_of_an_exchange_harms_nobody_else() -> None:
    with postgres_schema() as url:
        store = make_store(url)
        with pytest.raises(KeyboardInterrupt), store.reading() as connection:
            connection._raw.pgconn.send_query(b"SELECT 1")  # type: ignore[attr-defined]
            raise KeyboardInterrupt
        assert create_flow(store, FlowCreate(name="etl")).name == "etl"
        store.close()


def test_a_file_that_is_deleted_while_it_is_used(store: Store, path: Path) -> None:
    create_flow(store, FlowCreate(name="etl"))
    path.unlink()
    with pytest.raises(StoreUnavailable, match=rf"{re.escape(str(path))} was deleted or replaced while"):
        create_flow(store, FlowCreate(name="other"))
    store.close()
    assert create_flow(store, FlowCreate(name="other")).name == "other"
