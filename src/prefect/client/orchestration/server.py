"""The client's methods about the server itself."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING
from uuid import UUID

from prefect.client.orchestration.base import ServerType
from prefect.client.orchestration.raw import RawMethods
from prefect.exceptions import PrefectException
from prefect.operations.admin import read_admin_version, read_api_version, read_health, read_hello
from prefect.operations.result_storage import (
    ResultStorage,
    ResultStorageUpdate,
    clear_result_storage,
    read_result_storage,
    set_result_storage,
)
from prefect.settings import get_current_settings
from prefect.version import API_VERSION, INTERFACE_VERSION

if TYPE_CHECKING:
    import httpx

__all__ = ["ServerMethods"]

_checked: set[str] = set()
"""The URLs of servers whose version was compared with ours."""


class ServerMethods(RawMethods):
    """Asks whether there is a server, and which."""

    @property
    def api_url(self) -> httpx.URL:
        """The URL of the API; without a server, one that leads nowhere."""
        from httpx import URL  # noqa: PLC0415 - slow to load, and seldom used

        return URL(f"{self._options.url}/" if self._options is not None else "http://localhost/api/")

    @property
    def server_type(self) -> ServerType:
        """What the client talks to."""
        if self._options is None:
            return ServerType.EPHEMERAL
        hosted = get_current_settings().cloud.api_url
        return ServerType.CLOUD if self._options.url.startswith(hosted) else ServerType.SERVER

    def api_healthcheck(self) -> Exception | None:
        """Return why the API cannot be used, or None where it can."""
        try:
            self._call(read_health)
        except Exception as error:  # noqa: BLE001 - whatever is wrong is what is asked for
            return error
        return None

    def hello(self) -> httpx.Response:
        """Greet the server.

        Raises:
            prefect.exceptions.ServerUnreachable: It does not answer.
        """
        return self._respond(read_hello)

    def api_version(self) -> str:
        """Return the version of the server's protocol."""
        return self._call(read_api_version)

    def read_server_default_result_storage(self) -> ResultStorage:
        """Return the block that results go to by default."""
        return self._call(read_result_storage)

    def update_server_default_result_storage(self, default_result_storage_block_id: UUID) -> ResultStorage:
        """Have results go to a block by default.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such block document.
        """
        data = ResultStorageUpdate(default_result_storage_block_id=default_result_storage_block_id)
        return self._call(set_result_storage, data)

    def clear_server_default_result_storage(self) -> None:
        """Have results go wherever each client chooses."""
        self._call(clear_result_storage)

    def client_version(self) -> str:
        """Return the version of the protocol that this client speaks."""
        return API_VERSION

    def raise_for_api_version_mismatch(self) -> None:
        """Check that server and client understand each other.

        Raises:
            RuntimeError: The server is of another major release, or cannot be asked.
        """
        if self._options is None or self.server_type is ServerType.CLOUD:
            return
        try:
            theirs = self._call(read_admin_version)
        except PrefectException as error:
            raise RuntimeError(f"Failed to reach API at {self.api_url}: {error}") from error
        if _release(theirs)[:1] != _release(INTERFACE_VERSION)[:1]:
            raise RuntimeError(
                f"The server at {self.api_url} is of release {theirs}, which this client cannot talk to: "
                f"it needs release {INTERFACE_VERSION.partition('.')[0]}."
            )
        if _release(theirs) < _release(INTERFACE_VERSION):
            logging.getLogger("prefect.client").warning(
                "The server at %s is of release %s, older than this client's interface (%s): "
                "some calls may be refused. Upgrade the server.",
                self.api_url,
                theirs,
                INTERFACE_VERSION,
            )

    def raise_for_api_version_mismatch_once(self) -> None:
        """Check the same, once in this process for each server.

        Raises:
            RuntimeError: See `raise_for_api_version_mismatch`.
        """
        if self._options is not None and self._options.url not in _checked:
            self.raise_for_api_version_mismatch()
            _checked.add(self._options.url)


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
