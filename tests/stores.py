"""Empty stores on both databases, as fixtures for those who import them.

A database takes longer to make than to empty, and most tests need only a few rows: so each test process has
one of each kind.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from databases import postgres_schema
from prefect.store import make_store
from prefect.store.base import Store


@pytest.fixture(scope="session")
def sqlite_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """An SQLite store for this test process, which tests empty before they use it."""
    made = make_store(f"sqlite:///{tmp_path_factory.mktemp('store') / 'prefect.db'}")
    yield made
    made.close()


@pytest.fixture(scope="session")
def postgres_store() -> Iterator[Store]:
    """A PostgreSQL store for this test process, which tests empty before they use it."""
    with postgres_schema() as url:
        made = make_store(url)
        yield made
        made.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest) -> Store:
    """An empty store; each test is run on both databases."""
    kind = "postgres_store" if request.param == "postgresql" else "sqlite_store"
    return _emptied(request.getfixturevalue(kind))


def _emptied(store: Store) -> Store:
    from sqlalchemy import delete

    from prefect.store.tables import metadata

    store.keeps_events = type(store).keeps_events  # a server may have been over it
    store.names.clear()
    with store.transaction() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))
    return store
