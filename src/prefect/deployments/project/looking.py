"""Finds out about flows without running them, and without loading their scripts into this process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from prefect.deployments.project.facts import FlowFacts, Looked, Request
from prefect.exceptions import MissingFlowError, ScriptError
from prefect.schemas.base import encode_json, whole
from prefect.settings.runtime_variables import environment_with
from prefect.utilities.flow_source import FlowSource, find_source, read_source

__all__ = ["look_at", "read_here"]

_AT_A_TIME = 4
_SECONDS = 300
"""How long loading a script may take; what takes longer waits for something that will not come."""


def look_at(requests: Sequence[Request]) -> list[Looked]:
    """Find out about flows, each in a process of its own.

    A script that needs a module which is not installed here is read instead: its workers may have it.

    Args:
        requests: Where they are. Those that are equal are looked at once.

    Returns:
        What was found, in their order.
    """
    different = {encode_json(each): each for each in requests}
    with ThreadPoolExecutor(_AT_A_TIME, "prefect-look") as pool:
        found = dict(zip(different, pool.map(_look, different.values()), strict=True))
    return [found[encode_json(each)] for each in requests]


def read_here(entrypoint: str) -> FlowSource | None:
    """Read what the source of a flow says, if its file is here and has it.

    Args:
        entrypoint: The entrypoint.
    """
    found = find_source(entrypoint)
    try:
        return None if found is None else read_source(*found)
    except (MissingFlowError, ScriptError):
        return None


def _look(request: Request) -> Looked:
    command = [sys.executable, "-m", "prefect.deployments.project.look"]
    try:
        done = subprocess.run(
            command,
            input=encode_json(request),
            env=environment_with({}),
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
        looked = msgspec.json.decode(done.stdout, type=whole(Looked))
    except subprocess.TimeoutExpired:
        return Looked(problem=f"The script was not loaded within {_SECONDS} seconds.")
    except msgspec.DecodeError:
        said = done.stderr.decode(errors="replace").strip()
        return Looked(
            problem=f"The process that loaded the script ended with {done.returncode}: {said[-2000:]}"
        )
    if looked.is_missing_module and not request.steps:
        return _read(request.entrypoint, looked)
    return looked


def _read(entrypoint: str, looked: Looked) -> Looked:
    source = read_here(entrypoint)
    if source is None:
        return looked
    facts = FlowFacts(
        name=source.name,
        description=source.description,
        version=source.version,
        parameter_schema=source.parameters,
    )
    note = (
        f"{looked.problem}. Its parameters were read from the source: types that it imports are not checked."
    )
    return Looked(facts=facts, notes=[*looked.notes, note])
