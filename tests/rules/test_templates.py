"""Templates: which are filled in at once, and which by a process that can be ended."""

from __future__ import annotations

import pytest

from prefect.exceptions import InvalidTemplate

pytest.importorskip("jinja2")

from prefect.rules.templates import is_quick, read_template, rendered

VALUES = {
    "run": {"name": "crab", "state": {"name": "Failed"}, "ui_url": "http://ui/1"},
    "none": None,
    "list": [1, 2],
}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ run.name }} is {{ run.state.name|upper }}", "crab is FAILED"),
        ("{{ run|ui_url }}{{ none|ui_url }}{{ list|ui_url }}", "http://ui/1"),
        ("{{ none.state.name }}{{ missing.at.all }}", ""),
        ("{% if run.name == 'crab' and not none %}{{ list[1] ~ '!' }}{% endif %}", "2!"),
        ("{{ list|tojson }}", "[1, 2]"),
    ],
    ids=["names", "pages", "missing", "if", "json"],
)
def test_what_names_values_is_filled_in_at_once(source: str, text: str) -> None:
    assert is_quick(read_template(source))
    assert rendered(source, VALUES) == text


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'x' * 9999999999 }}",
        "{% for a in list %}{{ a }}{% endfor %}",
        "{{ range(9) }}",
        "{{ 'a'|center(9999999999) }}",
        "{% set x = run %}",
        "{{ run|tojson|tojson }}",
        "{% macro m() %}{% endmacro %}",
    ],
)
def test_what_may_take_long_is_not(source: str) -> None:
    assert not is_quick(read_template(source))


def test_a_template_becomes_only_so_long() -> None:
    with pytest.raises(InvalidTemplate, match="longer than 100000 characters"):
        rendered("{{ a }}{{ a }}", {"a": "x" * 60_000})


@pytest.mark.parametrize("source", ["{{ ''.__class__.__mro__[1].__subclasses__() }}", "{{ list.append(1) }}"])
def test_templates_reach_nothing_but_values(source: str) -> None:
    with pytest.raises(InvalidTemplate, match=r"unsafe|undefined"):
        rendered(source, {"list": []})
