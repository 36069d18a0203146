"""What a `prefect.yaml` may say, and what is said of one that makes no sense."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prefect.deployments.base import initialize_project
from prefect.deployments.project.fields import OF_DEPLOYMENT, OF_PROJECT
from prefect.deployments.project.file import read_project
from prefect.deployments.project.selecting import select
from prefect.exceptions import ConfigurationError

FURTHER = {"cron", "interval", "rrule", "timezone", "anchor_date", "limit", "job_variables", "type", "expect"}


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def read(text: str):
    path = Path("prefect.yaml")
    path.write_text(text)
    return read_project(path)


def test_anchors_and_steps_of_the_project_are_filled_in():
    project = read(
        """
name: mine
prefect-version: 3.8.8
definitions:
  pool: &pool {name: here}
build: null
pull:
- prefect.deployments.steps.set_working_directory: {directory: /code}
deployments:
- &base
  name: one
  entrypoint: flows.py:load
  work_pool: *pool
  schedule: {}
- <<: *base
  name: two
  pull: []
"""
    )

    one, two = project.entries
    assert (one.name, two.name) == ("one", "two")
    assert two.fields["work_pool"] == {"name": "here"}
    assert one.fields["pull"] == [{"prefect.deployments.steps.set_working_directory": {"directory": "/code"}}]
    assert two.fields["pull"] == []


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("  foo: bar", "line 3, deployment 'one', foo: there is no such field"),
        ("  version: 1.0", "version: it needs a text, and has 1.0. Put it in quotes"),
        ("  tags: [a, 3]", "tags[1]: a tag needs to be a text"),
        ("  parameters: [1]", "parameters: it needs a mapping"),
        ("  paused: maybe", "paused: it needs true or false"),
        ("  schedule: '0 * * * *'", "schedule: a schedule is a mapping"),
        ("  schedules:\n  - cron: nope", "line 4, deployment 'one', schedules[0]: that is no schedule"),
        ("  schedules:\n  - interval: 0", "schedules[0]: that is no schedule"),
        ("  schedules:\n  - {cron: '* * * * *', interval: 3}", "needs one of cron, interval and rrule"),
        ("  schedules:\n  - {cron: '* * * * *', zone: x}", "schedules[0].zone: there is no such field"),
        ("  schedules:\n  - {cron: '* * * * *', timezone: Mars}", "schedules[0]: that is no schedule"),
        ("  schedule: {interval: 3}\n  schedules: [{interval: 3}]", "either `schedule` or `schedules`"),
        ("  concurrency_limit: -1", "concurrency_limit: it needs a whole number"),
        ("  concurrency_limit: {limit: 2, collision_strategy: FIGHT}", "no strategy 'FIGHT'"),
        ("  concurrency_limit: {collision_strategy: ENQUEUE}", "needs a `limit`"),
        ("  work_pool: here", "work_pool: it needs a mapping"),
        ("  work_pool: {queue: x}", "work_pool.queue: there is no such field"),
        ("  pull:\n    prefect.deployments.steps.git_clone: {}", "begin each with a dash"),
        ("  pull:\n  - {a.b: {}, c.d: {}}", "pull[0]: a step is a function"),
        ("  pull:\n  - git_clone: {}", "'git_clone' is no step"),
        ("  triggers:\n  - {expect: [a.b], colour: red}", "triggers[0]: that is no trigger: it has no field"),
        ("  sla: [{}]", "sla: service level agreements"),
        ("  name: two", "line 3: 'name' is there twice"),
    ],
)
def test_what_makes_no_sense_is_said_with_its_line(entry, said):
    with pytest.raises(ConfigurationError) as refused:
        read(f"deployments:\n- name: one\n{entry}\n")

    assert said in str(refused.value)
    assert str(refused.value).startswith("prefect.yaml, line ")


def test_all_problems_are_said_at_once():
    with pytest.raises(ConfigurationError) as refused:
        read("colour: red\ndeployments:\n- {name: one, foo: 1}\n- {paused: 3}\n- 7\n")

    lines = str(refused.value).splitlines()
    assert len(lines) == 4
    assert "line 1, colour" in lines[0] and "deployment 'one', foo" in lines[1]
    assert "deployment 2, paused" in lines[2] and "unlike 7" in lines[3]


@pytest.mark.parametrize("text", ["a: [", "- 1", "a: &x [*x]", "\x00"])
def test_what_is_no_such_file_is_refused(text):
    with pytest.raises(ConfigurationError, match=r"prefect\.yaml"):
        read(text)


def test_placeholders_may_stand_anywhere():
    (entry,) = read(
        "deployments:\n- name: one\n  paused: '{{ prefect.variables.rests }}'\n"
        "  schedules: '{{ prefect.variables.when }}'\n  concurrency_limit: '{{ $N }}'\n"
    ).entries

    assert entry.fields["paused"] == "{{ prefect.variables.rests }}"


NAMED = """
deployments:
- {name: one, entrypoint: 'flows.py:load'}
- {name: one-b, entrypoint: 'flows.py:load'}
- {name: two, entrypoint: 'flows.py:other'}
- {entrypoint: 'flows.py:load'}
"""


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([], ["one", "one-b", "two"]),
        (["one"], ["one"]),
        (["one*"], ["one", "one-b"]),
        (["*"], ["one", "one-b", "two"]),
        (["the-load/*"], ["one", "one-b"]),
        (["load/one"], ["one"]),
        (["*/two", "one"], ["two", "one"]),
        (["two", "t*"], ["two"]),
    ],
)
def test_deployments_are_chosen_by_name(names, found):
    Path("flows.py").write_text(
        "from prefect import flow\n@flow(name='the-load')\ndef load(): ...\n@flow\ndef other(): ...\n"
    )

    assert [each.name for each in select(read(NAMED), names, None, all_=True)] == found


@pytest.mark.parametrize("name", ["three", "other/one", "on?", "[o]ne", "one/"])
def test_a_name_that_leads_to_none_is_refused(name):
    with pytest.raises(ConfigurationError, match="has no deployment"):
        select(read(NAMED), [name], None, all_=False)


def test_it_must_be_clear_which_are_meant():
    with pytest.raises(ConfigurationError, match=r"Which deployment.*'one', 'one-b', 'two'"):
        select(read(NAMED), [], None, all_=False)
    with pytest.raises(ConfigurationError, match="Which flow"):
        select(read_project(Path("nowhere.yaml")), [], None, all_=False)
    (only,) = select(read("deployments: [{name: x}]"), [], None, all_=False)
    assert only.name == "x"


def test_a_project_is_begun_once(tmp_path):
    assert initialize_project("mine") == [".prefectignore", "prefect.yaml"]
    before = Path("prefect.yaml").read_text()
    assert initialize_project("other") == []
    assert Path("prefect.yaml").read_text() == before

    written = yaml.safe_load(before)
    assert written["name"] == "mine"
    assert written["pull"] == [
        {"prefect.deployments.steps.set_working_directory": {"directory": str(tmp_path)}}
    ]
    assert read_project(Path("prefect.yaml")).entries[0].name is None


def test_recipes_need_what_they_need():
    with pytest.raises(ConfigurationError, match=r"needs tag .*--field tag="):
        initialize_project(recipe="docker", inputs={"image_name": "i"})
    with pytest.raises(ValueError, match="no recipe 'x'"):
        initialize_project(recipe="x")
    with pytest.raises(ValueError, match="no field 'y'"):
        initialize_project(recipe="local", inputs={"y": "1"})
    assert not Path("prefect.yaml").exists()

    initialize_project(recipe="docker", inputs={"image_name": "i", "tag": "v1"})
    (entry,) = read_project(Path("prefect.yaml")).entries
    assert entry.fields["work_pool"]["job_variables"] == {"image": "{{ build_image.image }}"}


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 10**20), st.floats(allow_nan=False), st.dates(),
    st.sampled_from(["", "* * * * *", "{{ x }}", "ENQUEUE", "flows.py:load", "FREQ=DAILY", "Europe/Paris"]),
    st.text(max_size=5),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(sorted({*OF_DEPLOYMENT, *FURTHER})) | st.text(max_size=3), inner, max_size=4
        )
    ),
    max_leaves=12,
)


# Hypothesis looks at all letters when it first makes text, which is slow where others use the machine.
@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.dictionaries(st.sampled_from(sorted(OF_PROJECT)), VALUES, max_size=3),
    st.lists(st.dictionaries(st.sampled_from(sorted(OF_DEPLOYMENT)), VALUES, max_size=6), max_size=2),
)
def test_any_file_is_read_or_refused(project, entries):
    try:
        read(yaml.safe_dump({**project, "deployments": entries}))
    except ConfigurationError as error:
        assert all(line.startswith("prefect.yaml") for line in str(error).splitlines() if ", line " in line)
