"""Those who watch over workers and runners are told whether these are at work."""

from __future__ import annotations

import asyncio
import json
import socket
import urllib.error
import urllib.request

import pytest

from prefect.exceptions import ConfigurationError
from prefect.runner import Runner
from prefect.runner.health import HealthServer
from prefect.settings import (
    PREFECT_RUNNER_SERVER_ENABLE,
    PREFECT_RUNNER_SERVER_HOST,
    PREFECT_RUNNER_SERVER_PORT,
    temporary_settings,
)

pytestmark = [pytest.mark.timeout(120), pytest.mark.embedded]


def ask(port: int, path: str = "/health") -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            return answer.status, json.load(answer)["message"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)["message"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def test_it_says_whether_somebody_is_at_work():
    well = [True]
    with HealthServer("127.0.0.1", 0, lambda: well[0]) as server:
        assert ask(server.port) == (200, "OK")
        well[0] = False
        status, message = ask(server.port)
        assert (status, "has not looked" in message) == (503, True)
        assert ask(server.port, "/else")[0] == 404


def test_a_port_that_is_taken_is_said():
    with (
        HealthServer("127.0.0.1", 0, lambda: True) as server,
        pytest.raises(ConfigurationError, match="another port"),
    ):
        HealthServer("127.0.0.1", server.port, lambda: True)


@pytest.mark.processes
def test_a_worker_answers_where_asked_to(here):
    here.pool()
    port = free_port()
    here.env |= {"PREFECT_WORKER_WEBSERVER_HOST": "127.0.0.1", "PREFECT_WORKER_WEBSERVER_PORT": str(port)}

    def answers() -> bool:
        try:
            return ask(port) == (200, "OK")
        except OSError:
            return False

    with here.working("worker", "start", "--pool", "here", "--with-healthcheck", "--install-policy", "never"):
        here.wait_for(answers)


@pytest.mark.processes
def test_a_runner_answers_where_the_settings_want_it(here):
    port = free_port()
    wanted = {
        PREFECT_RUNNER_SERVER_ENABLE: True,
        PREFECT_RUNNER_SERVER_HOST: "127.0.0.1",
        PREFECT_RUNNER_SERVER_PORT: port,
    }

    async def main() -> tuple[int, str]:
        runner = Runner()
        task = asyncio.create_task(runner.start())
        try:
            while True:
                try:
                    return await asyncio.to_thread(ask, port)
                except OSError:
                    await asyncio.sleep(0.05)
        finally:
            await runner.astop()
            await task

    with temporary_settings(wanted):
        assert asyncio.run(main()) == (200, "OK")
