"""The server as whoever runs it meets it: in the background, in several processes, its database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from databases import postgres_schema
from prefect.cli import main
from prefect.server.background import Background, find_background
from prefect.settings.context import temporary_settings
from prefect.types.processes import started
from wire import Proxy, serving

pytestmark = pytest.mark.processes


def prefect(home: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "prefect.cli", *words],
        capture_output=True,
        text=True,
        timeout=50,
        env={**os.environ, "PREFECT_HOME": str(home), **environment},
    )


# --- in the background --------------------------------------------------------------------------------------


def test_a_server_is_started_found_and_stopped(tmp_path):
    begun = prefect(tmp_path, "server", "start", "--background", "--port", "0")
    try:
        assert begun.returncode == 0, begun.stderr
        found = find_background(tmp_path)
        assert found is not None and found.url in begun.stdout
        # It answers as soon as the command has returned.
        assert httpx.get(f"{found.url}/health").json() is True
        said = prefect(tmp_path, "server", "status", "--output", "json")
        assert said.returncode == 0
        assert json.loads(said.stdout) == {"status": "available", "api_url": found.url, "pid": found.pid}
        again = prefect(tmp_path, "server", "start", "-b", "--port", "0")
        assert (again.returncode, "prefect server stop" in again.stderr) == (1, True)
    finally:
        ended = prefect(tmp_path, "server", "stop")
    assert (ended.returncode, "Stopped" in ended.stdout) == (0, True)
    assert started(found.pid) is None
    assert not (tmp_path / "server.pid").exists()
    assert prefect(tmp_path, "server", "stop").stdout == "No server runs in the background.\n"


def test_a_server_of_this_machine_is_asked_without_a_proxy(tmp_path):
    away = {"http_proxy": "http://127.0.0.1:9", "no_proxy": "", "PREFECT_SERVER_API_AUTH_STRING": "admin:pw"}
    begun = prefect(tmp_path, "server", "start", "-b", "--host", "0.0.0.0", "--port", "0", **away)
    try:
        assert begun.returncode == 0, begun.stderr
        assert prefect(tmp_path, "server", "status", **away).returncode == 0
    finally:
        prefect(tmp_path, "server", "stop")


def test_a_server_that_does_not_start_says_why(tmp_path):
    (tmp_path / "prefect.db").write_text("this is no database, and long enough to be looked at" * 100)

    begun = prefect(tmp_path, "server", "start", "--background", "--port", "0")

    assert begun.returncode == 1
    assert "not a sound database" in begun.stderr
    assert find_background(tmp_path) is None


@pytest.mark.parametrize(
    "left",
    [
        b"",
        b"12",
        b"\xff",
        b'{"pid": 2147483000, "started": "1", "url": "http://127.0.0.1:1/api"}',
        # The id is somebody else's by now.
        json.dumps({"pid": os.getpid(), "started": "1", "url": "http://127.0.0.1:1/api"}).encode(),
    ],
    ids=["nothing", "a number", "no text", "a process that is gone", "somebody else"],
)
def test_what_a_server_left_behind_is_no_server(tmp_path, left, capsys):
    (tmp_path / "server.pid").write_bytes(left)

    with temporary_settings({"PREFECT_HOME": str(tmp_path)}):
        assert main(["server", "stop"]) == 0

    assert capsys.readouterr().out == "No server runs in the background.\n"
    assert not (tmp_path / "server.pid").exists()


def test_a_process_that_runs_is_found(tmp_path):
    mine = Background(os.getpid(), started(os.getpid()) or "", "http://127.0.0.1:1/api")
    (tmp_path / "server.pid").write_text(
        json.dumps({"pid": mine.pid, "started": mine.started, "url": mine.url})
    )

    assert find_background(tmp_path) == mine


def test_a_server_that_does_not_answer_is_an_exit_code(tmp_path, capsys):
    settings = {"PREFECT_HOME": str(tmp_path), "PREFECT_API_URL": "http://127.0.0.1:1/api"}
    with temporary_settings(settings):
        assert main(["server", "status"]) == 1
        assert main(["server", "status", "--wait", "--timeout", "1", "-o", "json"]) == 1
    first, _, second = capsys.readouterr().out.partition("\n")
    assert first == "The server at http://127.0.0.1:1/api does not answer."
    assert json.loads(second)["status"] == "unavailable"


# --- stopping -----------------------------------------------------------------------------------------------


def create_until_refused(url: str, flow_id: str, accepted: list[str]) -> None:
    with httpx.Client() as client:
        while True:
            try:
                answer = client.post(f"{url}/flow_runs/", json={"flow_id": flow_id})
            except httpx.HTTPError:
                return
            if answer.status_code == 201:
                accepted.append(answer.json()["id"])


def count_runs(url: str) -> int:
    return int(httpx.post(f"{url}/flow_runs/count").json())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_was_answered_is_kept_whatever_ends_the_server(tmp_path, number):
    accepted: list[str] = []
    with serving(tmp_path) as (url, process):
        flow = httpx.post(f"{url}/flows/", json={"name": "etl"}).json()["id"]
        clients = [
            threading.Thread(target=create_until_refused, args=(url, flow, accepted)) for _ in range(4)
        ]
        for client in clients:
            client.start()
        while len(accepted) < 50 and any(client.is_alive() for client in clients):
            time.sleep(0.01)
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
        for client in clients:
            client.join()
        assert errors == ""

    with serving(tmp_path) as (url, _):
        with httpx.Client() as client:
            missing = [run for run in accepted if client.get(f"{url}/flow_runs/{run}").status_code != 200]
        assert (missing, len(accepted) >= 50) == ([], True)


# --- several processes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", ["0", "-1"])
def test_somebody_must_serve(count, tmp_path, capsys):
    with temporary_settings({"PREFECT_HOME": tmp_path}):
        assert main(["server", "start", "--port", "0", "--workers", count]) == 1

    assert f"--workers {count}" in capsys.readouterr().err


def test_several_processes_need_postgresql(tmp_path):
    begun = prefect(tmp_path, "server", "start", "--port", "0", "--workers", "2")

    assert (begun.returncode, "PostgreSQL" in begun.stderr) == (1, True)


BEGIN_SECONDS = 50
"""Who asks is heard before the processes that answer have begun."""


def workers_of(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.postgres
@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at processes as Linux shows them")
def test_several_processes_serve_one_database(tmp_path):
    with (
        postgres_schema() as database,
        serving(tmp_path, "--workers", "2", PREFECT_API_DATABASE_CONNECTION_URL=database) as (url, process),
    ):
        flow = httpx.post(f"{url}/flows/", json={"name": "etl"}, timeout=BEGIN_SECONDS).json()["id"]
        accepted: list[str] = []
        clients = [
            threading.Thread(target=create_until_refused, args=(url, flow, accepted)) for _ in range(4)
        ]
        first = workers_of(process.pid)
        assert len(first) == 2
        for client in clients:
            client.start()
        while len(accepted) < 50:
            time.sleep(0.01)
        assert count_runs(url) >= 50
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
        for client in clients:
            client.join()
        assert (errors, [started(pid) for pid in first]) == ("", [None, None])
        with serving(tmp_path, PREFECT_API_DATABASE_CONNECTION_URL=database) as (url, _):
            assert count_runs(url) == len(set(accepted))


@pytest.mark.postgres
@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at processes as Linux shows them")
def test_a_process_that_ends_is_replaced(tmp_path):
    with (
        postgres_schema() as database,
        serving(tmp_path, "--workers", "2", PREFECT_API_DATABASE_CONNECTION_URL=database) as (url, process),
    ):
        assert httpx.get(f"{url}/ready", timeout=BEGIN_SECONDS).status_code == 200
        gone, stays = workers_of(process.pid)
        os.kill(gone, signal.SIGKILL)
        while len(now := workers_of(process.pid)) < 2 or gone in now:
            time.sleep(0.05)
        assert stays in now
        assert httpx.get(f"{url}/ready", timeout=BEGIN_SECONDS).status_code == 200


@pytest.mark.postgres
@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at processes as Linux shows them")
def test_no_process_outlives_the_one_that_watches_over_it(tmp_path):
    with (
        postgres_schema() as database,
        serving(tmp_path, "--workers", "2", PREFECT_API_DATABASE_CONNECTION_URL=database) as (url, process),
    ):
        assert httpx.get(f"{url}/ready", timeout=BEGIN_SECONDS).status_code == 200
        workers = workers_of(process.pid)
        process.kill()
        process.wait()
        while any(started(pid) for pid in workers):
            time.sleep(0.05)


# --- a database that is away --------------------------------------------------------------------------------


@pytest.mark.postgres
def test_a_database_that_is_away_is_503_until_it_is_back(tmp_path):
    with postgres_schema() as database:
        address = urlsplit(database)
        proxy = Proxy(f"http://{address.hostname}:{address.port}")
        near = urlsplit(proxy.url).netloc
        through = database.replace(f"@{address.hostname}:{address.port}", f"@{near}")
        with serving(tmp_path, PREFECT_API_DATABASE_CONNECTION_URL=through) as (url, process):
            flow = httpx.post(f"{url}/flows/", json={"name": "etl"}).json()["id"]
            seen = set()

            def ask(times: int) -> None:
                for _ in range(times):
                    answer = httpx.post(f"{url}/flow_runs/", json={"flow_id": flow})
                    if answer.status_code == 503:
                        assert float(answer.headers["retry-after"]) > 0
                    seen.add(answer.status_code)

            # Cut in the middle of requests, of several at once.
            clients = [threading.Thread(target=ask, args=(20,)) for _ in range(4)]
            for client in clients:
                client.start()
            proxy.cut()
            for client in clients:
                client.join()
            assert httpx.get(f"{url}/ready").status_code == 503
            assert httpx.get(f"{url}/health").status_code == 200
            proxy.restore()
            assert httpx.get(f"{url}/ready").status_code == 200
            ask(1)
            assert seen <= {201, 503}
            process.send_signal(signal.SIGTERM)
            assert "Traceback" not in process.communicate(timeout=30)[1]


# --- the database -------------------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request, tmp_path):
    """The settings of an empty database."""
    if request.param == "sqlite":
        yield {"PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite:///{tmp_path / 'a.db'}"}
        return
    with postgres_schema() as url:
        yield {"PREFECT_API_DATABASE_CONNECTION_URL": url}


def test_a_database_is_brought_back_and_forth_and_emptied(database, capsys):
    from prefect.operations import create_flow, read_flows
    from prefect.schemas.actions import FlowCreate
    from prefect.schemas.queries import FlowQuery
    from prefect.store import open_store
    from prefect.store.administration import revisions, version_of

    names = [revision.name for revision in revisions()]
    with temporary_settings(database):
        store = open_store()
        assert version_of(store) is None
        assert main(["server", "database", "upgrade", "--yes"]) == 0
        assert version_of(store) == names[-1]
        create_flow(store, FlowCreate(name="etl"))
        assert main(["server", "database", "downgrade", "-y"]) == 0
        assert version_of(store) == names[-2]
        capsys.readouterr()
        assert main(["server", "database", "upgrade", "--dry-run"]) == 0
        assert capsys.readouterr().out.startswith(names[-1])
        assert version_of(store) == names[-2]
        assert main(["server", "database", "upgrade", "-y", "-r", names[-1]]) == 0
        assert [flow.name for flow in read_flows(store, FlowQuery())] == ["etl"]
        assert main(["server", "database", "stamp", names[0]]) == 0
        assert version_of(store) == names[0]
        assert main(["server", "database", "stamp", names[-1]]) == 0
        capsys.readouterr()
        # Nobody is there to ask.
        assert [main(["server", "database", each]) for each in ("reset", "downgrade")] == [1, 1]
        assert "give --yes" in capsys.readouterr().err
        assert version_of(store) == names[-1]
        assert read_flows(store, FlowQuery()) != []
        assert main(["server", "database", "reset", "-y"]) == 0
        assert read_flows(store, FlowQuery()) == []
        capsys.readouterr()
        assert main(["server", "database", "history"]) == 0
        assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]] == names
        store.close()


def test_what_an_upgrade_would_go_through_is_told(database, capsys):
    from prefect.store import open_store
    from prefect.store.administration import revisions

    names = [revision.name for revision in revisions()]

    def told(*words: str) -> list[str]:
        capsys.readouterr()
        assert main(["server", "database", *words]) == 0
        return [line.split()[0] for line in capsys.readouterr().out.splitlines()]

    with temporary_settings(database):
        assert told("upgrade", "--dry-run") == names
        assert told("upgrade", "--dry-run", "-r", names[2]) == names[:3]
        assert told("upgrade", "--dry-run", "-r", "+1") == names[:1]
        main(["server", "database", "upgrade", "-y", "-r", names[1]])
        assert capsys.readouterr().out.endswith(f" is at version {names[1]}.\n")
        assert told("upgrade", "--dry-run", "-r", names[0]) == ["There"]
        main(["server", "database", "downgrade", "-y", "-r", "base"])
        assert capsys.readouterr().out.endswith(" has no tables.\n")
        open_store().close()


@pytest.mark.parametrize("how", ["-y", "--dry-run"])
def test_a_version_that_there_is_not_is_an_error(tmp_path, capsys, how):
    with temporary_settings({"PREFECT_HOME": str(tmp_path)}):
        assert main(["server", "database", "upgrade", how, "-r", "9999"]) == 1

    assert "knows the versions 0001" in capsys.readouterr().err
