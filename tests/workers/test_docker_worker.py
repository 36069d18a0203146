"""`DockerWorker`, beside an engine that carries containers out as processes of this machine."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from prefect.exceptions import ConfigurationError, InfrastructureNotFound
from prefect.operations.flow_runs import set_flow_run_state
from prefect.schemas.objects import FlowRun
from prefect.schemas.states import State, StateType
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.workers.containers import as_seen_from_inside
from prefect.workers.docker import DockerWorker, DockerWorkerJobConfiguration, arguments_of
from prefect_docker import DockerWorker as TheSame

from .conftest import Place, _place
from .engine import FakeContainer, FakeEngine

pytest.importorskip("docker")
pytestmark = [pytest.mark.timeout(240), pytest.mark.processes, pytest.mark.embedded]

SCRIPT = """
import os, time
from prefect import flow
from prefect.runtime import deployment

@flow
def hello():
    print("i belong to", deployment.name, "and the colour is", os.environ.get("COLOUR"))

@flow
def sleeper():
    time.sleep(600)
"""


@pytest.fixture
def engine(tmp_path_factory, monkeypatch) -> Iterator[FakeEngine]:
    # The path of a socket must be short.
    with FakeEngine(Path(tmp_path_factory.mktemp("e")) / "s") as made:
        monkeypatch.setenv("DOCKER_HOST", made.url)
        yield made


@pytest.fixture
def served(tmp_path, engine) -> Iterator[Place]:
    (tmp_path / "script.py").write_text(SCRIPT)
    with _place(tmp_path, on_server=True) as place:
        place.env["DOCKER_HOST"] = engine.url
        place.pool(type="docker")
        yield place


def only(engine: FakeEngine) -> FakeContainer:
    (container,) = engine.containers.values()
    return container


def test_a_run_is_carried_out_in_a_container(served, engine):
    variables = {"image": "flows:1", "env": {"COLOUR": "röt", "PYTHONUTF8": "1"}, "mem_limit": "64m"}
    run = served.run_of(served.deploy(job_variables=variables), name="My run!")

    with served.working("worker", "start", "--pool", "here", "--name", "w1"):
        ended = served.end_of(run)
        served.wait_for(lambda: "i belong to daily and the colour is röt" in served.printed)

    assert ended.state_name == "Completed", served.printed
    made = only(engine)
    assert made.name == "My-run"
    assert made.made_with["Labels"]["prefect.io/flow-run-id"] == str(run.id)
    assert made.made_with["Cmd"] == ["prefect", "flow-run", "execute"]
    assert made.made_with["HostConfig"]["Memory"] == 64 * 1024 * 1024
    assert made.made_with["HostConfig"]["NetworkMode"] == "host"
    assert ended.infrastructure_pid.endswith(":000000000001")
    assert engine.pulled == []
    assert not any(name.startswith(("PREFECT_HOME", "PREFECT_WORKER")) for name in made.env)


def test_a_run_that_is_cancelled_has_its_container_stopped(served, engine):
    run = served.run_of(served.deploy("sleeper", job_variables={"image": "flows:1"}))

    with served.working("worker", "start", "--pool", "here"):
        served.until(run, lambda found: found.state_name == "Running" and found.infrastructure_pid)
        served.client.call(set_flow_run_state, run.id, State(type=StateType.CANCELLING))
        assert served.end_of(run).state_name == "Cancelled"


def job(**fields: Any) -> DockerWorkerJobConfiguration:
    made = {"image": "flows:1", "command": f"{sys.executable} -c pass", "name": "job", **fields}
    return DockerWorkerJobConfiguration(**made)


def carry_out(run: FlowRun, configuration: DockerWorkerJobConfiguration, *, cancelled: bool = False) -> Any:
    async def main() -> Any:
        async with DockerWorker("here") as worker:
            task = asyncio.create_task(worker.run(run, configuration))
            if cancelled:
                await asyncio.sleep(0)
                task.cancel()
            return await task

    return asyncio.run(main())


@pytest.fixture
def run(served) -> FlowRun:
    return served.run_of(served.deploy())


def test_a_container_joins_its_networks(run, engine):
    assert carry_out(run, job(networks=["a", "b"], volumes=["/data:/data:ro"])).status_code == 0

    made = only(engine).made_with
    assert made["HostConfig"]["NetworkMode"] == "a"
    assert made["HostConfig"]["Binds"] == ["/data:/data:ro"]
    assert engine.joined == [("b", "000000000001")]


def test_how_a_container_ends_is_told(run, engine):
    fails = job(command=f"{sys.executable} -c 'import sys; sys.exit(3)'", stream_output=False)

    assert carry_out(run, job()).status_code == 0
    assert carry_out(run, fails).status_code == 3
    assert [one.name for one in engine.containers.values()] == ["job", "job-1"]


def test_a_container_that_takes_too_much_memory_says_so(served, run, engine):
    from prefect.operations.logs import read_logs
    from prefect.recorder import get_recorder
    from prefect.schemas.queries import LogQuery

    engine.out_of_memory = True
    command = f"{sys.executable} -c 'import os; os.kill(os.getpid(), 9)'"

    assert carry_out(run, job(command=command, mem_limit="64m")).status_code == 137
    get_recorder().flush()
    messages = [log.message for log in served.client.call(read_logs, LogQuery())]
    assert any("limit of 64m" in message for message in messages)


@pytest.mark.parametrize(
    ("fields", "pulled"),
    [
        ({"image": "flows:1"}, []),
        ({"image": "flows:2"}, ["flows:2"]),
        ({"image": "flows:1", "image_pull_policy": "Always"}, ["flows:1"]),
        ({"image": "flows"}, ["flows:latest"]),
    ],
    ids=["there", "not there", "always", "latest"],
)
def test_images_are_fetched_as_asked(run, engine, fields, pulled):
    engine.images.add("flows")
    carry_out(run, job(**fields))

    assert engine.pulled == pulled


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"image": "missing:1"}, "cannot be fetched"),
        ({"image": "unknown:1", "image_pull_policy": "Never"}, "There is no image unknown:1"),
        ({"command": "not-there"}, "cannot be started"),
    ],
    ids=["no such image", "never fetched", "no such command"],
)
def test_what_keeps_a_container_from_running_is_said(run, engine, fields, said):
    with pytest.raises(RuntimeError, match=said):
        carry_out(run, job(**fields))
    assert all(one.is_removed for one in engine.containers.values())


def test_a_job_that_is_cancelled_before_it_begins_leaves_no_container(run, engine):
    with suppress(asyncio.CancelledError):
        carry_out(run, job(), cancelled=True)

    assert all(one.is_removed for one in engine.containers.values())


def test_a_container_is_ended_by_its_name(served, engine):
    async def main() -> None:
        worker = DockerWorker("here")
        with pytest.raises(InfrastructureNotFound, match="no container"):
            await worker.kill_infrastructure("engine:nope", job(), 1)

    asyncio.run(main())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_what_is_missing_is_said_at_the_start(served, engine, monkeypatch):
    async def start() -> None:
        await DockerWorker("here").setup()

    with (
        temporary_settings({PREFECT_API_URL: None}),
        pytest.raises(ConfigurationError, match="PREFECT_API_URL"),
    ):
        asyncio.run(start())
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/at/all")
    with pytest.raises(ConfigurationError, match="No Docker engine answers"):
        asyncio.run(start())
    gc.collect()  # the package leaves a socket behind that it could not connect
    monkeypatch.setitem(sys.modules, "docker", None)
    with pytest.raises(ConfigurationError, match=r"proconsul\[docker\]"):
        asyncio.run(start())


def test_a_job_without_an_image_is_refused(served, engine):
    run = served.run_of(served.deploy())

    with served.working("worker", "start", "--pool", "here"):
        ended = served.end_of(run)

    assert (ended.state_name, "names no image" in ended.state.message) == ("Crashed", True)


@pytest.mark.parametrize(
    ("url", "networks", "mode", "seen"),
    [
        ("http://1.2.3.4:4200/api", [], None, ("http://1.2.3.4:4200/api", None, {})),
        ("http://127.0.0.1:4200/api", [], None, ("http://127.0.0.1:4200/api", "host", {})),
        (
            "http://u:p@localhost:4200/api",
            ["net"],
            None,
            ("http://u:p@host.docker.internal:4200/api", None, {"host.docker.internal": "host-gateway"}),
        ),
    ],
    ids=["elsewhere", "here", "here, in a network"],
)
@pytest.mark.skipif(
    sys.platform != "linux", reason="containers of other systems are in a machine of their own"
)
def test_the_server_is_reached_from_inside(url, networks, mode, seen):
    env, network_mode, hosts = as_seen_from_inside({"PREFECT_API_URL": url, "A": None}, networks, mode)

    assert (env, network_mode, hosts) == ({"PREFECT_API_URL": seen[0]}, *seen[1:])


def test_further_arguments_are_the_engines():
    given, others = arguments_of(job(container_create_kwargs={"shm_size": "1g"}, networks=["a", "b", "c"]))

    assert (given["shm_size"], given["network"], others) == ("1g", "a", ["b", "c"])
    assert json.dumps(given)


def test_it_is_known_by_its_other_name():
    assert TheSame is DockerWorker
    assert DockerWorker.get_worker_class_from_type("docker") is DockerWorker
