"""Hosts of a network, which share nothing but that: to run processes on, and to pull the plug of.

Where this may make network namespaces, each host is one, with an address of its own on a bridge that no other
process of the machine can reach. Elsewhere a host is a group of processes, and all have the address of this
machine. In both cases each has a home, a folder and an environment of its own.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

__all__ = ["Host", "Network", "network", "postgres_socket", "wait_until"]

PATIENCE = 120.0
"""Seconds that anything may take on a machine that is busy."""
_WORDS = "unshare", "nsenter", "ip"
_SWITCH = "ip link add br0 type bridge && ip link set br0 up && echo up && exec sleep 3600"
_HOST = "ip link set lo up && echo up && exec sleep 3600"


def wait_until(holds: Callable[[], object], why: Callable[[], object] = lambda: None) -> None:
    """Return as soon as something holds; say why not, where it does not in good time."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, why()
        time.sleep(0.1)


class Host:
    """A machine, as far as its processes can tell.

    Args:
        name: Its name.
        folder: Its disk: the home and what its processes print.
        address: Its address in the network.
        enter: The words before a command that is to run there.
        env: The variables of its processes, besides those that all have.
    """

    def __init__(
        self, name: str, folder: Path, address: str, enter: tuple[str, ...], env: dict[str, str]
    ) -> None:
        self.name = name
        self.home = folder / "home"
        self.folder = folder
        self.address = address
        self.printed = folder / "printed.txt"
        self._enter = enter
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
        self._env = {**inherited, **env, "PREFECT_HOME": str(self.home)}
        self._started: list[subprocess.Popen[bytes]] = []
        self.home.mkdir(parents=True)

    def give(self, **env: str) -> None:
        """Set further variables of the processes that are started from now on."""
        self._env |= env

    @property
    def said(self) -> str:
        """What its processes have printed."""
        return self.printed.read_text() if self.printed.exists() else ""

    def port(self) -> int:
        """Return a port that is free here."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            found: int = listener.getsockname()[1]
            return found

    def start(self, *words: str, **env: str) -> subprocess.Popen[bytes]:
        """Start a module of Python: `start("prefect.cli", "worker", "start")`."""
        with self.printed.open("ab") as printed:
            process = subprocess.Popen(
                [*self._enter, sys.executable, "-m", *words],
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                env={**self._env, **env},
                cwd=self.folder,
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def run(self, *words: str) -> None:
        """Run a module of Python to its end, which must be a good one."""
        process = self.start(*words)
        assert process.wait(PATIENCE) == 0, self.said

    def pull_the_plug(self) -> None:
        """Kill all processes of the host, whoever has started them."""
        mark = f"PREFECT_HOME={self.home}".encode()
        while left := list(_processes(mark)):
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for process in self._started:
                process.poll()  # or the dead ones would be found again
            time.sleep(0.01)
        for process in self._started:
            process.wait()


class Network:
    """Hosts that reach each other.

    Args:
        folder: Where their disks are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hosts: list[Host] = []
        self._holders: list[subprocess.Popen[str]] = []
        self._switch = self._hold(_SWITCH) if _may_make_namespaces() else None

    def host(self, name: str, **env: str) -> Host:
        """Add a host.

        Args:
            name: Its name.
            **env: The variables of its processes.
        """
        number = len(self.hosts) + 1
        address, enter = "127.0.0.1", tuple[str, ...]()
        if self._switch is not None:
            address, holder = f"10.99.0.{number}", self._hold(_HOST)
            inside, outside = _inside(holder), _inside(self._switch)
            port = f"port{number}"
            link = "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", str(holder.pid)
            for words in (
                (*outside, "ip", *link),
                (*outside, "ip", "link", "set", port, "master", "br0", "up"),
                (*inside, "ip", "address", "add", f"{address}/24", "dev", "eth0"),
                (*inside, "ip", "link", "set", "eth0", "up"),
            ):
                subprocess.run(words, check=True, capture_output=True)
            enter = inside
        made = Host(name, self.folder / name, address, enter, env)
        self.hosts.append(made)
        return made

    @property
    def printed(self) -> str:
        """What all hosts printed last."""
        return "\n".join(f"--- {host.name}\n{host.said[-4000:]}" for host in self.hosts)

    def end(self) -> None:
        """Kill everything; the namespaces end with their last process."""
        for host in self.hosts:
            host.pull_the_plug()
        for holder in self._holders:
            holder.kill()
            holder.communicate()

    def _hold(self, script: str) -> subprocess.Popen[str]:
        # `unshare` becomes the shell, and that `sleep`: what is started here is the namespace's own process.
        holder = subprocess.Popen(["unshare", "--net", "sh", "-c", script], stdout=subprocess.PIPE, text=True)
        self._holders.append(holder)
        assert holder.stdout is not None
        assert holder.stdout.readline() == "up\n", f"no network namespace: {script}"
        return holder


@contextmanager
def network(folder: Path) -> Iterator[Network]:
    """Give a network with no hosts yet, and end it with all that was started there."""
    made = Network(folder)
    try:
        yield made
    finally:
        made.end()


@contextmanager
def postgres_socket(folder: Path, host: str, port: int) -> Iterator[None]:
    """Let a PostgreSQL server be reached by a socket in a folder: hosts have files, and not its network.

    Args:
        folder: The folder: what a URL of the server names as `host`.
        host: The server's.
        port: The server's.
    """
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / ".s.PGSQL.5432"))
        listener.listen(128)
        threading.Thread(target=_accept, args=(listener, (host, port)), daemon=True).start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, target: tuple[str, int]) -> None:
    while True:
        try:
            near, _ = listener.accept()
        except OSError:
            return
        far = socket.create_connection(target)
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)
    source.close()


def _inside(holder: subprocess.Popen[str]) -> tuple[str, ...]:
    return "nsenter", "--target", str(holder.pid), "--net"


@cache
def _may_make_namespaces() -> bool:
    if not all(map(shutil.which, _WORDS)) or os.environ.get("PROCONSUL_NO_NAMESPACES"):
        return False
    tried = subprocess.run(
        ["unshare", "--net", "sh", "-c", _SWITCH.rpartition(" && echo")[0]], capture_output=True
    )
    return tried.returncode == 0


def _processes(mark: bytes) -> Iterator[int]:
    """Find the processes that were started with a variable."""
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (path / "environ").read_bytes().split(b"\0"):
                yield int(path.name)
