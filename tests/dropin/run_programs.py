"""Run programs one after another and show what they print: `python run_programs.py FILE [NAME …]`.

A program is a function `program_…` of the file. Each runs in a directory of its own; an exception that
escapes is shown with its type and text. What no two runs have in common (ids, addresses, paths) is blotted
out. With PROGRAMS_LOG_LEVEL=30 in the environment, what flows and tasks log at that level or above is shown.

It needs nothing but an installed `prefect`, so that the same programs can be run with other implementations.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
import os
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

BLOTS = [
    (re.compile(r"\b[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"\b0x[0-9a-f]{6,}\b"), "<address>"),
    (re.compile(r"(/[\w.+-]+)+/(?=[\w.<-])"), "<directory>/"),
]
LOGGERS_OF_RUNS = ("prefect.flow_runs", "prefect.task_runs")


def main(path: Path, wanted: list[str]) -> None:
    logged: list[str] = []
    level = os.environ.get("PROGRAMS_LOG_LEVEL")
    if level is not None:
        listen(logged, int(level))
    for function, program in list(vars(load(path)).items()):
        name = function.removeprefix("program_")
        if name != function and (not wanted or name in wanted):
            print(f"== {name}\n{run(program, logged)}", end="", flush=True)


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def listen(lines: list[str], level: int) -> None:
    """Keep what the loggers of flows and tasks say, whatever handlers they have."""
    hand_on = logging.Logger.callHandlers

    def keep(logger: logging.Logger, record: logging.LogRecord) -> None:
        if record.levelno >= level and record.name.startswith(LOGGERS_OF_RUNS):
            lines.append(f"~ {record.levelname} {record.getMessage().splitlines()[0]}\n")
        hand_on(logger, record)

    logging.Logger.callHandlers = keep  # type: ignore[method-assign]


def run(program: Callable[[], None], logged: list[str]) -> str:
    printed = io.StringIO()
    logged.clear()
    with (
        tempfile.TemporaryDirectory() as directory,
        contextlib.chdir(directory),
        contextlib.redirect_stdout(printed),
    ):
        try:
            program()
        except Exception as error:  # noqa: BLE001 - shown
            print(f"!! {type(error).__name__}: {error}")
    text = "".join([printed.getvalue(), *logged])
    for pattern, blot in BLOTS:
        text = pattern.sub(blot, text)
    return text


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
