from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.operations.variables import (
    count_variables,
    create_variable,
    delete_variable,
    delete_variable_by_name,
    read_variable,
    read_variable_by_name,
    read_variables,
    update_variable,
    update_variable_by_name,
)
from prefect.schemas.filters.variables import VariableFilter, VariableFilterName, VariableFilterTags
from prefect.schemas.variables import (
    VariableCreate,
    VariableQuery,
    VariableSort,
    VariableUpdate,
)
from prefect.store.base import Store
from prefect.types import uuid7

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(codec="ascii", min_codepoint=32)), inner)
    ),
    max_leaves=8,
)


def test_a_variable_is_found_by_id_and_by_name(store: Store) -> None:
    made = create_variable(store, VariableCreate(name="region", value={"eu": [1, None]}, tags=["b", "a"]))

    assert read_variable(store, made.id) == read_variable_by_name(store, "region") == made
    assert (made.value, made.tags) == ({"eu": [1, None]}, ["b", "a"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(value=JSON)
def test_a_value_comes_back_as_it_was(store: Store, value: object) -> None:
    made = create_variable(store, VariableCreate(name=f"v-{uuid7()}", value=value))

    assert read_variable(store, made.id).value == value


def test_a_name_is_taken_once(store: Store) -> None:
    create_variable(store, VariableCreate(name="one", value=1))
    other = create_variable(store, VariableCreate(name="two", value=2))

    with pytest.raises(ObjectAlreadyExists, match="'one' already exists"):
        create_variable(store, VariableCreate(name="one", value=3))
    with pytest.raises(ObjectAlreadyExists, match="'one' already exists"):
        update_variable(store, other.id, VariableUpdate(name="one"))
    assert read_variable_by_name(store, "one").value == 1


def test_only_what_is_set_is_changed(store: Store) -> None:
    made = create_variable(store, VariableCreate(name="one", value=1, tags=["t"]))

    update_variable(store, made.id, VariableUpdate(value=None))
    assert read_variable(store, made.id).value is None
    update_variable_by_name(store, "one", VariableUpdate(name="uno", tags=None))
    found = read_variable_by_name(store, "uno")

    assert (found.id, found.value, found.tags) == (made.id, None, ["t"])
    assert found.updated is not None and made.updated is not None and found.updated > made.updated


def test_what_is_not_there_is_not_found(store: Store) -> None:
    nobody = UUID(int=1)
    for ask in (
        lambda: read_variable(store, nobody),
        lambda: read_variable_by_name(store, "nope"),
        lambda: update_variable(store, nobody, VariableUpdate(value=1)),
        lambda: delete_variable(store, nobody),
        lambda: delete_variable_by_name(store, "nope"),
    ):
        with pytest.raises(ObjectNotFound, match=r"Variable not found\."):
            ask()


def test_variables_are_filtered_sorted_and_counted(store: Store) -> None:
    for name, tags in (("b", ["x"]), ("a", []), ("ab", ["x", "y"])):
        create_variable(store, VariableCreate(name=name, value=name, tags=tags))

    def names(**query: object) -> list[str]:
        return [each.name for each in read_variables(store, VariableQuery(**query))]  # type: ignore[arg-type]

    assert names() == ["a", "ab", "b"]
    assert names(sort=VariableSort.NAME_DESC) == ["b", "ab", "a"]
    assert names(sort=VariableSort.CREATED_DESC, limit=2, offset=1) == ["a", "b"]
    assert names(variables=VariableFilter(name=VariableFilterName(like_="B"))) == ["ab", "b"]
    assert names(variables=VariableFilter(tags=VariableFilterTags(all_=["x", "y"]))) == ["ab"]
    assert names(variables=VariableFilter(tags=VariableFilterTags(is_null_=True))) == ["a"]
    only = VariableFilter(name=VariableFilterName(any_=["a", "nope"]))
    assert (
        count_variables(store, VariableQuery()),
        count_variables(store, VariableQuery(variables=only)),
    ) == (3, 1)


@pytest.mark.parametrize("name", ["Upper", "with space", "a/b", "ünï", "x" * 256])
def test_names_are_plain(name: str) -> None:
    with pytest.raises(ValueError, match="Variable name must"):
        VariableCreate(name=name, value=1)
    with pytest.raises(ValueError, match="Variable name must"):
        VariableUpdate(name=name)


def test_values_are_small_json(store: Store) -> None:
    assert create_variable(store, VariableCreate(name="full", value="x" * 4998)).value == "x" * 4998
    with pytest.raises(ValueError, match="less than 5000 characters"):
        VariableCreate(name="a", value="x" * 4999)
    with pytest.raises(ValueError, match="serializable to JSON"):
        VariableCreate(name="a", value=object())
