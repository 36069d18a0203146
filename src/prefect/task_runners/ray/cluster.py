"""The Ray that this process is connected to: joined, or started and ended here."""

from __future__ import annotations

import logging
import signal
import socket
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any
from weakref import WeakSet

import ray

from prefect.exceptions import ConfigurationError, MissingResult
from prefect.logging.loggers import get_logger
from prefect.logging.prints import install_print
from prefect.settings.telemetry import keep_ray_quiet

__all__ = ["Cluster", "Fetch", "connect"]

_TRY_SECONDS = 2.0
_APPEARS_SECONDS = 10.0
"""How long the head of a cluster may take to be there: it may be starting just now."""
_END_SECONDS = 10.0
_NO_TOKEN = (
    " If the cluster asks for a token, as newer ones do, set RAY_AUTH_MODE=token here, and have its "
    "~/.ray/auth_token."
)
_lock = threading.Lock()
_current: Cluster | None = None


class Fetch:
    """Gets the value of a run that is on the cluster.

    Args:
        reference: What Ray knows the run's outcome by.
        run: What messages call it.
    """

    __slots__ = ("__weakref__", "_is_here", "_reference", "_run", "_value")

    def __init__(self, reference: Any, run: str) -> None:
        self._reference = reference
        self._run = run
        self._is_here = False
        self._value: Any = None

    def __call__(self) -> Any:
        """Return the value."""
        self.bring()
        return self._value

    def bring(self) -> None:
        """Have the value here, before the cluster is gone."""
        if self._is_here:
            return
        try:
            self._value = ray.get(self._reference).value
        except (ray.exceptions.RayError, ray.exceptions.RaySystemError) as error:
            raise MissingResult(
                f"The result of task run {self._run!r} is lost, with the machine of the Ray cluster that had "
                f"it: {_first_line(error)}. Tasks with `persist_result=True` keep theirs elsewhere."
            ) from error
        self._is_here, self._reference = True, None


class Cluster:
    """A connection to Ray, which all runners of this process share.

    Args:
        is_ours: Whether it was started here, for as long as a flow needs it.
        client_address: Where it is, for one that Ray's client goes to.
    """

    def __init__(self, *, is_ours: bool, client_address: str | None) -> None:
        self.is_ours = is_ours
        self.has_dashboard = client_address is not None or _has_dashboard()
        """Whether Ray's own tools can show what becomes of tasks."""
        self.users = 1
        # The other machines of a client's cluster may be out of its reach.
        self.address: str = client_address or ray.get_runtime_context().gcs_address
        self.kept: WeakSet[Fetch] = WeakSet()
        """What is to be brought here before the cluster ends."""

    @property
    def processors(self) -> int:
        """How many tasks it can run at a time, as it is now."""
        return int(ray.cluster_resources().get("CPU", 1))

    def is_reachable(self) -> bool:
        """Whether the head of the cluster takes connections."""
        return _why_unreachable(self.address) is None

    def leave(self, *, is_lost: bool = False) -> None:
        """Need it no more; what was started here ends with its last user."""
        global _current
        with _lock:
            self.users -= 1
            if self.users:
                return
            if _current is self:
                _current = None
            if not self.is_ours:
                return
            if not is_lost:
                _bring(self.kept)
                ray.shutdown()
                return
            # Ray would wait for its head, and end this process if it does not come back.
            ending = threading.Thread(target=ray.shutdown, name="prefect-leaves-ray", daemon=True)
            ending.start()
            ending.join(_END_SECONDS)


def _bring(kept: WeakSet[Fetch]) -> None:
    for fetch in list(kept):
        try:
            fetch.bring()
        except MissingResult as error:
            get_logger("task_runners").warning("%s", error)


def connect(address: str | None, init_kwargs: dict[str, Any]) -> Cluster:
    """Return the connection of this process to Ray, and make it if there is none.

    Args:
        address: The cluster: `host:port`, `ray://host:port`, or `auto`. None: the one that this process is
            connected to, else one of its own, on this machine.
        init_kwargs: Further arguments of `ray.init`.

    Raises:
        prefect.exceptions.ConfigurationError: The process is connected to another cluster, or the cluster
            does not answer.
    """
    global _current
    with _lock:
        if _current is not None and ray.is_initialized():
            _check(address, _current.address)
            _current.users += 1
            return _current
        if ray.is_initialized():
            _check(address, ray.get_runtime_context().gcs_address)
            _current = Cluster(is_ours=False, client_address=None)
            _keep_prints()
            return _current
        is_client = address is not None and address.startswith("ray://")
        _start(address, init_kwargs)
        _current = Cluster(is_ours=True, client_address=address if is_client else None)
        _keep_prints()
        return _current


def _start(address: str | None, init_kwargs: dict[str, Any]) -> None:
    keep_ray_quiet()
    arguments = {"logging_level": "warning", **init_kwargs}
    if address is None:
        arguments = {"include_dashboard": False, **arguments}
    else:
        arguments["address"] = address
        _wait_for(address)
    if str(arguments.get("address")).startswith("ray://"):
        arguments.pop("logging_level")
    try:
        with _own_signals():
            ray.init(**arguments)
    except (ConnectionError, RuntimeError, TimeoutError) as error:
        if address is None:
            raise ConfigurationError(
                f"Ray cannot be started on this machine: {_first_line(error)}"
            ) from error
        hint = _NO_TOKEN if isinstance(error, ConnectionError) else ""
        raise ConfigurationError(f"No Ray answers at {address}: {_first_line(error)}.{hint}") from error


def _has_dashboard() -> bool:
    library = logging.getLogger("ray")
    level = library.level
    library.setLevel(logging.WARNING)  # or it says that it is there already
    try:
        with _own_signals():
            return bool(ray.init(ignore_reinit_error=True, configure_logging=False).dashboard_url)
    finally:
        library.setLevel(level)


@contextmanager
def _own_signals() -> Generator[None, None, None]:
    """Keep what SIGTERM does in the process of a flow: Ray would have it call `sys.exit`, and say nothing."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if callable(before) and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


def _keep_prints() -> None:
    """Have runs log what they print: Ray replaces `print` when a worker prints, so it is to do so now."""
    bars = sys.modules.get("ray.experimental.tqdm_ray")
    if bars is not None:
        bars.instance()
    install_print()  # ours stays before Ray's


def _wait_for(address: str) -> None:
    """See that something listens there: Ray itself would wait for minutes.

    Raises:
        prefect.exceptions.ConfigurationError: Nothing does.
    """
    _, _, port = address.rpartition(":")
    if not port.isdecimal():
        return  # "auto", and the like
    until = monotonic() + _APPEARS_SECONDS
    while (error := _why_unreachable(address)) is not None:
        if monotonic() >= until:
            raise ConfigurationError(
                f"No Ray answers at {address}, or there is no way from here to it: {error}. "
                "`ray start --head` starts one, and says its address."
            ) from error
        sleep(0.5)


def _why_unreachable(address: str) -> OSError | None:
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_TRY_SECONDS).close()
    except OSError as error:
        return error
    return None


def _check(address: str | None, current: str) -> None:
    if address not in (None, "auto", "local", current):
        raise ConfigurationError(
            f"This process is connected to the Ray cluster at {current}, and "
            f"RayTaskRunner(address={address!r}) names another: call ray.shutdown() before, or leave the "
            "address out."
        )


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [repr(error)])[0].rstrip(".")
