"""Has one flow run carried out by a process."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from prefect.client.current import get_caller
from prefect.operations.flow_runs import read_flow_run
from prefect.runner.children import start_child
from prefect.runner.claims import end_left_run
from prefect.settings import get_current_settings
from prefect.settings.runtime_variables import FLOW_ENTRYPOINT

__all__ = ["carry_out_one"]


def carry_out_one(
    flow_run_id: UUID,
    entrypoint: str | None,
    command: str | None,
    cwd: Path | str | None,
    env: Mapping[str, str | None],
    stream_output: bool,
) -> int:
    """Have a flow run carried out, and wait until its process has ended; see `Runner.execute_flow_run`."""
    client = get_caller()
    run = client.call(read_flow_run, flow_run_id)
    child = start_child(
        run,
        command=None if command is None else shlex.split(command),
        env={**env, **({FLOW_ENTRYPOINT: entrypoint} if entrypoint else {})},
        cwd=cwd,
        stream_output=stream_output,
        capture_output=get_current_settings().runner.capture_output,
    )
    code = child.wait()
    assert code is not None
    end_left_run(client, flow_run_id, code, ran_out=child.ran_out)
    return code
