"""What a client of the interface does: flows as users write them, run by a client elsewhere.

`python scenarios.py NAME` runs one; its last line of output is the id of its flow run.
"""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import timedelta

from prefect import flow, get_run_logger, runtime, task
from prefect.cache_policies import INPUTS
from prefect.states import Completed


@task
def add(x: int, y: int) -> int:
    return x + y


@flow(name="hello-flow")
def hello(name: str = "world") -> int:
    logger = get_run_logger()
    logger.info("Hello %s!", name)
    one = add(1, 2)
    two = add(one, 2)
    logger.warning("Got %d", two)
    return add(two, 1)


@task
async def double(x: int) -> int:
    return 2 * x


@task(retries=1, retry_delay_seconds=0)
async def flaky() -> str:
    if runtime.task_run.run_count < 2:
        raise ValueError("not yet")
    return "ok"


@task
async def broken() -> None:
    raise RuntimeError("broken on purpose")


@flow(name="child-flow")
async def child(x: int) -> int:
    return await double(x)


@flow(name="async-parent")
async def parent(n: int = 4) -> None:
    doubled = double.map(list(range(n)))
    total = sum(future.result() for future in doubled)
    await flaky()
    await child(total)
    await broken()


attempts = []


@flow(name="flow-retry", retries=1, retry_delay_seconds=0)
def retried() -> str:
    attempts.append(1)
    if len(attempts) < 2:
        raise ValueError("first attempt")
    return "ok"


@flow(name="flow-timeout", timeout_seconds=0.2)
def too_slow() -> None:
    for _ in range(100):
        time.sleep(0.05)


@task(cache_policy=INPUTS, persist_result=True, cache_expiration=timedelta(minutes=5))
def costly(x: int) -> int:
    return x


@flow(name="flow-cached", persist_result=True)
def cached() -> int:
    return costly(7) + costly(7)


@flow(name="flow-named-state")
def named_state():
    return Completed(name="Skipped-ish", message="nothing to do")


@flow(name="flow-params", flow_run_name="named-{x}", version="7", log_prints=True)
def with_parameters(x: int = 3, when: str = "now") -> None:
    print("parameters", x, when)
    assert runtime.flow_run.parameters == {"x": x, "when": when}
    assert runtime.flow_run.name == f"named-{x}"


@flow(name="flow-crash")
def crashing() -> None:
    raise KeyboardInterrupt


SCENARIOS = {
    "hello": hello,
    "parent": parent,
    "retried": retried,
    "too_slow": too_slow,
    "cached": cached,
    "named_state": named_state,
    "with_parameters": with_parameters,
    "crashing": crashing,
}


def main(name: str) -> None:
    chosen = SCENARIOS[name]
    try:
        state = chosen(return_state=True)
        if asyncio.iscoroutine(state):
            state = asyncio.run(state)
        print(state.state_details.flow_run_id)
    except KeyboardInterrupt:
        print("interrupted")


if __name__ == "__main__":
    for each in sys.argv[1:]:
        main(each)
