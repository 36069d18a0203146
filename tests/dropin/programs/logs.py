"""Logging in runs, and testing of runs."""

from __future__ import annotations

import asyncio
import logging
import uuid
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.logging import disable_run_logger, get_logger
from prefect.logging.loggers import flow_run_logger, task_run_logger
from prefect.settings import PREFECT_LOGGING_EXTRA_LOGGERS, PREFECT_LOGGING_LEVEL, temporary_settings
from prefect.testing.utilities import prefect_test_harness


class Listener(logging.Handler):
    """Keeps what is logged while it is attached to the loggers of runs."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self.names = names or ("prefect.flow_runs", "prefect.task_runs")
        self.lines: list[str] = []
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        self.lines.append(f"{record.name.removeprefix('prefect.')} {record.levelname} {record.getMessage()}")

    def __enter__(self) -> Listener:
        for name in self.names:
            logging.getLogger(name).addHandler(self)
        return self

    def __exit__(self, *_: Any) -> None:
        for name in self.names:
            logging.getLogger(name).removeHandler(self)


@flow
def warm_up() -> None:
    """Whatever is set up with the first run is set up after this."""


def listening() -> Listener:
    warm_up()
    return Listener()


def own(listener: Listener) -> list[str]:
    """What the programs here log themselves."""
    return [line for line in listener.lines if "> " in line]


def program_run_loggers() -> None:
    @task
    def work(x: int) -> None:
        logger = get_run_logger()
        logger.info("> task %s of %d", x, 2)
        logger.warning(f"> careful with {x}")
        logger.debug("> not shown")

    @flow
    def run() -> None:
        logger = get_run_logger()
        logger.info("> flow begins")
        logger.error("> an error %r", "text")
        work(1)
        work.submit(2).wait()
        logger.critical("> the end", extra={"anything": 1})

    with listening() as listener:
        run()
    print("\n".join(own(listener)))


def program_fields_of_records() -> None:
    @task(task_run_name="the task")
    def work() -> None:
        get_run_logger().info("> task")

    @flow(name="the flow", flow_run_name="the run")
    def run() -> None:
        get_run_logger().info("> flow", extra={"own": "extra"})
        work()

    with listening() as listener:
        run()
    for record in listener.records:
        if record.getMessage().startswith("> "):
            found = {name: getattr(record, name, None) for name in ("flow_run_name", "flow_name")}
            found |= {name: getattr(record, name, None) for name in ("task_run_name", "task_name", "own")}
            print(record.getMessage(), found, len(str(getattr(record, "flow_run_id", ""))))


def program_log_prints() -> None:
    @task
    def inherits() -> None:
        print("> printed in a task", 1, sep="|")

    @task(log_prints=False)
    def refuses() -> None:
        print("> stays on stdout")

    @flow
    def child() -> None:
        print("> printed in a child")

    @flow(log_prints=True)
    def run() -> None:
        print("> printed", {"a": 1}, end="!")
        inherits()
        inherits.submit().wait()
        refuses()
        child()

    @flow
    def plain() -> None:
        print("> plain stdout")

    with listening() as listener:
        run()
        plain()
    print("\n".join(own(listener)))


def program_print_to_files() -> None:
    import io

    file = io.StringIO()

    @flow(log_prints=True)
    def run() -> None:
        print("> into the file", file=file)

    with listening() as listener:
        run()
    print(file.getvalue().strip(), own(listener))


def program_exceptions_logged() -> None:
    @flow
    def run() -> None:
        try:
            1 / 0  # noqa: B018
        except ZeroDivisionError:
            get_run_logger().exception("> division")

    with listening() as listener:
        run()
    (record,) = [record for record in listener.records if record.getMessage().startswith("> ")]
    print(record.levelname, record.exc_info is not None and record.exc_info[0])


def program_levels() -> None:
    @flow
    def run() -> None:
        get_run_logger().debug("> debug")
        get_run_logger().warning("> warning")
        get_run_logger().log(logging.ERROR, "> error")

    with temporary_settings({PREFECT_LOGGING_LEVEL: "DEBUG"}), listening() as listener:
        run()
    print(own(listener)[-2:])


def program_named_loggers() -> None:
    logger = get_logger("mine")
    print(logger.name, get_logger().name, get_logger("prefect.mine").name, get_logger(__name__).name)


def program_loggers_of_given_runs() -> None:
    from prefect.client.schemas.objects import FlowRun, TaskRun

    flow_run = FlowRun(flow_id=uuid.uuid4(), name="given")
    task_run = TaskRun(task_key="t", dynamic_key="0", name="given task", flow_run_id=flow_run.id)
    with listening() as listener:
        flow_run_logger(flow_run).info("> flow run")
        task_run_logger(task_run).info("> task run")
    print(own(listener))


def program_adapter_children() -> None:
    @flow
    def run() -> None:
        logger = get_run_logger()
        child = logger.getChild("part")
        child.info("> from a part")
        print(
            child.logger.name,
            logger.name if hasattr(logger, "name") else None,
            logger.isEnabledFor(logging.INFO),
        )

    with listening() as listener:
        run()
    print(own(listener))


def program_disabled_run_logger() -> None:
    @task
    def work(x: int) -> int:
        get_run_logger().info("> never seen")
        return x + 1

    with disable_run_logger():
        print(work.fn(1))
    try:
        work.fn(1)
    except RuntimeError as error:
        print(type(error).__name__)


def program_fn_of_tasks_and_flows() -> None:
    @task(retries=3)
    def work(x: int) -> int:
        if x < 0:
            raise ValueError("negative")
        return x + 1

    @flow
    def run(x: int) -> int:
        return work.fn(x) * 2

    print(work.fn(1), run.fn(2))
    try:
        work.fn(-1)
    except ValueError as error:
        print(error)


def program_test_harness() -> None:
    @task
    def work(x: int) -> int:
        return x * 2

    @flow
    def run(x: int) -> int:
        return work(x) + work.submit(1).result()

    with prefect_test_harness():
        print(run(4))
        state = run(1, return_state=True)
        print(state.name, state.result())


def program_tests_in_a_harness() -> None:
    import unittest

    @task
    def extract() -> list[int]:
        return [1, 2]

    @flow
    def pipeline(extra: int = 0) -> int:
        return sum(extract()) + extra

    class TestPipeline(unittest.TestCase):
        def test_result(self) -> None:
            self.assertEqual(pipeline(), 3)

        def test_state(self) -> None:
            self.assertTrue(pipeline(5, return_state=True).is_completed())

        def test_task_alone(self) -> None:
            self.assertEqual(extract.fn(), [1, 2])

        def test_bad_parameter(self) -> None:
            from prefect.exceptions import ParameterTypeError

            with self.assertRaises(ParameterTypeError):
                pipeline("many")  # type: ignore[arg-type]

        def test_mocked_task(self) -> None:
            from unittest.mock import patch

            with patch.object(extract, "fn", return_value=[5]):
                self.assertEqual(pipeline(), 5)

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(TestPipeline).run(result)
    print(result.testsRun, [text.splitlines()[-1] for _, text in result.failures + result.errors])


def program_async_logging() -> None:
    @task
    async def work(i: int) -> None:
        await asyncio.sleep(0)
        get_run_logger().info("> async task %d", i)

    @flow
    async def run() -> None:
        get_run_logger().info("> async flow")
        await asyncio.gather(*[work(i) for i in range(2)])

    with listening() as listener:
        asyncio.run(run())
    print(sorted(own(listener)))


def program_standard_loggers() -> None:
    mine = logging.getLogger("my_library")
    mine.setLevel(logging.INFO)

    @task
    def work() -> None:
        mine.info("> from the library")

    @flow
    def run() -> None:
        work()

    with (
        temporary_settings({PREFECT_LOGGING_EXTRA_LOGGERS: "my_library"}),
        Listener("my_library") as listener,
    ):
        run()
    print(own(listener))


def program_caught_failures_in_logs() -> None:
    @task(retries=1)
    def work() -> None:
        raise ConnectionError("down")

    @flow
    def run() -> str:
        try:
            work()
        except ConnectionError as error:
            get_run_logger().warning("> going on without: %s", error)
        return "done"

    with listening() as listener:
        print(run())
    print("\n".join(own(listener)))
