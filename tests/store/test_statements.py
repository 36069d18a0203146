"""What was compiled ahead of time is what the tables say today."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from databases import postgres_schema
from prefect.schemas.objects import Flow, FlowRun, Log, TaskRun, TaskRunRecord
from prefect.schemas.states import State, StateType
from prefect.store import codec, compile, make_store, statements
from prefect.store.base import Store
from prefect.store.hot import FLOW_RUN_COLUMNS, FLOW_RUN_EDITS, FLOW_RUN_PROGRESS
from prefect.store.migrate import upgrade_postgresql, upgrade_sqlite
from prefect.store.tables import flow_run_states, flow_runs, flows, logs, task_runs
from prefect.types import now

STATE: State[None] = State(type=StateType.PENDING)


def test_the_statements_are_those_of_the_tables() -> None:
    written = Path(statements.__file__).read_text(encoding="utf-8")
    assert written == compile.render(), "run: python -m prefect.store.compile"


def test_rows_are_as_wide_as_their_tables() -> None:
    flow = Flow(name="f", created=now(), updated=now())
    run = FlowRun(flow_id=flow.id, state=STATE, created=now(), updated=now())
    task_run = TaskRun(task_key="t", dynamic_key="0", state=STATE)
    log = Log(name="l", level=20, message="m", timestamp=now())
    assert len(codec.flow_row(flow)) == len(flows.c)
    assert len(codec.flow_run_row(run)) == len(flow_runs.c)
    assert len(codec.flow_run_state_row(run.id, STATE)) == len(flow_run_states.c)
    assert len(codec.task_run_row(TaskRunRecord(run=task_run, states=[STATE]))) == len(task_runs.c)
    assert len(codec.log_row(log)) == len(logs.c)
    # Updates name their row last.
    assert len(codec.flow_run_progress_row(run)) == len(FLOW_RUN_PROGRESS) + 1
    assert len(codec.flow_run_edit_row(run)) == len(FLOW_RUN_EDITS) + 1
    assert len(FLOW_RUN_COLUMNS) == len(flow_runs.c) + 3


def test_names_of_updates_stand_in_the_tables_order() -> None:
    columns = [column.name for column in flow_runs.c]
    for names in (FLOW_RUN_PROGRESS, FLOW_RUN_EDITS):
        assert sorted(names, key=columns.index) == list(names)


def schema_of(path: Path) -> list[tuple[str, ...]]:
    raw = sqlite3.connect(path)
    found: list[tuple[str, ...]] = []
    for (table,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        if table == "proconsul_version":
            continue
        found += [(table, *map(str, row[1:])) for row in raw.execute(f"PRAGMA table_xinfo({table})")]
        found += [(table, *map(str, row[2:])) for row in raw.execute(f"PRAGMA foreign_key_list({table})")]
    indexes = raw.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index'").fetchall()
    found += [(name, table, " ".join(sql.split()) if sql else "") for name, table, sql in indexes]
    found.append(("version", *raw.execute("SELECT version_num FROM proconsul_version").fetchone()))
    raw.close()
    return sorted(row for row in found if "proconsul_version" not in row)


def test_migrations_lead_to_the_same_schema_on_sqlite(tmp_path: Path) -> None:
    store = make_store(f"sqlite:///{tmp_path / 'made.db'}")
    with store.transaction():
        pass
    store.close()
    raw = sqlite3.connect(tmp_path / "migrated.db", isolation_level=None)
    raw.execute("BEGIN IMMEDIATE")
    upgrade_sqlite(raw)
    raw.close()
    assert schema_of(tmp_path / "migrated.db") == schema_of(tmp_path / "made.db")


POSTGRES_SCHEMA = """
    SELECT table_name, column_name, ordinal_position::text, udt_name, is_nullable,
    character_maximum_length::text FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name <> 'proconsul_version'
    UNION ALL
    SELECT tablename, indexname, replace(indexdef, current_schema(), ''), '', '', ''
    FROM pg_indexes WHERE schemaname = current_schema() AND tablename <> 'proconsul_version'
    UNION ALL
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', '', ''
    FROM pg_constraint WHERE connamespace = current_schema()::regnamespace AND contype <> 'p'
    ORDER BY 1, 2, 3
"""


@pytest.mark.postgres
def test_migrations_lead_to_the_same_schema_on_postgresql() -> None:
    import psycopg

    with postgres_schema() as made, postgres_schema() as migrated:
        store: Store = make_store(made)
        with store.transaction():
            pass
        store.close()
        with psycopg.connect(migrated) as connection:
            upgrade_postgresql(connection)
            after_migration = connection.execute(POSTGRES_SCHEMA).fetchall()
        with psycopg.connect(made) as connection:
            assert connection.execute(POSTGRES_SCHEMA).fetchall() == after_migration


@pytest.mark.parametrize(
    ("path", "many", "index"),
    [
        ("flow_runs.state.type.any_", False, "ix_flow_runs_state_type_id (state_type=?)"),
        ("flow_runs.state.type.any_", True, "ix_flow_runs_state_type_id (state_type=?)"),
        ("flows.name.any_", False, "ix_flow_runs_flow_id_idempotency_key (flow_id=?)"),
        ("flows.name.any_", True, "ix_flow_runs_flow_id_idempotency_key (flow_id=?)"),
        ("flow_runs.id.any_", True, "sqlite_autoindex_flow_runs_1 (id=?)"),
        ("task_runs.flow_run_id.any_", False, "ix_task_runs_flow_run_id_id (flow_run_id=?)"),
        ("logs.flow_run_id.any_", False, "ix_logs_flow_run_id_timestamp_id (flow_run_id=?)"),
        ("logs.task_run_id.any_", False, "ix_logs_task_run_id (task_run_id=?)"),
    ],
)
def test_conditions_of_listings_use_indexes(path: str, many: bool, index: str) -> None:
    listing, known = next(
        pair
        for pair in (
            (statements.FLOW_RUNS, statements.FLOW_RUN_CONDITIONS),
            (statements.TASK_RUNS, statements.TASK_RUN_CONDITIONS),
            (statements.LOGS, statements.LOG_CONDITIONS),
        )
        if path in pair[1]
    )
    condition = known[path].many if many else known[path].one
    assert condition is not None
    raw = sqlite3.connect(":memory:")
    for text in statements.SQLITE_SCHEMA:
        raw.execute(text)

    statement, params = listing.where([condition], ("[]",), (15, 1))
    plan = raw.execute("EXPLAIN QUERY PLAN " + statement.sqlite, params).fetchall()

    raw.close()
    assert any(index in row[3] for row in plan), plan
