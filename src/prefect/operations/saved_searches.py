"""Operations on saved searches."""

from __future__ import annotations

from uuid import UUID

from prefect.exceptions import ObjectNotFound
from prefect.operations.registry import operation
from prefect.schemas.pages import Page
from prefect.schemas.saved_searches import SavedSearch, SavedSearchCreate
from prefect.store.base import Store
from prefect.store.pages import on_page
from prefect.store.records import Records
from prefect.store.tables import saved_searches
from prefect.types import now

__all__ = ["delete_saved_search", "read_saved_search", "read_saved_searches", "save_search"]

_records = Records(saved_searches, SavedSearch)


@operation("PUT", "/saved_searches/", creates=True)
def save_search(store: Store, data: SavedSearchCreate) -> SavedSearch:
    """Keep a search; one of the same name is replaced.

    Args:
        store: The store.
        data: The search.
    """
    at = now()
    made = SavedSearch(name=data.name, filters=data.filters, created=at, updated=at)
    same = saved_searches.c.name == data.name
    with store.transaction() as connection:
        if _records.insert(connection, made):
            return made
        _records.update(connection, {"filters": data.filters, "updated": at}, same)
        return _found(_records.first(connection, same))


@operation("POST", "/saved_searches/filter")
def read_saved_searches(store: Store, query: Page) -> list[SavedSearch]:
    """Return saved searches by name."""
    return _records.all(store, on_page(_records.select(), query, (saved_searches.c.name,)))


@operation("GET", "/saved_searches/{saved_search_id}")
def read_saved_search(store: Store, saved_search_id: UUID) -> SavedSearch:
    """Return a saved search.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such search.
    """
    return _found(_records.first(store, saved_searches.c.id == saved_search_id.hex))


@operation("DELETE", "/saved_searches/{saved_search_id}")
def delete_saved_search(store: Store, saved_search_id: UUID) -> None:
    """Delete a saved search.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such search.
    """
    with store.transaction() as connection:
        if not _records.delete(connection, saved_searches.c.id == saved_search_id.hex):
            raise _missing()


def _found(search: SavedSearch | None) -> SavedSearch:
    if search is None:
        raise _missing()
    return search


def _missing() -> ObjectNotFound:
    return ObjectNotFound(help_message="Saved search not found")
