"""A fleet in small: hosts that share nothing but a network, of which some die; the record is complete.

A server on PostgreSQL, two workers of a pool, a Dask scheduler with two workers: each has a host of its own.
PROCONSUL_NO_NAMESPACES=1 has hosts be mere groups of processes.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from databases import POSTGRES_URL, postgres_schema
from prefect.client.local import LocalClient
from prefect.operations.flow_runs import read_flow_run_states, read_flow_runs
from prefect.operations.logs import read_logs
from prefect.operations.task_runs import read_task_run_states, read_task_runs
from prefect.schemas.objects import FlowRun, Log, TaskRun
from prefect.schemas.queries import FlowRunQuery, LogQuery, TaskRunQuery
from prefect.store import make_store

from .hosts import Host, Network, network, postgres_socket, wait_until

pytestmark = [
    pytest.mark.timeout(420),
    pytest.mark.processes,
    pytest.mark.postgres,
    pytest.mark.embedded,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes of hosts by /proc"),
]

COUNT = 6
MESSAGES = [f"weighed {n} for fleet" for n in range(COUNT)] + ["begun", "added up", "it is 55"]
PASSWORD = "fleet:of ships"
# The host that is about to run the flow waits until it is told to go on, while its run is still Pending.
PROJECT = """
deployments:
- name: fleet
  entrypoint: fleet_flow.py:weighing
  parameters: {count: 6}
  work_pool: {name: fleet}
  pull:
  - prefect.deployments.steps.run_shell_script:
      script: sh {{ $FLEET_HARBOUR }}/wait.sh
  - prefect.deployments.steps.set_working_directory:
      directory: "{{ $FLEET_HARBOUR }}"
"""
WAIT = """
touch "$PREFECT_HOME/pulling"
until [ -e "$PREFECT_HOME/go" ]; do sleep 0.05; done
"""
QUICK = {
    "PREFECT_SERVER_SERVICES_REPOSSESSOR_LOOP_SECONDS": "1",
    "PREFECT_API_SERVICES_FOREMAN_LOOP_SECONDS": "5",
}


class Fleet:
    """The hosts of a fleet, started.

    Args:
        hosts: The network that they join.
        url: Of the database, as the server's host reaches it.
    """

    def __init__(self, hosts: Network, url: str) -> None:
        self.network = hosts
        self.ashore = hosts.host(
            "server",
            **QUICK,
            PREFECT_API_DATABASE_CONNECTION_URL=url,
            PREFECT_SERVER_API_AUTH_STRING=PASSWORD,
        )
        self._port = str(self.ashore.port())
        self.api = f"http://{self.ashore.address}:{self._port}/api"
        self.server = self.serve()
        self.scheduler = hosts.host("scheduler")
        dask_port = str(self.scheduler.port())
        self.scheduler.start(
            *("dask", "scheduler", "--host", self.scheduler.address, "--port", dask_port, "--no-dashboard")
        )
        address = f"tcp://{self.scheduler.address}:{dask_port}"
        self.oars = [self._sailor(f"oar-{n}") for n in range(2)]
        for oar in self.oars:
            oar.start(
                *("dask", "worker", address, "--host", oar.address, "--nthreads", "1", "--no-nanny"),
                *("--name", oar.name, "--no-dashboard"),
                PYTHONPATH=str(oar.folder),
            )
        self.ships = [self._sailor(f"ship-{n}", FLEET_SCHEDULER=address) for n in range(2)]
        self.desk = self._sailor("desk")
        (self.desk.folder / "prefect.yaml").write_text(PROJECT)

    def serve(self) -> subprocess.Popen[bytes]:
        """Start the server."""
        words = "server", "start", "--host", self.ashore.address, "--port", self._port
        return self.ashore.start("prefect.cli", *words)

    def deploy(self) -> None:
        """Have a run made that the workers are to carry out."""
        self.desk.run("prefect.cli", "work-pool", "create", "fleet", "--type", "process")
        self.desk.run("prefect.cli", "deploy", "--all")
        self.desk.run("prefect.cli", "deployment", "run", "weighing/fleet")
        for ship in self.ships:
            ship.start(
                *("prefect.cli", "worker", "start", "--pool", "fleet", "--name", ship.name),
                PREFECT_WORKER_QUERY_SECONDS="1",
            )

    def _sailor(self, name: str, **env: str) -> Host:
        """Add a host that talks to the server, and has the code of the flow."""
        host = self.network.host(name, **env, PREFECT_API_URL=self.api, PREFECT_API_AUTH_STRING=PASSWORD)
        host.give(FLEET_HARBOUR=str(host.folder))
        shutil.copy(Path(__file__).with_name("fleet_flow.py"), host.folder)
        (host.folder / "wait.sh").write_text(WAIT)
        return host


class Record:
    """What is stored, read from the database itself."""

    def __init__(self, client: LocalClient) -> None:
        self._client = client

    @property
    def run(self) -> FlowRun:
        (run,) = self._client.call(read_flow_runs, FlowRunQuery())
        return run

    @property
    def task_runs(self) -> list[TaskRun]:
        return self._client.call(read_task_runs, TaskRunQuery())

    @property
    def logs(self) -> list[Log]:
        return self._client.call(read_logs, LogQuery(limit=200))

    def states(self, run: TaskRun | FlowRun) -> list[str]:
        """The names of all states that a run was in."""
        if isinstance(run, FlowRun):
            return [str(state.name) for state in self._client.call(read_flow_run_states, run.id)]
        return [str(state.name) for state in self._client.call(read_task_run_states, run.id)]


@pytest.fixture
def database() -> Iterator[tuple[str, str]]:
    """The URL of a database, as this process reaches it, and as a host does."""
    parts = urlsplit(POSTGRES_URL)
    # Not in pytest's own folder: the path of a socket has little room.
    with (
        postgres_schema() as url,
        tempfile.TemporaryDirectory(prefix="fleet-") as folder,
        postgres_socket(Path(folder), parts.hostname or "127.0.0.1", parts.port or 5432),
    ):
        user = parts.netloc.rpartition("@")[0] or "root"
        there = parts._replace(netloc=f"{user}@", query=f"{urlsplit(url).query}&host={folder}&port=5432")
        yield url, there.geturl()


def holder(hosts: list[Host], file: str) -> list[Host]:
    return [host for host in hosts if (host.home / file).exists()]


def weighed(host: Host, file: str) -> set[int]:
    return {int(path.name.partition("-")[2]) for path in host.home.glob(f"{file}-*")}


def test_the_record_of_a_fleet_is_complete_though_hosts_die_and_the_server_restarts(
    database: tuple[str, str], tmp_path: Path
) -> None:
    url, url_there = database
    with closing(make_store(url)) as store, network(tmp_path) as hosts:
        record = Record(LocalClient(store))
        fleet = Fleet(hosts, url_there)
        wait_until(lambda: "Serving at" in fleet.ashore.said, lambda: hosts.printed)
        fleet.deploy()

        # A worker has taken the run, and its host dies before the run has begun.
        wait_until(lambda: holder(fleet.ships, "pulling"), lambda: hosts.printed)
        (lost,) = holder(fleet.ships, "pulling")
        assert record.run.state_name == "Submitting"
        (other,) = [ship for ship in fleet.ships if ship is not lost]
        (other.home / "go").touch()
        lost.pull_the_plug()

        # The other one carries it out. A host of the cluster dies in the middle of a task.
        wait_until(lambda: all(weighed(oar, "begun") for oar in fleet.oars), lambda: hosts.printed)
        drowned, rowing = fleet.oars
        (interrupted,) = weighed(drowned, "begun")
        drowned.pull_the_plug()

        # The server goes while the tasks go on, and comes again.
        fleet.server.send_signal(signal.SIGTERM)
        fleet.server.wait()
        (rowing.home / "go").touch()
        wait_until(lambda: len(weighed(rowing, "ended")) > COUNT // 2, lambda: hosts.printed)
        fleet.serve()
        wait_until(lambda: record.run.end_time is not None, lambda: f"{record.run.state}\n{hosts.printed}")

        assert record.run.state_name == "Completed", f"{record.run.state}\n{hosts.printed}"
        assert weighed(rowing, "ended") == set(range(COUNT)), hosts.printed
        # Of what the server missed, each host tells when it tries again: the run's last state may come first.
        wait_until(lambda: is_told(record), lambda: hosts.printed)
        check(record, other, interrupted)


def is_told(record: Record) -> bool:
    """Whether all that is to be recorded has arrived."""
    said = {log.message for log in record.logs}
    return set(MESSAGES) <= said and all(each.end_time is not None for each in record.task_runs)


def check(record: Record, other: Host, interrupted: int) -> None:
    """Check that all that happened is recorded, and once."""
    run, task_runs = record.run, record.task_runs
    assert run.run_count == 1
    names = record.states(run)
    # Taken, given back when the host was gone, taken again.
    assert names.count("Submitting") == 2, names
    assert [name for name in names if name in ("Running", "Completed")] == ["Running", "Completed"]
    assert f"Starting flow run '{run.name}'" in other.said

    logs = record.logs
    weighings = {log.message: log for log in logs if log.message.startswith("weighed")}
    own = Counter(
        log.message for log in logs if log.message.startswith(("weighed", "begun", "added", "it is"))
    )
    assert own == Counter(MESSAGES)

    kinds = Counter(each.name.partition("-")[0] for each in task_runs)
    assert kinds == {"weigh": COUNT, "total": 1}
    retried = weighings[f"weighed {interrupted} for fleet"].task_run_id
    for each in task_runs:
        history = record.states(each)
        assert each.state_name == "Completed"
        assert (history[0], history.count("Completed"), history[-1]) == ("Pending", 1, "Completed"), history
        assert each.run_count == (2 if each.id == retried else 1)
        assert ("AwaitingRetry" in history) is (each.id == retried), history
        assert each.flow_run_id == run.id
    (sum_of_all,) = [each for each in task_runs if each.name.startswith("total")]
    came_from = {one.id for one in sum_of_all.task_inputs["weights"]}
    assert came_from == {log.task_run_id for log in weighings.values()}
