"""What the fields of a deployment in `prefect.yaml` may hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from prefect.deployments.project.wanted import schedules_in
from prefect.schemas.deployments import ConcurrencyLimitStrategy

__all__ = ["OF_DEPLOYMENT", "OF_PROJECT", "Problem", "problems_in"]

Problem = tuple[tuple[str | int, ...], str]
"""Where something is wrong, and what."""
Check = Callable[[Any], Iterator[Problem]]

_PLACEHOLDER = re.compile(r"\s*{{\s*[\w.\-\[\]$]+\s*}}\s*")
_HERE: tuple[str | int, ...] = ()


def problems_in(values: Mapping[str, Any], fields: Mapping[str, Check]) -> Iterator[Problem]:
    """Yield what is wrong with some fields; one that is null is as good as left out.

    A text that is nothing but a placeholder may stand anywhere: what it stands for is looked at later.

    Args:
        values: The fields.
        fields: Those that there may be.
    """
    for name, value in values.items():
        check = fields.get(str(name))
        if check is None:
            yield (str(name),), f"there is no such field. There are {', '.join(fields)}."
        elif value is not None and not _is_placeholder(value):
            yield from (((str(name), *path), text) for path, text in check(value))


def _is_placeholder(value: Any) -> bool:
    return isinstance(value, str) and _PLACEHOLDER.fullmatch(value) is not None


def _text(value: Any) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield _HERE, f"it needs a text, and has {value!r}. Put it in quotes."


def _number(value: Any) -> Iterator[Problem]:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        yield _HERE, f"it needs a whole number above 0, and has {value!r}."


def _switch(value: Any) -> Iterator[Problem]:
    if not isinstance(value, bool):
        yield _HERE, f"it needs true or false, and has {value!r}."


def _mapping(value: Any) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield _HERE, f"it needs a mapping, of values by name, and has {value!r}."
        return
    for name in value:
        if not isinstance(name, str):
            yield _HERE, f"it needs texts for names, and has {name!r}. Put it in quotes."


def _tags(value: Any) -> Iterator[Problem]:
    # The interface takes a single tag too.
    for place, tag in enumerate(
        [value] if isinstance(value, str) else value if isinstance(value, list) else ()
    ):
        if not isinstance(tag, str):
            yield (place,), f"a tag needs to be a text, unlike {tag!r}. Put it in quotes."
    if not isinstance(value, list | str):
        yield _HERE, f"it needs a list of texts, and has {value!r}."


def _steps(value: Any) -> Iterator[Problem]:
    if not isinstance(value, list):
        if not isinstance(value, dict):
            yield _HERE, f"it needs a list of steps, and has {value!r}."
        else:
            yield _HERE, "it needs a list of steps: begin each with a dash."
        return
    for place, step in enumerate(value):
        if not isinstance(step, dict) or len(step) != 1:
            yield (place,), "a step is a function with its arguments below it, and nothing beside it."
            continue
        ((path, arguments),) = step.items()
        if not isinstance(path, str) or "." not in path.strip("."):
            yield (place,), f"{path!r} is no step: give the import path of a function."
        if not isinstance(arguments, dict | None):
            yield (place, str(path)), f"its arguments need their names, unlike {arguments!r}."


def _schedules(value: Any) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield _HERE, f"it needs a list of schedules, and has {value!r}."
        return
    for place, each in enumerate(value):
        yield from (((place, *path), text) for path, text in _schedule(each))


_SCHEDULE: dict[str, Check] = {
    "cron": _text,
    "interval": lambda value: iter(()),
    "rrule": _text,
    "timezone": _text,
    "anchor_date": lambda value: iter(()),
    "day_or": _switch,
    "active": _switch,
    "parameters": _mapping,
    "slug": _text,
    "replaces": _text,
    "max_scheduled_runs": _number,
}


def _schedule(value: Any) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield _HERE, f"a schedule is a mapping with cron, interval or rrule, unlike {value!r}."
        return
    if not value:  # as `prefect init` writes it
        return
    found = list(problems_in(value, _SCHEDULE))
    yield from found
    if found or any(map(_is_placeholder, value.values())):
        return
    if sum(value.get(kind) is not None for kind in ("cron", "interval", "rrule")) != 1:
        yield _HERE, "a schedule needs one of cron, interval and rrule."
        return
    try:
        schedules_in({"schedule": value})
    except (ValueError, TypeError) as error:
        yield _HERE, f"that is no schedule: {error}"


def _limit(value: Any) -> Iterator[Problem]:
    if isinstance(value, dict):
        yield from problems_in(value, _LIMIT)
        if "limit" not in value:
            yield _HERE, "it needs a `limit`."
    else:
        yield from _number(value)


def _strategy(value: Any) -> Iterator[Problem]:
    if value not in ConcurrencyLimitStrategy.__members__:
        yield _HERE, f"there is no strategy {value!r}. There are {', '.join(ConcurrencyLimitStrategy)}."


def _grace(value: Any) -> Iterator[Problem]:
    if isinstance(value, bool) or not isinstance(value, int) or not 60 <= value <= 86_400:
        yield _HERE, f"it needs a number of seconds from 60 to 86400, and has {value!r}."


_LIMIT: dict[str, Check] = {
    "limit": _number,
    "collision_strategy": _strategy,
    "grace_period_seconds": _grace,
}
_WORK_POOL: dict[str, Check] = {"name": _text, "work_queue_name": _text, "job_variables": _mapping}


def _work_pool(value: Any) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield _HERE, f"it needs a mapping with a name, and has {value!r}."
    else:
        yield from problems_in(value, _WORK_POOL)


def _triggers(value: Any) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield _HERE, f"it needs a list of triggers, and has {value!r}."
        return
    from prefect.deployments.triggers import read_trigger  # noqa: PLC0415 - few deployments have one

    for place, each in enumerate(value):
        try:
            read_trigger(each)
        except (ValueError, TypeError, msgspec.ValidationError) as error:
            yield (place,), f"that is no trigger: {error}"


def _no_slas(value: Any) -> Iterator[Problem]:
    if value:
        yield (
            _HERE,
            "service level agreements are a service of Prefect Cloud, and not kept here: leave it out.",
        )


def _anything(value: Any) -> Iterator[Problem]:
    return iter(())


_STEPS: dict[str, Check] = {"build": _steps, "push": _steps, "pull": _steps}
OF_DEPLOYMENT: Mapping[str, Check] = {
    "name": _text,
    "entrypoint": _text,
    "flow_name": _text,
    "version": _text,
    "version_type": _text,
    "description": _text,
    "tags": _tags,
    "parameters": _mapping,
    "enforce_parameter_schema": _switch,
    "schedule": _schedule,
    "schedules": _schedules,
    "paused": _switch,
    "concurrency_limit": _limit,
    "work_pool": _work_pool,
    "triggers": _triggers,
    "sla": _no_slas,
    **_STEPS,
}
"""The fields of a deployment."""


def _deployments(value: Any) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield _HERE, f"it needs a list of deployments, and has {value!r}."
        return
    for place, each in enumerate(value):
        if not isinstance(each, dict):
            yield (place,), f"a deployment is a mapping, unlike {each!r}."
            continue
        yield from (((place, *path), text) for path, text in problems_in(each, OF_DEPLOYMENT))
        if each.get("schedule") and each.get("schedules"):
            yield (place, "schedule"), "give either `schedule` or `schedules`."


OF_PROJECT: Mapping[str, Check] = {
    "name": _text,
    "prefect-version": _text,
    "definitions": _anything,
    **_STEPS,
    "deployments": _deployments,
}
"""The fields of the file; `definitions` is where things stand that others refer to by anchors."""
