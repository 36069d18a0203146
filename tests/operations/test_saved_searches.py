from __future__ import annotations

import pytest

from prefect.exceptions import ObjectNotFound
from prefect.operations.saved_searches import (
    delete_saved_search,
    read_saved_search,
    read_saved_searches,
    save_search,
)
from prefect.schemas.pages import Page
from prefect.schemas.saved_searches import SavedSearchCreate, SavedSearchFilter
from prefect.store.base import Store


def test_a_search_is_kept_until_it_is_deleted(store: Store) -> None:
    by_name = SavedSearchFilter(object="flow", property="name", type="string", operation="eq", value="x")
    made = save_search(store, SavedSearchCreate(name="mine", filters=[by_name]))
    other = save_search(store, SavedSearchCreate(name="also mine"))

    assert read_saved_search(store, made.id) == made
    assert read_saved_searches(store, Page()) == [other, made]
    delete_saved_search(store, made.id)
    for ask in (read_saved_search, delete_saved_search):
        with pytest.raises(ObjectNotFound, match="Saved search not found"):
            ask(store, made.id)


def test_a_search_of_the_same_name_replaces_the_first(store: Store) -> None:
    made = save_search(store, SavedSearchCreate(name="mine"))
    by_name = SavedSearchFilter(object="flow", property="name", type="s", operation="eq", value=[1])
    again = save_search(store, SavedSearchCreate(name="mine", filters=[by_name]))

    assert again.id == made.id
    assert read_saved_searches(store, Page())[0].filters[0].value == [1]
