"""Every method of our client does on a server of Prefect 3.8.8 what it does on ours."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from client.test_client import (
    client,
    test_artifacts,
    test_async_code_awaits_the_same,
    test_automations,
    test_blocks,
    test_deployments,
    test_events,
    test_flow_runs,
    test_flows,
    test_inputs,
    test_it_is_known_where_things_are,
    test_labels_and_single_states,
    test_limits,
    test_limits_on_tags,
    test_logs,
    test_schedules,
    test_states_are_proposed_and_keep_where_a_result_is,
    test_task_runs,
    test_variables,
    test_where_results_go_by_default,
    test_work_pools,
    test_work_queues,
)
from prefect.settings.context import temporary_settings
from setting import PEER_PYTHON, peer_serving

__all__ = [
    "client",
    "test_artifacts",
    "test_async_code_awaits_the_same",
    "test_automations",
    "test_blocks",
    "test_deployments",
    "test_events",
    "test_flow_runs",
    "test_flows",
    "test_inputs",
    "test_it_is_known_where_things_are",
    "test_labels_and_single_states",
    "test_limits",
    "test_limits_on_tags",
    "test_logs",
    "test_schedules",
    "test_states_are_proposed_and_keep_where_a_result_is",
    "test_task_runs",
    "test_variables",
    "test_where_results_go_by_default",
    "test_work_pools",
    "test_work_queues",
]

pytestmark = [
    pytest.mark.interop,
    pytest.mark.timeout(180),
    pytest.mark.skipif(not PEER_PYTHON.exists(), reason="PEER_PYTHON names no interpreter"),
]
BY_ID = ["flow_runs", "task_runs", "flows", "deployments", "automations", "variables", "artifacts"]


@pytest.fixture(scope="module")
def peer() -> Iterator[str]:
    """The URL of a server of Prefect 3.8.8."""
    with peer_serving() as url:
        yield url


@pytest.fixture
def place(peer: str) -> Iterator[str]:
    """Settings that name the server, from which everything was deleted."""
    for kind in [*BY_ID, "v2/concurrency_limits"]:
        for found in httpx.post(f"{peer}/{kind}/filter", json={}).json():
            httpx.delete(f"{peer}/{kind}/{found['id']}")
    for pool in httpx.post(f"{peer}/work_pools/filter", json={}).json():
        httpx.delete(f"{peer}/work_pools/{pool['name']}")
    with temporary_settings({"PREFECT_API_URL": peer}):
        yield "server"
