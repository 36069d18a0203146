"""Names: random, from templates, and refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect.exceptions import InvalidNameError
from prefect.rules.names import random_name, render_name, validate_name
from prefect.rules.words import ADJECTIVES, NOUNS


def test_random_names_are_an_adjective_and_an_animal() -> None:
    adjective, noun = random_name().split("-")
    assert adjective in ADJECTIVES
    assert noun in NOUNS


def test_random_names_follow_their_source() -> None:
    assert random_name(Random(1).randbytes) == random_name(Random(1).randbytes)
    source = Random(2)
    assert len({random_name(source.randbytes) for _ in range(1000)}) > 950


@pytest.mark.parametrize("words", [ADJECTIVES, NOUNS], ids=["adjectives", "nouns"])
def test_words_are_many_and_fit_for_names(words: tuple[str, ...]) -> None:
    assert len(set(words)) == len(words) >= 200
    assert all(re.fullmatch("[a-z]{2,14}", word) for word in words)


@pytest.mark.parametrize(
    ("template", "parameters", "name"),
    [
        ("plain", {}, "plain"),
        ("{a}-{b}", {"a": 1, "b": "x"}, "1-x"),
        ("{when:%A %Y}", {"when": datetime(2026, 1, 2, tzinfo=UTC)}, "Friday 2026"),
        ("{rows[0]}", {"rows": [7]}, "7"),
        ("{when.year}", {"when": datetime(2026, 1, 2, tzinfo=UTC)}, "2026"),
        ("{{a}}", {}, "{a}"),
    ],
)
def test_templates(template: str, parameters: dict[str, Any], name: str) -> None:
    assert render_name(template, parameters) == name


def test_parameters_go_before_other_values() -> None:
    assert render_name("{a}{b}", {"a": 1}, {"a": 0, "b": 2}) == "12"


@pytest.mark.parametrize(
    ("template", "parameters", "problem"),
    [
        ("{nope}-x", {"b": 1, "a": 2}, "uses 'nope', which is not there. It can use: a, b."),
        ("{nope}", {}, "There are no parameters to choose from."),
        ("{}", {"a": 1}, "cannot be filled in: Format string contains positional fields."),
        ("{a:%Y}", {"a": 1}, "cannot be filled in"),
        ("{a.b}", {"a": 1}, "cannot be filled in"),
        ("{a", {"a": 1}, "cannot be filled in"),
    ],
)
def test_errors_name_the_template_and_the_remedy(
    template: str, parameters: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InvalidNameError) as caught:
        render_name(template, parameters)
    assert repr(template) in str(caught.value)
    assert problem in str(caught.value)


@pytest.mark.parametrize("name", ["a/b", "50%", "a&b", "a>b", "<a"])
def test_banned_characters(name: str) -> None:
    with pytest.raises(InvalidNameError, match=re.escape(f"Name {name!r} contains an invalid character.")):
        validate_name(name)


@given(st.text().filter(lambda text: not set(text) & set("/%&><")))
def test_all_other_names_are_fine(name: str) -> None:
    assert validate_name(name) == name
