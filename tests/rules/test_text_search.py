from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect.rules.text_search import TextSearch, parse_text_search


@pytest.mark.parametrize(
    ("query", "search"),
    [
        ("", TextSearch()),
        ("one two", TextSearch(some_of=("one", "two"))),
        (
            '"one two" +three -four !five',
            TextSearch(some_of=("one two",), all_of=("three",), none_of=("four", "five")),
        ),
        ('+"a b" -"c d"', TextSearch(all_of=("a b",), none_of=("c d",))),
        ('+ - ! ""', TextSearch()),
        ('"open end', TextSearch(some_of=("open end",))),
        ("well-known", TextSearch(some_of=("well-known",))),
    ],
)
def test_a_search_is_taken_apart(query: str, search: TextSearch) -> None:
    assert parse_text_search(query) == search


@given(st.text())
def test_nothing_that_is_typed_breaks(query: str) -> None:
    search = parse_text_search(query)
    assert all(term.strip() for term in (*search.some_of, *search.all_of, *search.none_of))
