"""What the options of `prefect deploy` say, as the fields of a deployment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefect.cli.values import read_object, read_pairs, split_pair
from prefect.exceptions import CommandFailed

__all__ = ["fields_of", "read_trigger_option"]

_PLAIN = ("entrypoint", "description", "version", "version_type", "enforce_parameter_schema")


def fields_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a deployment that options change.

    Args:
        options: What was given to the command, by parameter.

    Raises:
        prefect.exceptions.CommandFailed: An option makes no sense.
    """
    fields = {name: options[name] for name in _PLAIN if options[name] is not None}
    if options["tag"]:
        fields["tags"] = options["tag"]
    parameters = {
        **read_object("--params", options["params"]),
        **read_pairs("--param", options["param"]),
    }
    if parameters:
        fields["parameters"] = parameters
    if schedules := _schedules(options):
        fields["schedules"] = schedules
    if pool := _pool(options):
        fields["work_pool"] = pool
    if limit := _limit(options):
        fields["concurrency_limit"] = limit
    if options["trigger"]:
        fields["triggers"] = [each for text in options["trigger"] for each in read_trigger_option(text)]
    return fields


def _schedules(options: Mapping[str, Any]) -> list[dict[str, Any]]:
    zone, anchor = options["timezone"], options["anchor_date"]
    intervals = options["interval"] or []
    schedules = [
        *({"cron": each} for each in options["cron"] or ()),
        *({"interval": each, **({"anchor_date": anchor} if anchor else {})} for each in intervals),
        *({"rrule": each} for each in options["rrule"] or ()),
    ]
    if anchor and not intervals:
        raise CommandFailed("--anchor-date goes with --interval.")
    if zone and not schedules:
        raise CommandFailed("--timezone goes with --cron, --interval or --rrule.")
    return [{**each, **({"timezone": zone} if zone else {})} for each in schedules]


def _pool(options: Mapping[str, Any]) -> dict[str, Any]:
    pool = {"name": options["pool"], "work_queue_name": options["work_queue"]}
    variables: dict[str, Any] = {}
    for text in options["job_variable"] or ():
        # Texts stay texts, whatever they look like: a version is no number.
        variables |= (
            read_object("--job-variable", text)
            if text.lstrip().startswith("{")
            else dict([split_pair("--job-variable", text)])
        )
    if variables:
        pool["job_variables"] = variables
    return {name: value for name, value in pool.items() if value is not None}


def _limit(options: Mapping[str, Any]) -> Any:
    limit, strategy = options["concurrency_limit"], options["collision_strategy"]
    if strategy is None:
        return limit
    return {"collision_strategy": strategy, **({} if limit is None else {"limit": limit})}


def read_trigger_option(text: str) -> list[Any]:
    """Return the triggers that `--trigger` names.

    Args:
        text: A trigger as JSON, or the path of a YAML or JSON file with one, or with a list of `triggers`.

    Raises:
        prefect.exceptions.CommandFailed: It is none of these.
    """
    if text.endswith((".yaml", ".yml", ".json")):
        from prefect.deployments.project.document import read_document

        given = read_document(Path(text)).data
    else:
        try:
            given = json.loads(text)
        except ValueError as error:
            raise CommandFailed(
                f"--trigger needs JSON, or the path of a .yaml or .json file: {error}"
            ) from error
    if isinstance(given, dict) and isinstance(given.get("triggers"), list) and "type" not in given:
        return list(given["triggers"])
    return list(given) if isinstance(given, list) else [given]
