"""What type checkers know of the async client; made by tests/client/async_stub.py."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

import httpx

from prefect.client.orchestration.base import ServerType
from prefect.operations.result_storage import ResultStorage
from prefect.schemas.actions import LogCreate
from prefect.schemas.artifacts import Artifact, ArtifactCollection, ArtifactCreate, ArtifactUpdate
from prefect.schemas.automations import Automation, AutomationSort
from prefect.schemas.blocks import (
    BlockDocument,
    BlockDocumentCreate,
    BlockDocumentUpdate,
    BlockSchema,
    BlockSchemaCreate,
    BlockType,
    BlockTypeCreate,
    BlockTypeUpdate,
)
from prefect.schemas.concurrency import (
    ConcurrencyLeaseHolder,
    ConcurrencyLimit,
    GlobalConcurrencyLimitCreate,
    GlobalConcurrencyLimitResponse,
    GlobalConcurrencyLimitUpdate,
)
from prefect.schemas.deployments import (
    ConcurrencyOptions,
    DeploymentResponse,
    DeploymentSchedule,
    DeploymentScheduleCreate,
    DeploymentUpdate,
    VersionInfo,
)
from prefect.schemas.events import EventPage
from prefect.schemas.filters import (
    DeploymentFilter,
    FlowFilter,
    FlowRunFilter,
    LogFilter,
    TaskRunFilter,
    WorkerFilter,
    WorkPoolFilter,
    WorkQueueFilter,
)
from prefect.schemas.filters.automations import AutomationFilter
from prefect.schemas.filters.events import EventFilter
from prefect.schemas.inputs import FlowRunInput
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
from prefect.schemas.schedules import AnySchedule
from prefect.schemas.sorting import DeploymentSort, FlowRunSort, FlowSort, LogSort, TaskRunSort
from prefect.schemas.states import State
from prefect.schemas.variables import Variable, VariableCreate, VariableUpdate
from prefect.schemas.work_pools import (
    Worker,
    WorkerFlowRunResponse,
    WorkPool,
    WorkPoolConcurrencyStatus,
    WorkPoolCreate,
    WorkPoolUpdate,
    WorkQueue,
    WorkQueueConcurrencyStatus,
    WorkQueueStatusDetail,
)
from prefect.types import KeyValueLabels

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
    async def clear_server_default_result_storage(self) -> None: ...
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
    async def create_artifact(self, artifact: ArtifactCreate) -> Artifact: ...
    async def create_automation(self, automation: Any) -> UUID: ...
    async def create_block_document(
        self, block_document: BlockDocument | BlockDocumentCreate, include_secrets: bool = True
    ) -> BlockDocument: ...
    async def create_block_schema(self, block_schema: BlockSchemaCreate) -> BlockSchema: ...
    async def create_block_type(self, block_type: BlockTypeCreate) -> BlockType: ...
    async def create_concurrency_limit(self, tag: str, concurrency_limit: int) -> UUID: ...
    async def create_deployment(
        self,
        flow_id: UUID,
        name: str,
        version: str | None = None,
        version_info: VersionInfo | None = None,
        schedules: list[DeploymentScheduleCreate] | None = None,
        concurrency_limit: int | None = None,
        concurrency_options: ConcurrencyOptions | None = None,
        parameters: dict[str, Any] | None = None,
        description: str | None = None,
        work_queue_name: str | None = None,
        work_pool_name: str | None = None,
        tags: list[str] | None = None,
        storage_document_id: UUID | None = None,
        path: str | None = None,
        entrypoint: str | None = None,
        infrastructure_document_id: UUID | None = None,
        parameter_openapi_schema: dict[str, Any] | None = None,
        paused: bool | None = None,
        pull_steps: list[dict[str, Any]] | None = None,
        enforce_parameter_schema: bool | None = None,
        job_variables: dict[str, Any] | None = None,
        branch: str | None = None,
        base: UUID | None = None,
        root: UUID | None = None,
    ) -> UUID: ...
    async def create_deployment_schedules(
        self,
        deployment_id: UUID,
        schedules: list[tuple[AnySchedule, bool]] | list[DeploymentScheduleCreate],
        max_scheduled_runs: int | None = None,
        parameters: dict[str, Any] | None = None,
        slug: str | None = None,
    ) -> list[DeploymentSchedule]: ...
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
    async def create_flow_run_from_deployment(
        self,
        deployment_id: UUID,
        *,
        parameters: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
        state: State[Any] | None = None,
        name: str | None = None,
        tags: Iterable[str] | None = None,
        idempotency_key: str | None = None,
        parent_task_run_id: UUID | None = None,
        work_queue_name: str | None = None,
        job_variables: dict[str, Any] | None = None,
        labels: KeyValueLabels | None = None,
    ) -> FlowRun: ...
    async def create_flow_run_input(
        self, flow_run_id: UUID, key: str, value: str, sender: str | None = None
    ) -> None: ...
    async def create_global_concurrency_limit(
        self, concurrency_limit: GlobalConcurrencyLimitCreate
    ) -> UUID: ...
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
    async def create_variable(self, variable: VariableCreate) -> Variable: ...
    async def create_work_pool(self, work_pool: WorkPoolCreate, overwrite: bool = False) -> WorkPool: ...
    async def create_work_queue(
        self,
        name: str,
        description: str | None = None,
        is_paused: bool | None = None,
        concurrency_limit: int | None = None,
        priority: int | None = None,
        work_pool_name: str | None = None,
    ) -> WorkQueue: ...
    async def decrement_v1_concurrency_slots(
        self, names: list[str], task_run_id: UUID, occupancy_seconds: float
    ) -> httpx.Response: ...
    async def delete_artifact(self, artifact_id: UUID) -> None: ...
    async def delete_automation(self, automation_id: UUID) -> None: ...
    async def delete_block_document(self, block_document_id: UUID) -> None: ...
    async def delete_block_type(self, block_type_id: UUID) -> None: ...
    async def delete_concurrency_limit_by_tag(self, tag: str) -> None: ...
    async def delete_deployment(self, deployment_id: UUID) -> None: ...
    async def delete_deployment_schedule(self, deployment_id: UUID, schedule_id: UUID) -> None: ...
    async def delete_flow(self, flow_id: UUID) -> None: ...
    async def delete_flow_run(self, flow_run_id: UUID) -> None: ...
    async def delete_flow_run_input(self, flow_run_id: UUID, key: str) -> None: ...
    async def delete_global_concurrency_limit_by_name(self, name: str) -> httpx.Response: ...
    async def delete_resource_owned_automations(self, resource_id: str) -> None: ...
    async def delete_task_run(self, task_run_id: UUID) -> None: ...
    async def delete_variable_by_name(self, name: str) -> None: ...
    async def delete_work_pool(self, work_pool_name: str) -> None: ...
    async def delete_work_queue_by_id(self, id: UUID) -> None: ...
    async def filter_flow_run_input(
        self, flow_run_id: UUID, key_prefix: str, limit: int, exclude_keys: set[str]
    ) -> list[FlowRunInput]: ...
    async def find_automation(self, id_or_name: str | UUID) -> Automation | None: ...
    async def get_most_recent_block_schema_for_block_type(
        self, block_type_id: UUID
    ) -> BlockSchema | None: ...
    async def get_runs_in_work_queue(
        self, id: UUID, limit: int = 10, scheduled_before: datetime | None = None
    ) -> list[FlowRun]: ...
    async def get_scheduled_flow_runs_for_deployments(
        self, deployment_ids: list[UUID], scheduled_before: datetime | None = None, limit: int | None = None
    ) -> list[FlowRun]: ...
    async def get_scheduled_flow_runs_for_work_pool(
        self,
        work_pool_name: str,
        work_queue_names: list[str] | None = None,
        scheduled_before: datetime | None = None,
    ) -> list[WorkerFlowRunResponse]: ...
    async def hello(self) -> httpx.Response: ...
    async def increment_concurrency_slots(
        self, names: list[str], slots: int, mode: Literal["concurrency", "rate_limit"]
    ) -> httpx.Response: ...
    async def increment_concurrency_slots_with_lease(
        self,
        names: list[str],
        slots: int,
        mode: Literal["concurrency", "rate_limit"],
        lease_duration: float,
        holder: ConcurrencyLeaseHolder | None = None,
    ) -> httpx.Response: ...
    async def increment_v1_concurrency_slots(self, names: list[str], task_run_id: UUID) -> httpx.Response: ...
    async def match_work_queues(
        self, prefixes: list[str], work_pool_name: str | None = None
    ) -> list[WorkQueue]: ...
    async def pause_automation(self, automation_id: UUID) -> None: ...
    async def pause_deployment(self, deployment_id: UUID | str) -> None: ...
    async def raise_for_api_version_mismatch(self) -> None: ...
    async def raise_for_api_version_mismatch_once(self) -> None: ...
    async def read_artifacts(self, **kwargs: Any) -> list[Artifact]: ...
    async def read_automation(self, automation_id: UUID | str) -> Automation | None: ...
    async def read_automations(
        self,
        *,
        automations: AutomationFilter | None = None,
        sort: AutomationSort | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Automation]: ...
    async def read_automations_by_name(self, name: str) -> list[Automation]: ...
    async def read_block_document(
        self, block_document_id: UUID, include_secrets: bool = True
    ) -> BlockDocument: ...
    async def read_block_document_by_name(
        self, name: str, block_type_slug: str, include_secrets: bool = True
    ) -> BlockDocument: ...
    async def read_block_documents(
        self,
        block_schema_type: str | None = None,
        offset: int | None = None,
        limit: int | None = None,
        include_secrets: bool = True,
    ) -> list[BlockDocument]: ...
    async def read_block_documents_by_type(
        self,
        block_type_slug: str,
        offset: int | None = None,
        limit: int | None = None,
        include_secrets: bool = True,
    ) -> list[BlockDocument]: ...
    async def read_block_schema_by_checksum(
        self, checksum: str, version: str | None = None
    ) -> BlockSchema: ...
    async def read_block_schemas(self) -> list[BlockSchema]: ...
    async def read_block_type_by_slug(self, slug: str) -> BlockType: ...
    async def read_block_types(self) -> list[BlockType]: ...
    async def read_concurrency_limit_by_tag(self, tag: str) -> ConcurrencyLimit: ...
    async def read_concurrency_limits(self, limit: int, offset: int) -> list[ConcurrencyLimit]: ...
    async def read_deployment(self, deployment_id: UUID | str) -> DeploymentResponse: ...
    async def read_deployment_by_name(self, name: str) -> DeploymentResponse: ...
    async def read_deployment_schedules(self, deployment_id: UUID) -> list[DeploymentSchedule]: ...
    async def read_deployments(
        self,
        *,
        flow_filter: FlowFilter | None = None,
        flow_run_filter: FlowRunFilter | None = None,
        task_run_filter: TaskRunFilter | None = None,
        deployment_filter: DeploymentFilter | None = None,
        work_pool_filter: WorkPoolFilter | None = None,
        work_queue_filter: WorkQueueFilter | None = None,
        limit: int | None = None,
        sort: DeploymentSort | None = None,
        offset: int = 0,
    ) -> list[DeploymentResponse]: ...
    async def read_events(self, filter: EventFilter | None = None, limit: int = 100) -> EventPage: ...
    async def read_events_page(self, next_page_url: str) -> EventPage: ...
    async def read_flow(self, flow_id: UUID) -> Flow: ...
    async def read_flow_by_name(self, flow_name: str) -> Flow: ...
    async def read_flow_run(self, flow_run_id: UUID) -> FlowRun: ...
    async def read_flow_run_input(self, flow_run_id: UUID, key: str) -> str: ...
    async def read_flow_run_state(self, flow_run_state_id: UUID) -> State[Any]: ...
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
    async def read_global_concurrency_limit_by_name(self, name: str) -> GlobalConcurrencyLimitResponse: ...
    async def read_global_concurrency_limits(
        self, limit: int = 10, offset: int = 0
    ) -> list[GlobalConcurrencyLimitResponse]: ...
    async def read_latest_artifacts(self, **kwargs: Any) -> list[ArtifactCollection]: ...
    async def read_logs(
        self,
        log_filter: LogFilter | None = None,
        limit: int | None = None,
        offset: int | None = None,
        sort: LogSort | None = None,
    ) -> list[Log]: ...
    async def read_resource_related_automations(self, resource_id: str) -> list[Automation]: ...
    async def read_server_default_result_storage(self) -> ResultStorage: ...
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
    async def read_variable_by_name(self, name: str) -> Variable | None: ...
    async def read_variables(self, limit: int | None = None) -> list[Variable]: ...
    async def read_work_pool(self, work_pool_name: str) -> WorkPool: ...
    async def read_work_pool_concurrency_status(
        self, work_pool_name: str, page: int = 1, limit: int | None = None, flow_run_limit: int = 10
    ) -> WorkPoolConcurrencyStatus: ...
    async def read_work_pools(
        self, limit: int | None = None, offset: int = 0, work_pool_filter: WorkPoolFilter | None = None
    ) -> list[WorkPool]: ...
    async def read_work_queue(self, id: UUID) -> WorkQueue: ...
    async def read_work_queue_by_name(self, name: str, work_pool_name: str | None = None) -> WorkQueue: ...
    async def read_work_queue_concurrency_status(
        self, id: UUID, page: int = 1, limit: int | None = None
    ) -> WorkQueueConcurrencyStatus: ...
    async def read_work_queue_status(self, id: UUID) -> WorkQueueStatusDetail: ...
    async def read_work_queues(
        self,
        work_pool_name: str | None = None,
        work_queue_filter: WorkQueueFilter | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[WorkQueue]: ...
    async def read_worker_metadata(self) -> dict[str, Any]: ...
    async def read_workers_for_work_pool(
        self,
        work_pool_name: str,
        worker_filter: WorkerFilter | None = None,
        offset: int | None = None,
        limit: int | None = None,
    ) -> list[Worker]: ...
    async def release_concurrency_slots(
        self, names: list[str], slots: int, occupancy_seconds: float
    ) -> httpx.Response: ...
    async def release_concurrency_slots_with_lease(self, lease_id: UUID) -> httpx.Response: ...
    async def renew_concurrency_lease(self, lease_id: UUID, lease_duration: float) -> httpx.Response: ...
    async def request(
        self,
        method: str,
        path: str,
        params: dict[str, Any] | None = None,
        path_params: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> httpx.Response: ...
    async def reset_concurrency_limit_by_tag(
        self, tag: str, slot_override: list[UUID | str] | None = None
    ) -> None: ...
    async def resume_automation(self, automation_id: UUID) -> None: ...
    async def resume_deployment(self, deployment_id: UUID | str) -> None: ...
    async def resume_flow_run(
        self, flow_run_id: UUID, run_input: dict[str, Any] | None = None
    ) -> OrchestrationResult: ...
    async def send_worker_heartbeat(
        self,
        work_pool_name: str,
        worker_name: str,
        heartbeat_interval_seconds: float | None = None,
        get_worker_id: bool = False,
        worker_metadata: Any = None,
    ) -> UUID | None: ...
    async def set_deployment_paused_state(self, deployment_id: UUID, paused: bool) -> None: ...
    async def set_flow_run_name(self, flow_run_id: UUID, name: str) -> httpx.Response: ...
    async def set_flow_run_state(
        self, flow_run_id: UUID | str, state: State[Any], force: bool = False
    ) -> OrchestrationResult: ...
    async def set_task_run_name(self, task_run_id: UUID, name: str) -> httpx.Response: ...
    async def set_task_run_state(
        self, task_run_id: UUID, state: State[Any], force: bool = False
    ) -> OrchestrationResult: ...
    async def update_artifact(self, artifact_id: UUID, artifact: ArtifactUpdate) -> None: ...
    async def update_automation(self, automation_id: UUID, automation: Any) -> None: ...
    async def update_block_document(
        self, block_document_id: UUID, block_document: BlockDocumentUpdate
    ) -> None: ...
    async def update_block_type(self, block_type_id: UUID, block_type: BlockTypeUpdate) -> None: ...
    async def update_deployment(self, deployment_id: UUID, deployment: DeploymentUpdate) -> None: ...
    async def update_deployment_schedule(
        self,
        deployment_id: UUID,
        schedule_id: UUID,
        active: bool | None = None,
        schedule: AnySchedule | None = None,
        max_scheduled_runs: int | None = None,
        parameters: dict[str, Any] | None = None,
        slug: str | None = None,
    ) -> None: ...
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
    async def update_flow_run_labels(self, flow_run_id: UUID, labels: KeyValueLabels) -> None: ...
    async def update_global_concurrency_limit(
        self, name: str, concurrency_limit: GlobalConcurrencyLimitUpdate
    ) -> httpx.Response: ...
    async def update_server_default_result_storage(
        self, default_result_storage_block_id: UUID
    ) -> ResultStorage: ...
    async def update_variable(self, variable: VariableUpdate) -> None: ...
    async def update_work_pool(self, work_pool_name: str, work_pool: WorkPoolUpdate) -> None: ...
    async def update_work_queue(self, id: UUID, **kwargs: Any) -> None: ...
    async def upsert_global_concurrency_limit_by_name(
        self, name: str, limit: int, slot_decay_per_second: float | None = None
    ) -> None: ...
    def client_version(self) -> str: ...
