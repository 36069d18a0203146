"""Flows that are paused, resumed with and without an input, and cancelled. `python waits.py`"""

from __future__ import annotations

import threading
import time

from prefect import flow, get_client, pause_flow_run, task
from prefect.client.schemas.filters import FlowRunFilter
from prefect.flow_runs import resume_flow_run
from prefect.input import RunInput
from prefect.states import Cancelling


class Answer(RunInput):
    name: str
    times: int = 1


@task
def say(what: str) -> str:
    return what


@flow(name="pausing")
def pausing() -> str:
    say("before")
    pause_flow_run(timeout=60, poll_interval=1)
    return say("after")


@flow(name="asking")
def asking() -> str:
    answer = pause_flow_run(wait_for_input=Answer, timeout=60, poll_interval=1)
    return say(answer.name * answer.times)


@flow(name="cancelled")
def cancelled() -> None:
    say("working")
    time.sleep(3)


def meanwhile(name: str, state: str, act) -> threading.Thread:
    """Act on the run of a flow, as soon as it is in a state."""

    def watch() -> None:
        with get_client(sync_client=True) as client:
            for _ in range(300):
                runs = client.read_flow_runs(flow_run_filter=FlowRunFilter(state={"name": {"any_": [state]}}))
                found = [run for run in runs if client.read_flow(run.flow_id).name == name]
                if found:
                    act(client, found[0])
                    return
                time.sleep(0.1)

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def main() -> None:
    helper = meanwhile("pausing", "Paused", lambda client, run: resume_flow_run(run.id))
    print(pausing())
    helper.join()
    helper = meanwhile(
        "asking", "Paused", lambda client, run: resume_flow_run(run.id, run_input={"name": "ab", "times": 2})
    )
    print(asking())
    helper.join()
    helper = meanwhile(
        "cancelled", "Running", lambda client, run: client.set_flow_run_state(run.id, Cancelling())
    )
    print(cancelled(return_state=True).type)
    helper.join()


if __name__ == "__main__":
    main()
