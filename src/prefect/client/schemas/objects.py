"""Objects of the data model, under the path that existing code imports them from."""

from prefect.schemas.artifacts import (
    Artifact,
    ArtifactCollection,
)
from prefect.schemas.blocks import (
    BlockDocument,
    BlockSchema,
    BlockType,
)
from prefect.schemas.concurrency import (
    ConcurrencyLeaseHolder,
    ConcurrencyLimit,
    GlobalConcurrencyLimit,
)
from prefect.schemas.deployments import (
    ConcurrencyLimitConfig,
    ConcurrencyLimitStrategy,
    ConcurrencyOptions,
    Deployment,
    DeploymentSchedule,
    DeploymentStatus,
    VersionInfo,
)
from prefect.schemas.inputs import (
    FlowRunInput,
)
from prefect.schemas.objects import (
    Constant,
    CreatedBy,
    Flow,
    FlowRun,
    FlowRunPolicy,
    FlowRunResult,
    Log,
    Parameter,
    TaskRun,
    TaskRunPolicy,
    TaskRunResult,
)
from prefect.schemas.states import (
    TERMINAL_STATES,
    State,
    StateDetails,
    StateGroup,
    StateType,
)
from prefect.schemas.variables import (
    Variable,
)
from prefect.schemas.work_pools import (
    QueueFilter,
    Worker,
    WorkerStatus,
    WorkPool,
    WorkPoolStatus,
    WorkPoolStorageConfiguration,
    WorkQueue,
    WorkQueueHealthPolicy,
    WorkQueueStatus,
    WorkQueueStatusDetail,
)

__all__ = [
    "Artifact",
    "ArtifactCollection",
    "BlockDocument",
    "BlockSchema",
    "BlockType",
    "ConcurrencyLeaseHolder",
    "ConcurrencyLimit",
    "ConcurrencyLimitConfig",
    "ConcurrencyLimitStrategy",
    "ConcurrencyOptions",
    "Constant",
    "CreatedBy",
    "Deployment",
    "DeploymentSchedule",
    "DeploymentStatus",
    "Flow",
    "FlowRun",
    "FlowRunInput",
    "FlowRunPolicy",
    "FlowRunResult",
    "GlobalConcurrencyLimit",
    "Log",
    "Parameter",
    "QueueFilter",
    "State",
    "StateDetails",
    "StateGroup",
    "StateType",
    "TERMINAL_STATES",
    "TaskRun",
    "TaskRunPolicy",
    "TaskRunResult",
    "Variable",
    "VersionInfo",
    "WorkPool",
    "WorkPoolStatus",
    "WorkPoolStorageConfiguration",
    "WorkQueue",
    "WorkQueueHealthPolicy",
    "WorkQueueStatus",
    "WorkQueueStatusDetail",
    "Worker",
    "WorkerStatus",
]
