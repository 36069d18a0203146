"""`SyncPrefectClient`: every method of the client, once. The async client is made from it."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from prefect.client.orchestration.artifacts import ArtifactMethods
from prefect.client.orchestration.automations import AutomationMethods
from prefect.client.orchestration.base import ServerType
from prefect.client.orchestration.blocks import BlockMethods
from prefect.client.orchestration.deployments import DeploymentMethods
from prefect.client.orchestration.events import EventMethods
from prefect.client.orchestration.flow_run_inputs import FlowRunInputMethods
from prefect.client.orchestration.flow_runs import FlowRunMethods
from prefect.client.orchestration.flows import FlowMethods
from prefect.client.orchestration.limits import LimitMethods
from prefect.client.orchestration.logs import LogMethods
from prefect.client.orchestration.raw import Requests
from prefect.client.orchestration.server import ServerMethods
from prefect.client.orchestration.task_runs import TaskRunMethods
from prefect.client.orchestration.variables import VariableMethods
from prefect.client.orchestration.work_pools import WorkPoolMethods
from prefect.client.orchestration.work_queues import WorkQueueMethods

__all__ = ["SyncPrefectClient"]


class SyncPrefectClient(
    FlowMethods,
    FlowRunMethods,
    FlowRunInputMethods,
    TaskRunMethods,
    LogMethods,
    DeploymentMethods,
    WorkPoolMethods,
    WorkQueueMethods,
    VariableMethods,
    ArtifactMethods,
    BlockMethods,
    LimitMethods,
    AutomationMethods,
    EventMethods,
    ServerMethods,
):
    """Reads and changes what an API keeps: that of a server, or without one the store on this machine.

    Connections are shared by all clients of a process, so that a client costs nothing to make.

    Args:
        api: The URL of an API; None: the one in the settings, or the store on this machine.
        auth_string: `user:password` for the server; None: as in the settings.
        api_key: The key to send to the server; None: as in the settings.
        api_version: Accepted for the interface's sake: one version of the protocol is spoken.
        httpx_settings: `headers` to add to each request, a `timeout` in seconds, `verify`: whether the
            server's certificate must be trusted.
        server_type: Accepted for the interface's sake: the URL says it.
    """

    def __init__(
        self,
        api: str | None = None,
        *,
        auth_string: str | None = None,
        api_key: str | None = None,
        api_version: str | None = None,
        httpx_settings: dict[str, Any] | None = None,
        server_type: ServerType | None = None,
    ) -> None:
        super().__init__(api, auth_string=auth_string, api_key=api_key, httpx_settings=httpx_settings)

    @property
    def _client(self) -> Requests:
        """Plain requests, as existing code sends them."""
        return self._requests

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave the connections open: other clients use them."""

    def __repr__(self) -> str:
        place = "this machine" if self._options is None else self._options.url
        return f"{type(self).__name__}({place})"
