"""What code reads about the run that it is part of: `flow_run`, `task_run`, `deployment`.

Reading is free inside a run, wherever its code runs, and empty outside of one. `docs/runtime-context.md`
lists the attributes, and says how tests replace them.
"""

from __future__ import annotations

from prefect.runtime import deployment, flow_run, task_run

__all__ = ["deployment", "flow_run", "task_run"]
