"""`prefect deploy`, `prefect init` and `prefect flow serve`."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from databases import postgres_schema
from prefect.blocks.system import Secret
from prefect.client.current import get_caller
from prefect.operations.automations import read_automations_related_to
from prefect.operations.deployment_runs import create_flow_run_from_deployment
from prefect.operations.deployments import read_deployment_by_name
from prefect.operations.flow_runs import read_flow_run, read_flow_runs
from prefect.schemas.deployments import DeploymentFlowRunCreate
from prefect.schemas.queries import FlowRunQuery
from prefect.settings.context import refresh_settings

pytestmark = pytest.mark.processes

FLOWS = """
from pathlib import Path
from prefect import flow

print("what a script prints is nobody else's")

@flow(name="the-load", description="Loads.", tags=["of-flow"], version="7")
def load(day: str, times: int = 1):
    Path("ran").write_text(day)

@flow
def clean(): ...
"""
PROJECT = """
name: mine
pull:
- prefect.deployments.steps.set_working_directory:
    directory: "{{ $PWD_OF_TEST }}"
deployments:
- &daily
  name: daily
  entrypoint: flows.py:load
  tags: [own]
  parameters: {day: monday}
  schedules:
  - {cron: "0 6 * * *", timezone: Europe/Berlin, slug: morning, parameters: {times: 2}}
  - {interval: 3600}
  concurrency_limit: {limit: 2, collision_strategy: CANCEL_NEW}
  work_pool: {name: here, job_variables: {env: {TOKEN: "{{ prefect.blocks.secret.token }}"}}}
- <<: *daily
  name: weekly
  schedules: []
"""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def project(request, home, monkeypatch, prefect):
    """A project with a `prefect.yaml`, and a work pool."""
    if request.param == "postgresql":
        schema = postgres_schema()
        monkeypatch.setenv("PREFECT_API_DATABASE_CONNECTION_URL", schema.__enter__())
        request.addfinalizer(lambda: schema.__exit__(None, None, None))
    monkeypatch.setenv("PWD_OF_TEST", str(Path.cwd()))
    write(PROJECT)
    Path("flows.py").write_text(FLOWS)
    prefect("work-pool", "create", "here", "--type", "process")
    return Path.cwd()


@pytest.fixture
def small(home, prefect):
    """A folder with flows and a work pool, and no `prefect.yaml`."""
    Path("flows.py").write_text(FLOWS)
    prefect("work-pool", "create", "here", "--type", "process")
    return Path.cwd()


def write(text: str) -> None:
    Path("prefect.yaml").write_text(text)


def read(name: str, flow: str = "the-load"):
    return get_caller().call(read_deployment_by_name, flow, name)


def test_what_is_deployed_is_what_the_file_says_and_a_second_deploy_changes_nothing(project, prefect):
    first = prefect("deploy", "--all")

    assert "the-load/daily: created\nthe-load/weekly: created\n" in first.out
    assert "prefect worker start --pool 'here'" in first.out
    daily = read("daily")
    assert (daily.description, daily.version, daily.tags) == ("Loads.", "7", ["of-flow", "own"])
    assert daily.parameters == {"day": "monday"}
    assert daily.parameter_openapi_schema["required"] == ["day"]
    assert daily.global_concurrency_limit.limit == 2
    assert daily.concurrency_options.collision_strategy == "CANCEL_NEW"
    assert daily.pull_steps == [
        {"prefect.deployments.steps.set_working_directory": {"directory": str(project)}}
    ]
    # A deployment shows no secrets: workers put them in.
    assert daily.job_variables == {"env": {"TOKEN": "{{ prefect.blocks.secret.token }}"}}
    assert [each.slug for each in daily.schedules if each.slug] == ["morning"]
    listed = prefect("deployment", "schedule", "ls", "the-load/daily").out
    assert "morning" in listed and '{"times":2}' in listed
    assert not Path("ran").exists()

    assert "the-load/daily: unchanged\nthe-load/weekly: unchanged\n" in prefect("deploy", "--all").out
    again = read("daily")
    assert again == daily


def test_a_change_keeps_schedules_and_runs(project, prefect):
    prefect("deploy", "--all")
    before = read("daily")
    late = get_caller().call(create_flow_run_from_deployment, before.id, DeploymentFlowRunCreate())
    write(PROJECT.replace("0 6", "0 7").replace("times: 2", "times: 3").replace("[own]", "[own, more]"))

    assert "the-load/daily: changed: tags, schedules\n" in prefect("deploy", "-n", "daily").out

    after = read("daily")
    assert {each.id for each in after.schedules} == {each.id for each in before.schedules}
    assert [each.schedule.cron for each in after.schedules if each.slug] == ["0 7 * * *"]
    assert get_caller().call(read_flow_run, late.id).state_name == "Scheduled"
    assert read("weekly").tags == ["of-flow", "own"]


def test_options_go_before_the_file(project, prefect):
    prefect(
        "--no-prompt", "deploy", "--name", "the-load/daily", "--tag", "x", "--param", "times=4",
        "--params", '{"day": "friday"}', "--version", "8", "--version-type", "simple", "-d", "other",
        "--interval", "60", "--interval-anchor", "2024-01-01", "--rrule", "FREQ=DAILY",
        "--timezone", "Asia/Tokyo",
        "-jv", "working_dir=/tmp", "-jv", '{"stream_output": false}', "-jv", "capture_output=true",
        "-q", "fast", "--concurrency-limit", "5",
        "--no-enforce-parameter-schema",
    )  # fmt: skip

    daily = read("daily")
    assert (daily.tags, daily.version, daily.description) == (["of-flow", "x"], "8", "other")
    assert daily.parameters == {"day": "friday", "times": 4}
    assert sorted(type(each.schedule).__name__ for each in daily.schedules) == [
        "IntervalSchedule",
        "RRuleSchedule",
    ]
    assert {each.schedule.timezone for each in daily.schedules} == {"Asia/Tokyo"}
    assert daily.job_variables["working_dir"] == "/tmp"
    assert daily.job_variables["stream_output"] is False
    assert daily.job_variables["capture_output"] is True
    assert "TOKEN" in daily.job_variables["env"]
    assert (daily.work_queue_name, daily.global_concurrency_limit.limit) == ("fast", 5)
    assert daily.enforce_parameter_schema is False


def test_check_finds_all_that_is_wrong_and_changes_nothing(project, prefect):
    assert prefect("deploy", "--all", "--check").out == (
        "the-load/daily: nothing is wrong\nthe-load/weekly: nothing is wrong\n"
    )
    write(
        PROJECT.replace("times: 2", "times: two").replace("{day: monday}", "{dya: monday}")
        + "- {name: a, entrypoint: 'flows.py:gone', work_pool: {name: here}}\n"
        "- {name: b, entrypoint: 'flows.py:clean', work_pool: {name: nowhere}}\n"
        "- {name: c, entrypoint: 'flows.py:clean', work_pool: {name: here, job_variables: {env: 3}}}\n"
        "- {name: d, work_pool: {name: here}}\n"
        "- {name: e, entrypoint: 'flows.py:clean', pull: [{x.y: {}}], work_pool: {name: here}}\n"
        "- {name: f, entrypoint: 'flows.py:clean', flow_name: other, work_pool: {name: here}}\n"
        "- {name: g, entrypoint: 'flows.py:clean', description: '{{ nothing }}', work_pool: {name: here}}\n"
    )

    said = prefect("deploy", "--all", "--check", code=1).err

    for problem in (
        "the-load/daily: parameters: the flow has no parameter 'dya'. It has day, times",
        "the-load/daily: schedules[morning].parameters: times: 'two' is not of type 'integer'",
        "the-load/weekly: parameters: the flow has no parameter 'dya'",
        "a: entrypoint: 'flows.py' has no flow 'gone'. Its flows are clean, load.",
        "clean/b: there is no work pool 'nowhere'. Make it: prefect work-pool create 'nowhere'",
        "clean/c: work_pool.job_variables: env: 3 is not of type 'object'",
        "d: it needs an entrypoint",
        "e: entrypoint: The code cannot be got: There is no step 'x.y' here",
        "f: flow_name: the flow there is called 'clean'",
        "description: nothing gives {{ nothing }} a value",
    ):
        assert problem in said
    assert prefect("deploy", "--all", code=1).err.endswith("Nothing was deployed.\n")
    assert prefect("deployment", "ls", "-o", "json").json() == []
    assert not Path("ran").exists()


def test_check_looks_where_workers_look(small, prefect, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    write(
        "deployments:\n- name: a\n  entrypoint: flows.py:clean\n  work_pool: {name: here}\n"
        f"  pull:\n  - prefect.deployments.steps.run_shell_script: {{script: touch {small}/touched}}\n"
        f"  - prefect.deployments.steps.set_working_directory: {{directory: {tmp_path}/elsewhere}}\n"
    )

    said = prefect("deploy", "--check", code=1).err

    assert "There is no file 'flows.py'" in said
    assert "The step prefect.deployments.steps.run_shell_script was not run." in said
    (tmp_path / "elsewhere" / "flows.py").write_text(FLOWS)
    assert prefect("deploy", "--check").out == "clean/a: nothing is wrong\n"
    assert not (small / "touched").exists()


def test_build_steps_give_values_and_are_run_once(small, prefect):
    step = f"{sys.executable} -c \"open('built', 'a').write('.'); print('v' + '9')\""
    write(
        "build:\n- prefect.deployments.steps.run_shell_script:\n    id: tag\n"
        f"    script: |\n      {step}\n"
        "pull:\n- prefect.deployments.steps.git_clone:\n    repository: https://example.com/a.git\n"
        "    branch: '{{ tag.stdout }}'\n    access_token: '{{ prefect.blocks.secret.token }}'\n"
        "deployments:\n"
        "- &a {name: a, version: '{{ tag.stdout }}', entrypoint: 'flows.py:clean', work_pool: {name: here}}\n"
        "- {<<: *a, name: b}\n- {<<: *a, name: c, build: []}\n"
    )

    assert "nothing gives {{ tag.stdout }} a value" in prefect("deploy", "--all", code=1).err
    prefect("deploy", "-n", "a", "-n", "b")

    assert Path("built").read_text() == "."
    assert read("b", "clean").version == "v9"
    assert read("a", "clean").pull_steps[0]["prefect.deployments.steps.git_clone"] == {
        "repository": "https://example.com/a.git",
        "branch": "v9",
        "access_token": "{{ prefect.blocks.secret.token }}",
    }


def test_no_flow_is_run_by_deploying_it(small, prefect):
    Path("eager.py").write_text("from flows import load\nload('now')\n")
    Path("ends.py").write_text("from flows import clean\nraise SystemExit(3)\n")
    words = ("-n", "a", "-p", "here")

    said = prefect("deploy", "eager.py:load", *words, code=1).err
    assert "The script runs flow 'the-load' when it is loaded" in said
    assert (
        "ends the process when it is loaded (exit code 3)"
        in prefect("deploy", "ends.py:x", *words, code=1).err
    )
    assert not Path("ran").exists()
    assert get_caller().call(read_flow_runs, FlowRunQuery()) == []


def test_a_flow_whose_modules_are_not_here_is_read(small, prefect):
    Path("remote.py").write_text(
        "import not_here_at_all\nfrom prefect import flow\n"
        "@flow(name='far')\ndef work(x: int, y: not_here_at_all.T = None): 'Works.'\n"
    )

    done = prefect("deploy", "remote.py:work", "-n", "a", "-p", "here", "--param", "x=1")

    assert "No module named 'not_here_at_all'" in done.err
    far = read("a", "far")
    assert far.description == "Works."
    assert far.parameter_openapi_schema["properties"]["x"]["type"] == "integer"
    assert (
        "No module named"
        in prefect("deploy", "remote.py:work", "-n", "a", "-p", "here", "--check", code=1).err
    )


def test_what_is_missing_is_said(small, prefect):
    assert "needs a work pool" in prefect("deploy", "flows.py:clean", "-n", "a", code=1).err
    assert "needs a name" in prefect("deploy", "flows.py:clean", "-p", "here", code=1).err
    assert "Which flow" in prefect("deploy", code=1).err
    assert "no prefect.yaml here" in prefect("deploy", "--all", code=1).err
    assert "no file 'no.py'" in prefect("deploy", "no.py:x", "-n", "a", "-p", "here", code=1).err
    assert "--anchor-date goes with" in prefect("deploy", "--anchor-date", "2024-01-01", code=1).err
    assert "--timezone goes with" in prefect("deploy", "--timezone", "UTC", code=1).err
    assert "--param needs KEY=VALUE" in prefect("deploy", "--param", "x", code=1).err
    assert "--trigger needs JSON" in prefect("deploy", "--trigger", "x", code=1).err


def test_triggers_become_automations_once(small, prefect):
    words = ("deploy", "flows.py:clean", "-n", "a", "-p", "here")
    trigger = '{"expect": ["order.shipped"], "match": {"prefect.resource.id": "shop.*"}}'
    prefect(*words, "--trigger", trigger)
    owner = f"prefect.deployment.{read('a', 'clean').id}"
    (made,) = get_caller().call(read_automations_related_to, owner)

    assert (made.name, made.trigger.expect) == ("a__automation_1", ["order.shipped"])
    assert made.actions[0].deployment_id == read("a", "clean").id
    assert "clean/a: unchanged" in prefect(*words, "--trigger", trigger).out
    assert get_caller().call(read_automations_related_to, owner) == [made]
    assert "changed: triggers" in prefect(*words, "--trigger", trigger.replace("shipped", "lost")).out
    assert "clean/a: unchanged" in prefect(*words).out


def test_deployed_for_programs(small, prefect):
    done = prefect("deploy", "flows.py:clean", "-n", "a", "-p", "here", "-o", "json").json()

    assert [(each["name"], each["status"]) for each in done] == [("clean/a", "created")]


def test_init_writes_what_deploy_reads(small, prefect):
    assert "Wrote .prefectignore and prefect.yaml" in prefect("init", "--recipe", "local").out
    assert "nothing was written" in prefect("init").out
    assert "no recipe 'x'" in prefect("init", "--recipe", "x", code=1).err
    text = Path("prefect.yaml").read_text()
    write(
        text.replace("- name: null", "- name: a", 1).replace("entrypoint: null", "entrypoint: flows.py:clean")
    )

    assert "clean/a: created" in prefect("deploy", "-p", "here").out


def test_a_file_that_is_named_must_be_there(small, prefect):
    assert "no file 'other.yaml'" in prefect("deploy", "--prefect-file", "other.yaml", "--all", code=1).err


def test_flow_serve_needs_what_it_needs(small, prefect):
    assert "--limit" in prefect("flow", "serve", "flows.py:clean", "-n", "a", "--limit", "0", code=1).err
    assert "--name" in prefect("flow", "serve", "flows.py:clean", code=1).err
    assert "no schedule" in prefect("flow", "serve", "flows.py:clean", "-n", "a", "--cron", "x", code=1).err
    assert "no file" in prefect("flow", "serve", "no.py:clean", "-n", "a", code=1).err


def test_flow_serve_serves_until_it_is_told_to_end(small, prefect, home):
    command = [sys.executable, "-m", "prefect.cli", "flow", "serve", "flows.py:clean", "-n", "served"]
    options = ["--interval", "3600", "--interval-anchor", "2024-01-01", "-t", "t", "--global-limit", "2"]
    process = subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert process.stdout is not None
        while "Serving clean/served" not in (line := process.stdout.readline()):
            assert line
        served = read("served", "clean")
    finally:
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=45)

    assert (served.tags, served.global_concurrency_limit.limit) == (["t"], 2)
    refresh_settings()
    deadline = time.monotonic() + 45
    while not read("served", "clean").paused:
        assert time.monotonic() < deadline, said
    assert not re.search("Traceback", said)


def test_a_worker_gets_the_code_by_steps_that_refer_to_secrets(small, prefect, tmp_path):
    origin = tmp_path / "origin"
    origin.mkdir()
    (origin / "flows.py").write_text(FLOWS.replace('Path("ran")', 'Path(__file__).with_name("ran")'))
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.com"]
    for words in (["init", "-q", "-b", "main"], ["add", "."], [*identity, "commit", "-qm", "first"]):
        subprocess.run(["git", *words], cwd=origin, check=True, capture_output=True)
    prefect("variable", "set", "branch", "main")
    Secret(value="s3cret").save("token")
    write(
        "pull:\n- prefect.deployments.steps.git_clone:\n    id: clone\n"
        f"    repository: file://{origin}\n    branch: '{{{{ prefect.variables.branch }}}}'\n"
        "    access_token: '{{ prefect.blocks.secret.token }}'\n"
        "    clone_directory_name: code\n"
        "- prefect.deployments.steps.run_shell_script:\n"
        f"    script: cp -r . {tmp_path}/copied\n    directory: '{{{{ clone.directory }}}}'\n"
        f"- prefect.deployments.steps.set_working_directory:\n    directory: {tmp_path}/copied\n"
        "deployments:\n- {name: a, entrypoint: 'flows.py:load', work_pool: {name: here}}\n"
    )
    # The last step needs what the one before it makes, which a check does not run.
    assert "no folder" in prefect("deploy", "--check", code=1).err
    prefect("deploy")
    assert "s3cret" not in prefect("deployment", "inspect", "the-load/a", "-o", "json").out
    made = prefect("deployment", "run", "the-load/a", "-p", "day=friday", "-o", "json").json()

    prefect("worker", "start", "--pool", "here", "--run-once")

    assert prefect("flow-run", "inspect", made["id"], "-o", "json").json()["state_name"] == "Completed"
    assert (tmp_path / "copied" / "ran").read_text() == "friday"
