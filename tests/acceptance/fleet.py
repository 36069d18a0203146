"""Schedulers and workers of one database, each a process, that are killed and started again at random."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PATIENCE = 240.0
"""Seconds that anything may take on a machine that is busy."""
_PREFECT = (sys.executable, "-m", "prefect.cli")


def wait_for(holds: Callable[[], object], why: Callable[[], object] = lambda: None) -> None:
    """Return as soon as something holds; say why not, where it does not in good time."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, why()
        time.sleep(0.1)


class Member:
    """A process of the fleet, with what starts it."""

    def __init__(self, name: str, words: tuple[str, ...], env: dict[str, str], folder: Path) -> None:
        self.name = name
        self._words = words
        self._env = env
        self._folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        with (self._folder / f"{self.name}.txt").open("ab") as printed:
            self.process = subprocess.Popen(
                [*_PREFECT, *self._words],
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                env=self._env,
                cwd=self._folder,
            )

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Fleet:
    """Schedulers, which are servers, and workers: half of them ask a server, half the database itself.

    Args:
        folder: Where the processes are, with the scripts that they run, and what they print.
        env: The variables that all of them get: where the database is, say.
        seed: Of what is left to chance.
    """

    def __init__(self, folder: Path, env: dict[str, str], seed: int) -> None:
        self.folder = folder
        self.random = random.Random(seed)
        self._env = {**os.environ, **env}
        self._urls: list[str] = []
        self.schedulers: list[Member] = []
        self.workers: list[Member] = []
        self.kills = 0
        self.killed_children: set[int] = set()

    def start(self, schedulers: int, workers: int, *words: str) -> None:
        """Start schedulers and workers.

        Args:
            schedulers: How many.
            workers: How many.
            words: The further words of the command that starts a worker.
        """
        for n in range(schedulers):
            port = _free_port()
            self._urls.append(f"http://127.0.0.1:{port}/api")
            command = "server", "start", "--port", str(port)
            self.schedulers.append(Member(f"scheduler-{n}", command, self._env, self.folder))
        # A worker of the database does what a server does unasked; planning is left to the schedulers.
        here = {**self._env, "PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED": "false"}
        for n in range(workers):
            env = here if n % 2 else {**self._env, "PREFECT_API_URL": self._urls[n // 2 % len(self._urls)]}
            command = "worker", "start", "--name", f"worker-{n}", *words
            self.workers.append(Member(f"worker-{n}", command, env, self.folder))

    def rage(self, seconds: float, every: float, children: Callable[[], Iterable[int]]) -> None:
        """Kill one of the processes after another, and start each again a while later.

        Args:
            seconds: How long.
            every: Seconds from one kill to the next, on average.
            children: The processes that carry out runs just now: every third kill is of one of them.
        """
        end = time.monotonic() + seconds
        down: list[tuple[float, Member]] = []
        while time.monotonic() < end:
            time.sleep(self.random.uniform(0.5, 1.5) * every)
            if self.random.random() < 1 / 3:
                self._kill_one(children)
                continue
            members = [each for each in (*self.schedulers, *self.workers) if each.is_running]
            if members:
                victim = self.random.choice(members)
                victim.kill()
                self.kills += 1
                down.append((time.monotonic() + self.random.uniform(0.0, 3.0) * every, victim))
            for due, member in list(down):
                if time.monotonic() >= due:
                    down.remove((due, member))
                    member.start()
        for _, member in down:
            member.start()

    def _kill_one(self, children: Callable[[], Iterable[int]]) -> None:
        wait_for(lambda: any(map(self._is_mine, children())), lambda: self.printed)
        mine = [child for child in children() if self._is_mine(child)]
        if mine:
            victim = self.random.choice(mine)
            with suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
            self.killed_children.add(victim)

    def _is_mine(self, process: int) -> bool:
        mark = f"PREFECT_HOME={self._env['PREFECT_HOME']}".encode()
        try:
            return mark in Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
        except OSError:
            return False

    @property
    def printed(self) -> str:
        """What all of them printed."""
        texts = (f"--- {path.stem}\n{path.read_text()[-3000:]}" for path in sorted(self.folder.glob("*.txt")))
        return "\n".join(texts)

    def end(self) -> None:
        """Kill all of them, and what they have started."""
        for member in (*self.schedulers, *self.workers):
            if member.is_running:
                member.kill()
        for path in Path("/proc").glob("[0-9]*"):
            process = int(path.name)
            if process != os.getpid() and self._is_mine(process):
                with suppress(OSError):
                    os.kill(process, signal.SIGKILL)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def fleet(folder: Path, env: dict[str, str], seed: int) -> Iterator[Fleet]:
    """Give a fleet, and end it."""
    made = Fleet(folder, env, seed)
    try:
        yield made
    finally:
        made.end()
