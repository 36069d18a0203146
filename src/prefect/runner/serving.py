"""`serve`: runs deployments from this process."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from prefect.client.awaiting import awaited
from prefect.deployments.runner import RunnerDeployment
from prefect.engine.signals import termination_as_exception
from prefect.logging.configuration import ensure_logging_setup
from prefect.logging.loggers import get_logger
from prefect.runner.runner import Runner

__all__ = ["aserve", "serve"]


def serve(
    *args: RunnerDeployment,
    pause_on_shutdown: bool = True,
    print_starting_message: bool = True,
    limit: int | None = None,
    **kwargs: Any,
) -> None:
    """Run deployments from this process, until Ctrl-C is pressed or the process is told to end.

    Args:
        *args: The deployments; `flow.to_deployment(...)` makes them.
        pause_on_shutdown: Whether their schedules rest from then on.
        print_starting_message: Whether to say how runs of them are started.
        limit: How many runs are carried out at a time; None: as PREFECT_RUNNER_PROCESS_LIMIT says.
        **kwargs: Further arguments of `Runner`.
    """
    ensure_logging_setup()
    if limit is not None:
        kwargs["limit"] = limit
    runner = Runner(pause_on_shutdown=pause_on_shutdown, **kwargs)
    try:
        with termination_as_exception(), ExitStack() as ending:
            ending.callback(runner._clean_up)
            if pause_on_shutdown:
                ending.callback(runner._pause)  # also where it is told to end while it starts
            for deployment in args:
                runner._add(deployment)
            for deployment in args if print_starting_message else ():
                get_logger("runner").info(
                    "Serving %s: its scheduled runs are carried out here. "
                    "Run it now: prefect deployment run %r",
                    deployment.full_name,
                    deployment.full_name,
                )
            runner.run()
    except KeyboardInterrupt:
        get_logger("runner").info("Stopped")


aserve = awaited(serve)
