"""Where the runs of tests are recorded: in which of four settings the tests of behaviour run.

PROCONSUL_TEST_SETTING is `sqlite` (the default) or `postgresql`: the store on this machine; `server`: a
server of ours, over HTTP; `peer`: one of Prefect 3.8.8 (PEER_PYTHON names its interpreter). Each test process
has a store or server of its own.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

from databases import postgres_schema
from wire import serving

__all__ = ["PATIENCE", "SETTING", "begin", "has_server", "sized"]

SETTING = os.environ.get("PROCONSUL_TEST_SETTING", "sqlite")
SETTINGS = ("sqlite", "postgresql", "server", "peer")
has_server = SETTING in ("server", "peer")
PATIENCE = 4 if SETTING == "peer" else 1
"""How many times as long as elsewhere tests may take."""
PEER_PYTHON = Path(os.environ.get("PEER_PYTHON", ".peer/bin/python"))


def sized(usual: int, *, peer: int) -> int:
    """Return how many runs a test makes: at the peer fewer, which would be busy with them for minutes."""
    return peer if SETTING == "peer" else usual


def begin() -> ExitStack:
    """Have runs recorded as the setting says; to be closed at the end."""
    if SETTING not in SETTINGS:
        raise SystemExit(f"PROCONSUL_TEST_SETTING must be one of {', '.join(SETTINGS)}, not {SETTING!r}")
    stack = ExitStack()
    if SETTING == "postgresql":
        os.environ["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = stack.enter_context(postgres_schema())
    elif SETTING == "server":
        home = stack.enter_context(TemporaryDirectory(prefix="proconsul-server-"))
        os.environ["PREFECT_API_URL"], _ = stack.enter_context(serving(Path(home)))
    elif SETTING == "peer":
        os.environ["PREFECT_API_URL"] = stack.enter_context(peer_serving())
    return stack


@contextmanager
def peer_serving() -> Iterator[str]:
    """Give the URL of the API of a server of Prefect 3.8.8."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/api"
    with TemporaryDirectory(prefix="prefect-peer-", ignore_cleanup_errors=True) as home:
        started = subprocess.Popen(
            [str(PEER_PYTHON), "-m", "prefect", "server", "start", "--port", str(port), "--no-ui"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={
                "PATH": os.environ["PATH"],
                "HOME": home,
                "PREFECT_HOME": home,
                "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            },
        )
        try:
            deadline = time.monotonic() + 120
            while True:
                try:
                    urlopen(f"{url}/health", timeout=5).close()
                    break
                except OSError:
                    if time.monotonic() > deadline or started.poll() is not None:
                        raise
                    time.sleep(0.2)
            yield url
        finally:
            started.terminate()
            started.wait(30)
