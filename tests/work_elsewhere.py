"""Work that the tests of `test_elsewhere.py` have done in other threads and processes."""

from __future__ import annotations

import json
import sys
from typing import Any

from prefect import get_run_logger, task
from prefect.context import FlowRunContext, TagsContext
from prefect.runtime import flow_run, task_run
from prefect.settings import get_current_settings


@task
def helper(place: str) -> str | None:
    get_run_logger().info("helper at %s", place)
    return flow_run.id


def work(place: str) -> dict[str, Any]:
    """Do what a run may do, and tell what it looks like from here."""
    get_run_logger().info("work at %s", place)
    print("printed at", place)
    seen = {
        "flow run": (flow_run.id, flow_run.name, flow_run.flow_name, flow_run.parameters, flow_run.tags),
        "task run": (task_run.id, task_run.name, task_run.run_count),
        "tags": sorted(TagsContext.get().current_tags),
        "setting": get_current_settings().logging.to_api.max_log_size,
        "helper": helper(place),
        "has live context": FlowRunContext.get() is not None,
    }
    seen["task run after"] = task_run.id
    return json.loads(json.dumps(seen))


def send(connection: Any, fn: Any, place: str) -> None:
    connection.send(fn(place))
    connection.close()


if __name__ == "__main__":
    json.dump(work(sys.argv[1]), sys.stderr)
