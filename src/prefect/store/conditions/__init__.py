"""Filters as SQL conditions, one module for each kind of object; how they are made is in `base`."""

from prefect.store.conditions.base import (
    TAG_TESTS,
    TESTS,
    Condition,
    Criterion,
    Test,
    all_of,
    among,
    is_null,
    joined,
    of,
)
from prefect.store.conditions.deployments import deployment_condition
from prefect.store.conditions.flow_runs import flow_run_condition
from prefect.store.conditions.flows import flow_condition
from prefect.store.conditions.logs import log_condition
from prefect.store.conditions.task_runs import task_run_condition
from prefect.store.conditions.work_pools import work_pool_condition, work_queue_condition

__all__ = [
    "TAG_TESTS",
    "TESTS",
    "Condition",
    "Criterion",
    "Test",
    "all_of",
    "among",
    "deployment_condition",
    "flow_condition",
    "flow_run_condition",
    "is_null",
    "joined",
    "log_condition",
    "of",
    "task_run_condition",
    "work_pool_condition",
    "work_queue_condition",
]
