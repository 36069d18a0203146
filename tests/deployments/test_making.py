"""Deployments that are made in code."""

from __future__ import annotations

import asyncio
import subprocess
from datetime import timedelta
from uuid import UUID

import pytest

from prefect import deploy, flow
from prefect.client.current import get_caller
from prefect.deployments import arun_deployment
from prefect.deployments.runner import EntrypointType, RunnerDeployment
from prefect.deployments.schedules import normalize_to_deployment_schedule
from prefect.exceptions import InvalidNameError, MissingFlowError, ObjectNotFound
from prefect.flows import Flow
from prefect.operations.deployments import read_deployment
from prefect.operations.work_pools import create_work_pool
from prefect.runner.storage import GitRepository, LocalStorage
from prefect.schedules import Cron, Interval
from prefect.schemas.deployments import ConcurrencyLimitConfig
from prefect.schemas.work_pools import WorkPoolCreate
from prefect.testing import prefect_test_harness


@flow(description="Loads.", version="3", tags=["of-flow"])
def load(day: str, times: int = 1) -> None:
    """Load."""


@pytest.fixture(autouse=True)
def _store():
    with prefect_test_harness():
        yield


def read(deployment_id: UUID):
    return get_caller().call(read_deployment, deployment_id)


def pool(name: str = "pool"):
    get_caller().call(create_work_pool, WorkPoolCreate(name=name, type="process"))


def test_a_deployment_is_what_its_flow_and_options_say():
    made = load.to_deployment(
        "daily",
        cron=["0 1 * * *", "0 2 * * *"],
        parameters={"day": "monday"},
        tags=["own"],
        concurrency_limit=ConcurrencyLimitConfig(limit=2, collision_strategy="CANCEL_NEW"),
        job_variables={"env": {"A": "1"}},
    )

    found = read(made.apply())

    assert made.full_name == "load/daily"
    assert (found.name, found.version, found.description) == ("daily", "3", "Loads.")
    assert found.tags == ["of-flow", "own"]
    assert sorted(each.schedule.cron for each in found.schedules) == ["0 1 * * *", "0 2 * * *"]
    assert found.parameters == {"day": "monday"}
    assert found.parameter_openapi_schema["required"] == ["day"]
    assert found.entrypoint.endswith("test_making.py:load")
    assert found.global_concurrency_limit.limit == 2
    assert found.concurrency_options.collision_strategy == "CANCEL_NEW"
    assert found.job_variables == {"env": {"A": "1"}}
    assert found.paused is False


def test_a_second_deploy_changes_the_first():
    first = load.to_deployment("daily", interval=60, parameters={"day": "a"}).apply()
    second = load.to_deployment("daily", schedule=Cron("0 1 * * *"), paused=True).apply()

    found = read(second)

    assert first == second
    assert (len(found.schedules), found.parameters, found.paused) == (1, {}, True)


def test_asynchronous_code_awaits():
    async def main():
        made = await load.to_deployment("one")
        await made.apply()
        assert (await load.ato_deployment("two")).name == "two"
        return await arun_deployment("load/one", parameters={"day": "x"}, timeout=0)

    assert asyncio.run(main()).state_name == "Scheduled"


@pytest.mark.parametrize(
    "options",
    [{"interval": 1, "cron": "* * * * *"}, {"schedules": [object()]}, {"cron": "no cron"}],
)
def test_schedules_that_do_not_fit_are_refused(options):
    with pytest.raises((ValueError, TypeError)):
        load.to_deployment("daily", **options)


def test_schedules_come_in_many_forms():
    found = normalize_to_deployment_schedule(
        [Interval(60, slug="a"), {"cron": "0 1 * * *", "active": False}, {"schedule": {"interval": 5.0}}]
    )

    assert [each.active for each in found] == [True, False, True]
    assert found[0].slug == "a"
    assert found[2].schedule.interval == timedelta(seconds=5)


def test_names_and_options_are_checked():
    with pytest.raises(InvalidNameError):
        load.to_deployment("a/b")
    with pytest.raises(TypeError, match="no option"):
        load.to_deployment("a", colour="red")
    with pytest.raises(ValueError, match="inside a function"):
        flow(lambda: None).to_deployment("a")


def test_a_module_can_be_the_entrypoint():
    made = load.to_deployment("a", entrypoint_type=EntrypointType.MODULE_PATH)

    assert made.entrypoint == f"{__name__}.load"


def test_deploy_sends_to_a_pool(tmp_path):
    pool()
    (made,) = deploy(load.to_deployment("one"), work_pool_name="pool")

    found = read(made)

    assert (found.work_pool_name, found.path) == ("pool", None)
    (step,) = found.pull_steps
    assert "directory" in step["prefect.deployments.steps.set_working_directory"]
    assert read(load.deploy("two", "pool", image="there:1", build=False)).job_variables == {
        "image": "there:1"
    }


def test_deploy_says_what_is_missing():
    with pytest.raises(ValueError, match="needs a work pool"):
        load.deploy("one")
    with pytest.raises(ObjectNotFound, match="prefect work-pool create 'nowhere'"):
        load.deploy("one", work_pool_name="nowhere")
    with pytest.raises(ValueError, match="build=False"):
        load.deploy("one", work_pool_name="nowhere", image="x")


SCRIPT = "from prefect import flow\n@flow\ndef f(x: int = 1): ...\n"


def test_code_in_a_folder(tmp_path):
    (tmp_path / "there.py").write_text(SCRIPT)
    pool()

    found = read(Flow.from_source(str(tmp_path), "there.py:f").deploy("one", "pool"))

    assert found.entrypoint == "there.py:f"
    assert found.pull_steps == [
        {"prefect.deployments.steps.set_working_directory": {"directory": str(tmp_path)}}
    ]
    with pytest.raises(MissingFlowError):
        Flow.from_source(tmp_path, "there.py:g")
    with pytest.raises(FileNotFoundError, match="no folder"):
        Flow.from_source(tmp_path / "missing", "there.py:f")


@pytest.fixture
def repository(tmp_path):
    place = tmp_path / "code.git"
    place.mkdir()

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=n", "-c", "user.email=e@example.com"]
        subprocess.run(["git", *identity, *arguments], cwd=place, check=True, capture_output=True)

    git("init", "--quiet", "--initial-branch", "main")
    (place / "there.py").write_text(SCRIPT)
    git("add", ".")
    git("commit", "--quiet", "-m", "first")
    git("checkout", "--quiet", "-b", "other")
    (place / "there.py").write_text(SCRIPT.replace("def f", "def g"))
    git("commit", "--quiet", "-am", "second")
    git("checkout", "--quiet", "main")
    return place


@pytest.mark.timeout(200)  # git and Python are started several times, which takes a busy machine long
def test_code_in_a_git_repository(repository):
    pool()
    url = f"file://{repository}"

    found = read(Flow.from_source(url, "there.py:f").deploy("one", "pool"))
    other = Flow.from_source(GitRepository(url, branch="other"), "there.py:g")

    assert found.pull_steps == [{"prefect.deployments.steps.git_clone": {"repository": url}}]
    assert other.name == "g"


def test_new_commits_are_got(repository, tmp_path):
    storage = GitRepository(f"file://{repository}")
    storage.set_base_path(tmp_path / "clones")
    asyncio.run(storage.pull_code())
    (repository / "new.txt").write_text("new")
    for words in (["add", "."], ["-c", "user.name=n", "-c", "user.email=e", "commit", "-qm", "more"]):
        subprocess.run(["git", *words], cwd=repository, check=True)
    asyncio.run(storage.pull_code())

    assert (storage.destination / "new.txt").read_text() == "new"


@pytest.mark.parametrize(
    "arguments",
    [
        {"url": "--upload-pack=touch x"},
        {"url": "ext::sh -c touch% x"},
        {"url": "https://example.com/a.git", "branch": "--output=x"},
        {"url": "https://example.com/a.git", "commit_sha": "-x"},
        {"url": "https://example.com/a.git", "commit_sha": "a", "branch": "b"},
    ],
)
def test_no_argument_becomes_an_option_of_git(arguments):
    with pytest.raises(ValueError):
        GitRepository(**arguments)


def test_credentials_are_never_shown(tmp_path):
    storage = GitRepository("https://127.0.0.1:1/a.git", credentials={"access_token": "s3cret"})
    storage.set_base_path(tmp_path)

    with pytest.raises(RuntimeError) as failure:
        asyncio.run(storage.pull_code())
    assert "s3cret" not in str(failure.value)
    assert "s3cret" not in repr(storage)
    with pytest.raises(ValueError, match="show the credentials"):
        storage.to_pull_step()


def test_local_storages_of_one_folder_are_equal(tmp_path):
    assert LocalStorage(tmp_path) == LocalStorage(str(tmp_path))


def test_an_entrypoint_is_enough(tmp_path, monkeypatch):
    (tmp_path / "there.py").write_text(SCRIPT)
    monkeypatch.chdir(tmp_path)

    made = RunnerDeployment.from_entrypoint("there.py:f", "one")

    assert (made.flow_name, made.entrypoint) == ("f", "there.py:f")


def test_a_flow_from_elsewhere_is_got_by_the_decorator_too(tmp_path):
    (tmp_path / "etl.py").write_text("from prefect import flow\n@flow\ndef etl(x: int): ...\n")
    pool()

    there = flow.from_source(source=tmp_path, entrypoint="etl.py:etl")

    assert read(there.deploy("there", "pool")).entrypoint == "etl.py:etl"
    assert asyncio.run(flow.afrom_source(tmp_path, "etl.py:etl")).name == "etl"
