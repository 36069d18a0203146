"""Opens the cluster that a runner works on, and a client of it."""

from __future__ import annotations

import importlib
import logging
import multiprocessing
from collections.abc import Callable
from contextlib import ExitStack
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from prefect.exceptions import ConfigurationError
from prefect.logging.loggers import get_logger

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Place", "open_client"]

_NO_GUARD = (
    "DaskTaskRunner starts processes that import this script, and the script calls the flow when it is "
    "imported. Call it below `if __name__ == '__main__':`."
)
_NO_BOKEH = (
    "performance_report_path: Dask's report needs bokeh where its scheduler runs (for a temporary cluster, "
    "here): `pip install bokeh`."
)
_OF_THIS_MACHINE = {
    # A machine under load takes longer than the usual 15 seconds to replace a worker that was killed, and
    # Dask would end the replacement then, and have one worker less.
    "distributed.deploy.lost-worker-timeout": "5 minutes",
    # And it may be silent for more than the usual 30 seconds, which is no loss: of a process that has ended,
    # the connection is closed at once.
    "distributed.comm.timeouts.tcp": "5 minutes",
    # A daemon may not start processes (`multiprocessing.Pool`). Workers end with this process anyhow: Dask
    # has them watch a pipe.
    "distributed.worker.daemon": False,
}
_LOG = "distributed.admin.low-level-log-length"
_LOGGED = 50
"""What of that Dask keeps to itself, in messages to a worker or client: for those who mend Dask."""


class Place(NamedTuple):
    """Where tasks run, as the user said it."""

    cluster: Any
    address: str | None
    cluster_class: str | Callable[..., Any] | None
    cluster_kwargs: dict[str, Any]
    adapt_kwargs: dict[str, Any]
    client_kwargs: dict[str, Any]
    performance_report_path: str | None

    @property
    def is_fixed(self) -> bool:
        """Whether the cluster is one of ours, of so many workers: if it has none, none will come."""
        return self.cluster is None and self.address is None and not self.adapt_kwargs


def open_client(place: Place, stack: ExitStack) -> Client:
    """Connect to the cluster, after starting it where it is to be a temporary one.

    Args:
        place: Which cluster.
        stack: Ends what was started here.

    Raises:
        prefect.exceptions.ConfigurationError: The script that is running starts itself again and again, or a
            report is wanted that cannot be made.
        OSError: There is no scheduler at the address.
    """
    from distributed import Client, performance_report  # noqa: PLC0415 - an optional extra, and slow to load

    logger = get_logger("task_runners.dask")
    library = logging.getLogger("distributed")
    if library.level == logging.INFO:
        # As Dask sets it on import: a line for each connection, which would go to the run's log too.
        library.setLevel(logging.WARNING)
    target: Any = place.address if place.cluster is None else place.cluster
    if target is None:
        target = _start(place, stack)
        logger.info("Created a temporary Dask cluster: %s", getattr(target, "dashboard_link", target))
    elif place.address is not None:
        logger.info("Connecting to the Dask cluster at %s", place.address)
    # It is ours, and not what dask's own collections compute on unless `get_dask_client` says so.
    with _short_memory():
        try:
            made = Client(target, **{"set_as_default": False, **place.client_kwargs})
        except OSError as error:
            if place.address is None:
                raise
            raise OSError(
                f"There is no Dask scheduler at {place.address}, or no way from here to it: {error}. "
                "`dask scheduler` starts one, and says its address."
            ) from error
        client = stack.enter_context(made)
    if place.performance_report_path is not None:
        # Dask itself would say so at the end, when all the work is done.
        if client.run_on_scheduler(find_spec, "bokeh") is None:
            raise ConfigurationError(_NO_BOKEH)
        stack.enter_context(client.as_current())
        stack.enter_context(performance_report(filename=place.performance_report_path))
    return client


def _short_memory() -> Any:
    """Have Dask keep few of the messages that it has sent: our tasks in them are tens of megabytes."""
    import dask  # noqa: PLC0415 - an optional extra

    return dask.config.set({_LOG: min(_LOGGED, dask.config.get(_LOG, _LOGGED))})


def _start(place: Place, stack: ExitStack) -> Any:
    make, options = place.cluster_class, dict(place.cluster_kwargs)
    if make is None:
        import dask  # noqa: PLC0415 - as above
        from distributed import LocalCluster  # noqa: PLC0415 - as above

        if options.get("processes", True) and getattr(
            multiprocessing.current_process(), "_inheriting", False
        ):
            raise ConfigurationError(_NO_GUARD)
        make = LocalCluster
        stack.enter_context(dask.config.set(_OF_THIS_MACHINE))
        stack.enter_context(_short_memory())
        # Any free port: a second flow on this machine is no reason for a warning.
        options.setdefault("dashboard_address", ":0")
    elif isinstance(make, str):
        module, _, name = make.replace(":", ".").rpartition(".")
        make = getattr(importlib.import_module(module), name)
    cluster = stack.enter_context(make(**options))
    if place.adapt_kwargs:
        cluster.adapt(**place.adapt_kwargs)
    return cluster
