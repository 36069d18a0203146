"""`prefect flow`: see flows."""

from __future__ import annotations

from prefect.cli.commands import Group
from prefect.cli.listing import list_readable
from prefect.cli.log_lines import Output
from prefect.cli.moments import ago
from prefect.cli.output import print_json, print_table
from prefect.cli.selecting import Limit
from prefect.client.current import get_caller
from prefect.operations import read_flows
from prefect.schemas.queries import FlowQuery
from prefect.schemas.sorting import FlowSort

__all__ = ["run"]

group = Group("flow")
run = group.run


@group.command("ls")
def ls(*, limit: Limit = 15, output: Output = None) -> None:
    """List flows, newest first.

    Args:
        limit: At most so many.
        output: Print for programs.
    """
    flows = list_readable(get_caller(), read_flows, FlowQuery(sort=FlowSort.CREATED_DESC, limit=limit))
    if output:
        print_json(flows)
        return
    rows = [[str(flow.id), flow.name, ago(flow.created)] for flow in flows]
    print_table("Flows", ["ID", "Name", "Created"], rows)
