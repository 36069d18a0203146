"""Which logger a run gets, and what its records say."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Any
from uuid import uuid4

import pytest

from prefect import flow, runtime
from prefect.context import FlowRunContext, add_live_root, remove_live_root
from prefect.exceptions import MissingContextError
from prefect.logging import LogEavesdropper, disable_run_logger, get_logger, get_run_logger
from prefect.logging.loggers import PrefectLogAdapter, disable_logger, flow_run_logger, task_run_logger
from prefect.schemas.objects import FlowRun, Log, TaskRun

Stored = Callable[[], list[Log]]
Enter = Callable[..., Any]


def in_thread(work: Callable[[], object]) -> list[object]:
    """Return what a function returned, or raised, in a thread without any context."""
    results: list[object] = []

    def run() -> None:
        try:
            results.append(work())
        except MissingContextError as error:
            results.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return results


def test_a_flow_gets_the_flow_runs_logger(in_flow: Enter, stored: Stored) -> None:
    with in_flow() as context:
        logger = get_run_logger()
        logger.info("hello %s", "world")
    assert logger.name == "prefect.flow_runs"
    assert logger.extra == {
        "flow_run_name": "calm-fox",
        "flow_run_id": str(context.flow_run.id),
        "flow_name": "my-flow",
        "deployment_name": None,
    }
    (log,) = stored()
    assert (log.name, log.level, log.message) == ("prefect.flow_runs", logging.INFO, "hello world")
    assert (log.flow_run_id, log.task_run_id) == (context.flow_run.id, None)


def test_a_task_gets_the_task_runs_logger_although_a_flow_is_around_it(
    in_task: Enter, stored: Stored
) -> None:
    with in_task() as context:
        get_run_logger().warning("careful")
    (log,) = stored()
    assert (log.name, log.task_run_id) == ("prefect.task_runs", context.task_run.id)
    assert log.flow_run_id == context.task_run.flow_run_id


def test_a_context_may_be_given(in_flow: Enter, in_task: Enter, stored: Stored) -> None:
    with in_task() as task_context:
        flow_context = FlowRunContext.get()
        get_run_logger(flow_context).info("of the flow")
    get_run_logger(task_context).info("of the task, later")
    assert [log.task_run_id for log in stored()] == [None, task_context.task_run.id]


def test_no_context_of_a_run_is_an_error() -> None:
    with pytest.raises(TypeError, match="flow or task run"):
        get_run_logger("calm-fox")  # type: ignore[arg-type]


def test_without_a_run_the_error_says_what_to_do() -> None:
    with pytest.raises(MissingContextError, match=r"(?s)no active flow or task run.*copy_context"):
        get_run_logger()


def test_a_thread_with_a_copy_of_the_context_has_the_runs_logger(in_task: Enter, stored: Stored) -> None:
    with in_task() as context:
        work = copy_context()
        in_thread(lambda: work.run(lambda: get_run_logger().info("from a thread")))
    assert [log.task_run_id for log in stored()] == [context.task_run.id]


def test_a_bare_thread_belongs_to_the_only_run_and_to_none_of_two(in_flow: Enter, stored: Stored) -> None:
    @flow(log_prints=False)
    def only() -> tuple[str, list[object]]:
        in_thread(lambda: get_run_logger().info("mine"))
        with in_flow("other") as other:
            add_live_root(other)
            errors = in_thread(get_run_logger)
            remove_live_root(other)
        return runtime.flow_run.id, errors

    run_id, (error,) = only()
    assert isinstance(error, MissingContextError)
    assert [str(log.flow_run_id) for log in stored() if log.message == "mine"] == [run_id]


def test_facts_given_to_the_logger_and_to_the_call_are_in_the_record(in_flow: Enter) -> None:
    with in_flow(), LogEavesdropper("prefect.flow_runs") as heard:
        heard.setFormatter(logging.Formatter("%(flow_run_name)s %(customer)s"))
        logger = get_run_logger(customer="acme")
        logger.info("x")
        logger.info("x", extra={"customer": "other"})
        logger.getChild("sub", {"part": 1}).info("x")
    assert heard.text() == "calm-fox acme\ncalm-fox other\ncalm-fox acme"
    assert logger.getChild("sub", {"part": 1}).extra["customer"] == "acme"


def test_children_are_recorded_with_the_run(in_flow: Enter, stored: Stored) -> None:
    with in_flow() as context:
        get_run_logger().getChild("sub").info("x")
    (log,) = stored()
    assert (log.name, log.flow_run_id) == ("prefect.flow_runs.sub", context.flow_run.id)


def test_loggers_of_given_runs(stored: Stored) -> None:
    flow_run = FlowRun(flow_id=uuid4(), name="calm-fox")
    task_run = TaskRun(task_key="load", dynamic_key="0", name="load-0", flow_run_id=flow_run.id)
    flow_run_logger(flow_run).info("a")
    flow_run_logger(flow_run_id=flow_run.id).info("b")
    logger = task_run_logger(task_run, flow_run=flow_run, attempt=2)
    logger.info("c")
    assert isinstance(logger, PrefectLogAdapter)
    assert logger.extra["flow_run_name"] == "calm-fox"
    assert (logger.extra["task_name"], logger.extra["attempt"]) == ("<unknown>", 2)
    assert {log.flow_run_id for log in stored()} == {flow_run.id}


def test_a_task_run_without_a_flow_run_is_recorded(stored: Stored) -> None:
    task_run = TaskRun(task_key="load", dynamic_key="0", name="load-0")
    task_run_logger(task_run).info("alone")
    (log,) = stored()
    assert (log.flow_run_id, log.task_run_id) == (None, task_run.id)


@pytest.mark.parametrize(
    ("name", "full"),
    [
        (None, "prefect"),
        ("x", "prefect.x"),
        ("prefect.x", "prefect.x"),
        ("prefectural", "prefect.prefectural"),
        ("prefect", "prefect.prefect"),
    ],
)
def test_loggers_are_below_prefect(name: str | None, full: str) -> None:
    assert get_logger(name).name == full


def test_disabled_run_loggers_need_no_run_and_say_nothing(in_flow: Enter, stored: Stored) -> None:
    with disable_run_logger():
        assert not get_run_logger().isEnabledFor(logging.CRITICAL)
        with in_flow():
            get_run_logger().info("unheard")
    with pytest.raises(MissingContextError):
        get_run_logger()
    assert stored() == []


def test_one_logger_is_disabled_for_a_while() -> None:
    with disable_logger("a_library"):
        assert logging.getLogger("a_library").disabled
    assert not logging.getLogger("a_library").disabled


def test_what_is_heard_by_an_eavesdropper() -> None:
    with LogEavesdropper("a_library", level=logging.INFO) as heard:
        logging.getLogger("a_library").info("hi %s", 1)
        logging.getLogger("a_library").debug("too quiet")
        logging.getLogger("a_library.below").error("ouch")
    logging.getLogger("a_library").error("too late")
    assert heard.text() == "[INFO]: hi 1\n[ERROR]: ouch"
