"""Empty stores on both databases, as fixtures for those who import them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from databases import postgres_schema
from prefect.store import make_store
from prefect.store.base import Store


@pytest.fixture(scope="session")
def postgres_store() -> Iterator[Store]:
    """A PostgreSQL store for this test process, which tests empty before they use it."""
    with postgres_schema() as url:
        made = make_store(url)
        yield made
        made.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store; each test is run on both databases."""
    if request.param == "postgresql":
        yield _emptied(request.getfixturevalue("postgres_store"))
    else:
        made = make_store(f"sqlite:///{tmp_path / 'prefect.db'}")
        yield made
        made.close()


def _emptied(store: Store) -> Store:
    from sqlalchemy import delete

    from prefect.store.tables import metadata

    with store.transaction() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))
    return store
