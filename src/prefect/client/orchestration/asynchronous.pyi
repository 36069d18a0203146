"""What type checkers know of the async client; made by tests/client/async_stub.py."""

import asyncio
from collections.abc import Iterable
from typing import Any, Self
from uuid import UUID

import httpx

from prefect.client.orchestration.base import ServerType
from prefect.schemas.actions import LogCreate
from prefect.schemas.filters import (
    DeploymentFilter,
    FlowFilter,
    FlowRunFilter,
    LogFilter,
    TaskRunFilter,
    WorkPoolFilter,
    WorkQueueFilter,
)
from prefect.schemas.objects import (
    Constant,
    Flow,
    FlowRun,
    FlowRunPolicy,
    FlowRunResult,
    Log,
    Parameter,
    TaskRun,
    TaskRunResult,
)
from prefect.schemas.responses import OrchestrationResult
from prefect.schemas.sorting import FlowRunSort, FlowSort, LogSort, TaskRunSort
from prefect.schemas.states import State

__all__ = ["AT_ONCE", "PrefectClient"]

AT_ONCE: frozenset[str]

class _AsyncRequests:
    async def request(self, method: str, url: str, **options: Any) -> httpx.Response: ...
    async def get(self, url: str, **options: Any) -> httpx.Response: ...
    async def post(self, url: str, **options: Any) -> httpx.Response: ...
    async def patch(self, url: str, **options: Any) -> httpx.Response: ...
    async def put(self, url: str, **options: Any) -> httpx.Response: ...
    async def delete(self, url: str, **options: Any) -> httpx.Response: ...

class PrefectClient:
    def __init__(
        self,
        api: str | None = None,
        *,
        auth_string: str | None = None,
        api_key: str | None = None,
        api_version: str | None = None,
        httpx_settings: dict[str, Any] | None = None,
        server_type: ServerType | None = None,
    ) -> None: ...
    _client: _AsyncRequests
    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *error: object) -> None: ...
    @property
    def api_url(self) -> httpx.URL: ...
    @property
    def server_type(self) -> ServerType: ...
    async def api_healthcheck(self) -> Exception | None: ...
    async def api_version(self) -> str: ...
    async def count_flow_runs(
        self,
        *,
        flow_filter: FlowFilter | None = None,
        flow_run_filter: FlowRunFilter | None = None,
        task_run_filter: TaskRunFilter | None = None,
        deployment_filter: DeploymentFilter | None = None,
        work_pool_filter: WorkPoolFilter | None = None,
        work_queue_filter: WorkQueueFilter | None = None,
    ) -> int: ...
    async def count_flows(
        self, *, flow_filter: FlowFilter | None = None, flow_run_filter: FlowRunFilter | None = None
    ) -> int: ...
    async def create_flow(self, flow: Any) -> UUID: ...
    async def create_flow_from_name(self, flow_name: str) -> UUID: ...
    async def create_flow_run(
        self,
        flow: Any,
        name: str | None = None,
        parameters: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
        tags: Iterable[str] | None = None,
        parent_task_run_id: UUID | None = None,
        state: State[Any] | None = None,
        work_pool_name: str | None = None,
        work_queue_name: str | None = None,
        job_variables: dict[str, Any] | None = None,
    ) -> FlowRun: ...
    async def create_logs(self, logs: Iterable[LogCreate | dict[str, Any]]) -> None: ...
    async def create_task_run(
        self,
        task: Any,
        flow_run_id: UUID | None,
        dynamic_key: str,
        id: UUID | None = None,
        name: str | None = None,
        extra_tags: Iterable[str] | None = None,
        state: State[Any] | None = None,
        task_inputs: dict[str, list[TaskRunResult | FlowRunResult | Parameter | Constant]] | None = None,
    ) -> TaskRun: ...
    async def delete_flow(self, flow_id: UUID) -> None: ...
    async def delete_flow_run(self, flow_run_id: UUID) -> None: ...
    async def delete_task_run(self, task_run_id: UUID) -> None: ...
    async def hello(self) -> httpx.Response: ...
    async def raise_for_api_version_mismatch(self) -> None: ...
    async def raise_for_api_version_mismatch_once(self) -> None: ...
    async def read_flow(self, flow_id: UUID) -> Flow: ...
    async def read_flow_by_name(self, flow_name: str) -> Flow: ...
    async def read_flow_run(self, flow_run_id: UUID) -> FlowRun: ...
    async def read_flow_run_states(self, flow_run_id: UUID) -> list[State[Any]]: ...
    async def read_flow_runs(
        self,
        *,
        flow_filter: FlowFilter | None = None,
        flow_run_filter: FlowRunFilter | None = None,
        task_run_filter: TaskRunFilter | None = None,
        deployment_filter: DeploymentFilter | None = None,
        work_pool_filter: WorkPoolFilter | None = None,
        work_queue_filter: WorkQueueFilter | None = None,
        sort: FlowRunSort | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[FlowRun]: ...
    async def read_flows(
        self,
        *,
        flow_filter: FlowFilter | None = None,
        flow_run_filter: FlowRunFilter | None = None,
        task_run_filter: TaskRunFilter | None = None,
        deployment_filter: DeploymentFilter | None = None,
        work_pool_filter: WorkPoolFilter | None = None,
        work_queue_filter: WorkQueueFilter | None = None,
        sort: FlowSort | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Flow]: ...
    async def read_logs(
        self,
        log_filter: LogFilter | None = None,
        limit: int | None = None,
        offset: int | None = None,
        sort: LogSort | None = None,
    ) -> list[Log]: ...
    async def read_task_run(self, task_run_id: UUID) -> TaskRun: ...
    async def read_task_run_states(self, task_run_id: UUID) -> list[State[Any]]: ...
    async def read_task_runs(
        self,
        *,
        flow_filter: FlowFilter | None = None,
        flow_run_filter: FlowRunFilter | None = None,
        task_run_filter: TaskRunFilter | None = None,
        deployment_filter: DeploymentFilter | None = None,
        sort: TaskRunSort | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[TaskRun]: ...
    async def request(
        self,
        method: str,
        path: str,
        params: dict[str, Any] | None = None,
        path_params: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> httpx.Response: ...
    async def resume_flow_run(
        self, flow_run_id: UUID, run_input: dict[str, Any] | None = None
    ) -> OrchestrationResult: ...
    async def set_flow_run_name(self, flow_run_id: UUID, name: str) -> httpx.Response: ...
    async def set_flow_run_state(
        self, flow_run_id: UUID | str, state: State[Any], force: bool = False
    ) -> OrchestrationResult: ...
    async def set_task_run_name(self, task_run_id: UUID, name: str) -> httpx.Response: ...
    async def set_task_run_state(
        self, task_run_id: UUID, state: State[Any], force: bool = False
    ) -> OrchestrationResult: ...
    async def update_flow_run(
        self,
        flow_run_id: UUID,
        flow_version: str | None = None,
        parameters: dict[str, Any] | None = None,
        name: str | None = None,
        tags: Iterable[str] | None = None,
        empirical_policy: FlowRunPolicy | None = None,
        infrastructure_pid: str | None = None,
        job_variables: dict[str, Any] | None = None,
    ) -> httpx.Response: ...
    def client_version(self) -> str: ...
