"""Values as text: reading, writing, and the way to a child process and back."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect.settings import SecretStr, Settings, temporary_settings
from prefect.settings.values import describe, parse, write

text = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=20)
numbers = st.floats(allow_nan=False, allow_infinity=False)
SAMPLES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (bool, st.booleans()),
    (int, st.integers()),
    (float, numbers),
    (str, text),
    (SecretStr, text.map(SecretStr)),
    (Path, text.filter(lambda t: t and not t.startswith("~")).map(Path)),
    (timedelta, st.integers(0, 10**9).map(lambda n: timedelta(milliseconds=n))),
    (Literal["DEBUG", "INFO"], st.sampled_from(["DEBUG", "INFO"])),
    (list[str], st.lists(text)),
    (set[int], st.sets(st.integers())),
    (dict[str, str], st.dictionaries(text, text)),
    (int | float | list[float], st.one_of(st.integers(), numbers, st.lists(numbers))),
    (str | None, text),
]


@given(st.sampled_from(SAMPLES).flatmap(lambda pair: st.tuples(st.just(pair[0]), pair[1])))
def test_what_is_written_reads_back(case):
    wanted, value = case

    found = parse(write(value), wanted)

    assert found == value
    assert type(found) is type(value)


@given(st.sampled_from([wanted for wanted, _ in SAMPLES]), text)
def test_any_text_is_read_or_refused(wanted, value):
    try:
        parse(value, wanted)
    except ValueError:
        assert describe(wanted)


@pytest.mark.parametrize(
    ("value", "wanted", "expected"),
    [
        ("yes", bool, True),
        ("OFF", bool, False),
        ("a, b,", list[str], ["a", "b"]),
        ('["a,b", "c"]', list[str], ["a,b", "c"]),
        ("429,502", set[int], {429, 502}),
        (429, set[int], {429}),
        ("", list[str] | None, []),
        ("1,2.5", int | float | list[float], [1.0, 2.5]),
        ('{"X-Team": "a"}', dict[str, str], {"X-Team": "a"}),
        ("90", timedelta, timedelta(seconds=90)),
        ("1:30:00", timedelta, timedelta(minutes=90)),
        ("2 days, 0:00:10", timedelta, timedelta(days=2, seconds=10)),
        ("PT1H30M", timedelta, timedelta(minutes=90)),
        ("P7D", timedelta, timedelta(days=7)),
        ("~/x", Path, Path.home() / "x"),
        ("debug", Literal["DEBUG", "INFO"], "DEBUG"),
    ],
)
def test_texts_that_people_write(value, wanted, expected):
    assert parse(value, wanted) == expected


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("2.5", int),
        ("maybe", bool),
        (None, bool),
        ("PT", timedelta),
        ("{", dict[str, str]),
        ("[1]", dict[str, str]),
        ("[1", list[str]),
        ("a,b", set[int]),
        ("", Path),
        ({}, str),
    ],
)
def test_values_that_do_not_fit(value, wanted):
    with pytest.raises(ValueError):
        parse(value, wanted)


def test_settings_of_every_type_reach_a_child_process(run_python):
    given_values = {
        "debug_mode": True,
        "api": {"url": "http://a/api?x=1", "key": "k,[=\"' "},
        "client": {"custom_headers": {"X-A": "ü,b"}, "retry_extra_codes": {429, 502}},
        "logging": {"extra_loggers": ["a,b", "c"], "level": "ERROR"},
        "tasks": {"default_retry_delay_seconds": [1.5, 2.0]},
        "server": {"api": {"csrf_token_expiration": timedelta(minutes=5), "port": 1}},
        "results": {"local_storage_path": Path("/some where/else")},
    }
    settings = Settings(**given_values)

    done = run_python(
        "-c",
        "from prefect.settings import get_current_settings as g; "
        "print(g().model_dump_json(context={'include_secrets': True}))",
        env=settings.to_environment_variables(exclude_unset=True),
    )

    assert json.loads(done.stdout) == json.loads(settings.model_dump_json(context={"include_secrets": True}))


def test_pydantic_secrets_are_welcome():
    pydantic = pytest.importorskip("pydantic")

    with temporary_settings({"PREFECT_API_KEY": pydantic.SecretStr("k")}) as settings:
        assert settings.api.key == SecretStr("k")
