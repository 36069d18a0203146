"""`prefect deploy`: deploy flows."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from prefect.cli.asking import ask, keep_in_file, may_ask
from prefect.cli.commands import Flag, Single
from prefect.cli.deploy_options import fields_of
from prefect.cli.log_lines import Output
from prefect.cli.output import print_json
from prefect.client.current import get_caller
from prefect.deployments.project.deploying import Deployed, Deploying
from prefect.deployments.project.file import Entry, ProjectFile, read_project
from prefect.deployments.project.planning import Planned, all_problems, plan
from prefect.deployments.project.selecting import overridden, select
from prefect.exceptions import CommandFailed
from prefect.operations.work_pools import WorkPoolPage, read_work_pools
from prefect.settings import get_current_settings

__all__ = ["run"]

DEFAULT_FILE = "prefect.yaml"
"""Need not be there; a file that was named must."""

Texts = Annotated[list[str] | None, Flag(metavar="TEXT")]


def deploy(  # noqa: PLR0913 - as many options as the interface has
    entrypoint: str | None = None,
    *,
    name: Annotated[list[str] | None, Flag("-n", metavar="NAME")] = None,
    all: bool = False,
    check: bool = False,
    prefect_file: Annotated[str, Flag(metavar="PATH")] = DEFAULT_FILE,
    pool: Annotated[str | None, Flag("-p", metavar="POOL")] = None,
    work_queue: Annotated[str | None, Flag("-q", metavar="QUEUE")] = None,
    job_variable: Annotated[list[str] | None, Flag("-jv", metavar="KEY=VALUE")] = None,
    cron: Annotated[list[str] | None, Flag(metavar="CRON")] = None,
    interval: Annotated[list[float] | None, Flag(parse=float, metavar="SECONDS")] = None,
    anchor_date: Annotated[str | None, Flag(metavar="TIME", also="--interval-anchor")] = None,
    rrule: Annotated[list[str] | None, Flag(metavar="RRULE")] = None,
    timezone: Annotated[str | None, Flag(metavar="ZONE")] = None,
    param: Annotated[list[str] | None, Flag(metavar="KEY=VALUE")] = None,
    params: Annotated[str | None, Flag(metavar="JSON")] = None,
    enforce_parameter_schema: bool | None = None,
    tag: Annotated[list[str] | None, Flag("-t", metavar="TAG")] = None,
    version: Annotated[str | None, Flag(metavar="VERSION")] = None,
    version_type: Annotated[str | None, Flag(metavar="TYPE")] = None,
    description: Annotated[str | None, Flag("-d", metavar="TEXT")] = None,
    concurrency_limit: Annotated[int | None, Flag("-cl", metavar="N")] = None,
    collision_strategy: Literal["ENQUEUE", "CANCEL_NEW"] | None = None,
    trigger: Annotated[list[str] | None, Flag(metavar="JSON-OR-PATH")] = None,
    output: Output = None,
) -> None:
    """Deploy flows, as prefect.yaml or options say; what is there already, and the same, is left alone.

    Args:
        entrypoint: The flow: path/to/file.py:name, or package.module:name.
        name: The deployment, NAME or FLOW/NAME; * stands for anything. Can be given several times.
        all: Deploy all that prefect.yaml has.
        check: Say what is wrong, and change nothing: find each flow as a worker will, and run none.
        prefect_file: The file.
        pool: The work pool whose workers run it.
        work_queue: A queue of the pool.
        job_variable: One of the pool's, or several as a JSON object. Can be given several times.
        cron: A cron expression. Can be given several times.
        interval: Seconds between runs. Can be given several times.
        anchor_date: What intervals count from.
        rrule: A recurrence rule of iCalendar. Can be given several times.
        timezone: The time zone that schedules are in, such as Europe/Paris.
        param: A parameter; its value is JSON or plain text. Can be given several times.
        params: Parameters as one JSON object; - reads it from standard input.
        enforce_parameter_schema: Refuse runs whose parameters do not fit, as is done unless --no-….
        tag: A tag of its runs. Can be given several times.
        version: Its version; left out, the flow's.
        version_type: What kind of version that is.
        description: What it is for; left out, the flow's.
        concurrency_limit: How many of its runs are let run at a time.
        collision_strategy: What becomes of further ones.
        trigger: An event that makes a run of it. Can be given several times.
        output: Print for programs.
    """
    _carry_out(locals())


def _carry_out(options: Mapping[str, Any]) -> None:
    output, path = options["output"], Path(options["prefect_file"])
    if not path.exists() and path != Path(DEFAULT_FILE):
        raise CommandFailed(f"There is no file {str(path)!r}.")
    asks = may_ask()
    entries = _entries(read_project(path), options, asks=asks)
    planned = plan(entries, get_caller(), as_worker=options["check"])
    _say_notes(planned)
    problems = list(all_problems(planned))
    if problems:
        raise CommandFailed("\n".join(problems if options["check"] else [*problems, "Nothing was deployed."]))
    if options["check"]:
        for each in planned:
            print(f"{each.shown}: nothing is wrong")
        return
    done = _deploy(planned, output)
    if output:
        print_json(done)
    elif asks and entries[0].where == "the command line":
        keep_in_file(path, entries[0].fields)


def _entries(project: ProjectFile, options: Mapping[str, Any], *, asks: bool) -> list[Entry]:
    names, entrypoint, all_ = options["name"] or [], options["entrypoint"], options["all"]
    changes = fields_of(options)
    if asks and not names and not all_ and entrypoint is None:
        known = [each.name for each in project.entries if each.name]
        names = [ask("Which deployment?", known)] if len(known) > 1 else names
    entries = select(project, names, entrypoint, all_=all_)
    unnamed = sum(not each.name for each in project.entries)
    if all_ and not names and unnamed:
        print(f"{unnamed} deployments in {project.path} have no name, and are left out.", file=sys.stderr)
    if len(entries) > 1:
        if changes:
            print("Options that change a deployment go to one alone: here they change none.", file=sys.stderr)
        return entries
    entry = overridden(entries[0], changes)
    if asks:
        entry = overridden(entry, _asked_for(entry.fields))
    return [entry]


def _asked_for(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for what a deployment cannot do without."""
    found: dict[str, Any] = {}
    if not fields.get("entrypoint"):
        found["entrypoint"] = ask("The flow, such as flows.py:load")
    if not fields.get("name"):
        found["name"] = ask("The deployment's name")
    has_pool = (fields.get("work_pool") or {}).get("name")
    if not has_pool and not get_current_settings().deployments.default_work_pool_name:
        pools = get_caller().call(read_work_pools, WorkPoolPage(limit=50))
        found["work_pool"] = {"name": ask("The work pool", [each.name for each in pools])}
    return found


def _say_notes(planned: Sequence[Planned]) -> None:
    for each in planned:
        for note in each.notes:
            print(f"{each.shown}: {note}", file=sys.stderr)


def _deploy(planned: Sequence[Planned], output: str | None) -> list[Deployed]:
    deploying = Deploying(get_caller(), lambda text: print(f"{text} ...", file=sys.stderr))
    done: list[Deployed] = []
    for each in planned:
        made = deploying.deploy(each)
        done.append(made)
        if output is None:
            changed = f": {', '.join(made.changes)}" if made.changes else ""
            print(f"{made.name}: {made.status}{changed}")
    if output is None:
        print()
        print(f"Have one run:       prefect deployment run '{done[0].name}'")
        for pool in dict.fromkeys(each.work_pool_name for each in done):
            print(f"Carry out its runs: prefect worker start --pool '{pool}'")
    return done


run = Single("deploy", deploy).run
