"""Containers of a Docker engine, as a worker sees them: made, started, watched, stopped.

Of the package `docker` only this file knows; it is loaded when an engine is wanted.
"""

from __future__ import annotations

import asyncio
import codecs
import re
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from prefect.exceptions import ConfigurationError, InfrastructureNotFound
from prefect.logging.loggers import get_logger
from prefect.rules.exits import UNKNOWN_EXIT

__all__ = ["Container", "Engine", "as_seen_from_inside"]

_HOST = "host.docker.internal"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_AWAY_SECONDS = 2.0
"""How long to wait for an engine that does not answer."""
_MOST_NAMES = 100

_logger = get_logger("worker.docker")


class Engine:
    """The Docker engine that the environment names.

    Raises:
        prefect.exceptions.ConfigurationError: It does not answer, or the package to talk to it is missing.
    """

    def __init__(self) -> None:
        try:
            self._docker: Any = import_module("docker")
        except ImportError as error:
            raise ConfigurationError(
                "Workers of type 'docker' need the package docker: `pip install 'proconsul[docker]'`."
            ) from error
        self._client: Any = None
        try:
            self._client = self._docker.from_env()
            self._client.ping()
        except Exception as error:
            self.close()
            raise ConfigurationError(
                f"No Docker engine answers ({error}). Start Docker on this machine, or set DOCKER_HOST to "
                "the address of an engine; whoever runs the worker must be allowed to use it."
            ) from error

    @property
    def name(self) -> str:
        """Its address."""
        return str(self._client.api.base_url)

    def fetch(self, image: str, *, again: bool) -> None:
        """Have an image there.

        Args:
            image: Its name, mostly with a tag.
            again: Whether it is fetched too where there is one of that name.

        Raises:
            RuntimeError: It cannot be fetched.
        """
        errors = self._docker.errors
        if not again:
            with suppress(errors.ImageNotFound):
                self._client.images.get(image)
                return
        _logger.info("Fetching image %s", image)
        try:
            # Without a tag that would be all images of that name.
            _, _, name = image.rpartition("/")
            self._client.images.pull(image, **({} if ":" in name or "@" in name else {"tag": "latest"}))
        except errors.DockerException as error:
            raise RuntimeError(f"The image {image} cannot be fetched: {error}.") from error

    def make(self, arguments: Mapping[str, Any], networks: Sequence[str] = ()) -> Container:
        """Make a container; where its name is taken, with a number behind it.

        Args:
            arguments: What the engine makes it with.
            networks: Further networks that it joins.

        Raises:
            RuntimeError: It cannot be made.
        """
        errors = self._docker.errors
        name = _slug(str(arguments.get("name") or ""))
        try:
            for number in range(_MOST_NAMES):
                wanted = {"name": f"{name}-{number}" if number else name} if name else {}
                try:
                    made = self._client.containers.create(**{**arguments, "name": None, **wanted})
                    break
                except errors.APIError as error:
                    if error.status_code != 409 or number == _MOST_NAMES - 1:
                        raise
            for network in networks:
                self._client.networks.get(network).connect(made)
        except errors.ImageNotFound as error:
            image = arguments.get("image")
            raise RuntimeError(f"There is no image {image} where the container is to run.") from error
        except errors.DockerException as error:
            raise RuntimeError(f"The container cannot be made: {error}.") from error
        return Container(made, self)

    def stop(self, container_id: str, grace: int) -> None:
        """Have a container end.

        Args:
            container_id: Its id.
            grace: Seconds that it has.

        Raises:
            prefect.exceptions.InfrastructureNotFound: There is no such container.
        """
        try:
            self._client.containers.get(container_id).stop(timeout=grace)
        except self._docker.errors.NotFound as error:
            raise InfrastructureNotFound(f"There is no container {container_id} at {self.name}.") from error

    def is_missing(self, error: Exception) -> bool:
        """Whether an error says that there is no such container."""
        return isinstance(error, self._docker.errors.NotFound)

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()


class Container:
    """A container of an engine.

    Args:
        made: What the package `docker` knows of it.
        engine: The engine.
    """

    def __init__(self, made: Any, engine: Engine) -> None:
        self._made = made
        self._engine = engine
        self._ended = threading.Event()
        self._code = UNKNOWN_EXIT
        self._told: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._lock = threading.Lock()

    @property
    def identifier(self) -> str:
        """The engine and the container's id."""
        return f"{self._engine.name}:{self._made.id}"

    def start(self, *, is_shown: bool) -> None:
        """Start it.

        Args:
            is_shown: Whether what it prints is printed here.

        Raises:
            RuntimeError: It cannot be started; it is removed then.
        """
        # Threads of their own: those that a loop lends are few, and containers may run for days.
        waiting = threading.Thread(target=self._wait, name="prefect-container", daemon=True)
        try:
            self._made.start()
        except Exception as error:
            self.remove()
            raise RuntimeError(f"The container cannot be started: {error}.") from error
        waiting.start()
        if is_shown:
            threading.Thread(target=self._show, name="prefect-container-output", daemon=True).start()

    async def end(self) -> int:
        """Wait for its end.

        Returns:
            The exit code.
        """
        told = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._told.append(told)
            if self._ended.is_set():
                told[1].set()
        await told[1].wait()
        return self._code

    def stop(self, grace: int) -> None:
        """Ask it to end; after some seconds it is made to."""
        try:
            self._made.stop(timeout=grace)
        except Exception as error:  # noqa: BLE001 - it may be gone; else its end is waited for all the same
            if not self._engine.is_missing(error):
                _logger.warning("Container %s could not be stopped: %s", self._made.short_id, error)

    def remove(self) -> None:
        """Remove it."""
        try:
            self._made.remove(force=True)
        except Exception as error:  # noqa: BLE001 - it is in nobody's way
            if not self._engine.is_missing(error):
                _logger.warning("Container %s could not be removed: %s", self._made.short_id, error)

    def ran_out_of_memory(self) -> bool:
        """Whether it was ended since it used more memory than it may."""
        try:
            self._made.reload()
        except Exception:  # noqa: BLE001 - one that was removed does not say
            return False
        return bool(self._made.attrs.get("State", {}).get("OOMKilled"))

    def _wait(self) -> None:
        is_away = False
        while True:
            try:
                self._code = int(self._made.wait()["StatusCode"])
                break
            except Exception as error:  # noqa: BLE001 - an engine that is started anew is waited for
                if self._engine.is_missing(error):
                    break
                if not is_away:
                    is_away = True
                    _logger.warning("The engine does not answer, and is asked again: %s", error)
                time.sleep(_AWAY_SECONDS)
        with self._lock:
            self._ended.set()
            for loop, event in self._told:
                with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    loop.call_soon_threadsafe(event.set)

    def _show(self) -> None:
        try:
            # What comes is cut anywhere, be it within a character.
            decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
            for part in self._made.logs(stream=True, follow=True):
                sys.stdout.write(decode(part))
                sys.stdout.flush()
        except Exception as error:  # noqa: BLE001 - the run goes on, whoever sees what it prints
            _logger.debug("What container %s prints is not shown any more: %s", self._made.short_id, error)


def as_seen_from_inside(
    env: Mapping[str, str | None], networks: Sequence[str], network_mode: str | None
) -> tuple[dict[str, str], str | None, dict[str, str]]:
    """Return a container's environment, its network and further hosts, so that it reaches its server.

    A server on this machine's own address is another one inside of a container.

    Args:
        env: The environment.
        networks: The networks that it joins.
        network_mode: How it is connected, where the job says so.
    """
    given = {name: value for name, value in env.items() if value is not None}
    url = given.get("PREFECT_API_URL", "")
    if urlsplit(url).hostname not in _LOOPBACK or network_mode == "host":
        return given, network_mode, {}
    if sys.platform == "linux" and not networks and network_mode is None:
        # A server that listens on the loopback address alone is reached from nowhere else.
        return given, "host", {}
    parts = urlsplit(url)
    login, at, _ = parts.netloc.rpartition("@")
    place = f"{login}{at}{_HOST}" + (f":{parts.port}" if parts.port else "")
    given["PREFECT_API_URL"] = urlunsplit(parts._replace(netloc=place))
    return given, network_mode, {_HOST: "host-gateway"}


def _slug(name: str) -> str:
    """Return a name as engines take it."""
    return re.sub(r"[^a-zA-Z0-9_.-]+", "-", name).strip("-_.")
