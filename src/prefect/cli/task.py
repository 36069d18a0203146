"""`prefect task`: serve tasks."""

from __future__ import annotations

from typing import Annotated

from prefect.cli.commands import Flag, Group
from prefect.exceptions import ConfigurationError
from prefect.task_worker import TaskWorker
from prefect.tasks import Task
from prefect.utilities.entrypoints import all_of_module, load_from_entrypoint

__all__ = ["run"]

group = Group("task")
run = group.run


@group.command("serve")
def serve(
    *entrypoints: Annotated[str, Flag(metavar="ENTRYPOINT", optional=True)],
    module: Annotated[list[str] | None, Flag(short="-m", metavar="MODULE")] = None,
    limit: Annotated[int, Flag(metavar="N")] = 10,
) -> None:
    """Run what is delayed of some tasks, until Ctrl-C.

    Args:
        entrypoints: Where the tasks are: path/to/file.py:name, or package.module:name.
        module: Serve all tasks of this module. Can be given several times.
        limit: How many runs there are at a time, at most.
    """
    tasks = [load_from_entrypoint(entrypoint, Task) for entrypoint in entrypoints]
    for name in module or ():
        tasks += all_of_module(name, Task)
    if not tasks:
        raise ConfigurationError(
            "Say which tasks: prefect task serve path/to/file.py:name, or --module NAME."
        )
    TaskWorker(*tasks, limit=limit).start()
