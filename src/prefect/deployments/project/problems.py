"""What is wrong with what is to be deployed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from prefect.client.base import Caller
from prefect.deployments.project.wanted import Wanted
from prefect.exceptions import ObjectNotFound
from prefect.operations.work_pools import read_work_pool
from prefect.parameters.job_schema import job_schema
from prefect.parameters.schema_check import SchemaError, mismatches
from prefect.schemas.work_pools import WorkPool

__all__ = ["Pools", "notes_of", "problems_of", "with_typed_variables"]


class Pools:
    """The work pools that deployments go to, each looked up once.

    Args:
        client: Whom to ask.
    """

    def __init__(self, client: Caller) -> None:
        self._client = client
        self._found: dict[str, WorkPool | None] = {}

    def find(self, name: str) -> WorkPool | None:
        """Return a pool; None: there is none of that name.

        Args:
            name: Its name.
        """
        if name not in self._found:
            try:
                self._found[name] = self._client.call(read_work_pool, name)
            except ObjectNotFound:
                self._found[name] = None
        return self._found[name]


def problems_of(wanted: Wanted, pools: Pools) -> Iterator[str]:
    """Yield what is wrong with a deployment, for all that can be known before it runs.

    Args:
        wanted: The deployment.
        pools: The work pools.
    """
    data = wanted.data
    yield from _of_pool(wanted, pools)
    if data.enforce_parameter_schema is False:
        return
    schema: Mapping[str, Any] = data.parameter_openapi_schema or {}
    yield from _of_parameters("parameters", data.parameters, schema)
    for place, each in enumerate(data.schedules):
        shown = each.slug or place
        yield from _of_parameters(f"schedules[{shown}].parameters", each.parameters, schema)


def with_typed_variables(wanted: Wanted, pools: Pools) -> Wanted:
    """Read job variables that are texts, as options give them, where the work pool takes no text there.

    Args:
        wanted: The deployment.
        pools: The work pools.
    """
    name = wanted.data.work_pool_name
    pool = pools.find(name) if isinstance(name, str) else None
    if pool is None:
        return wanted
    schema = job_schema(pool.base_job_template)
    given = _job_variables(wanted)
    typed = {key: _typed(key, value, schema) for key, value in given.items()}
    return wanted if typed == given else replace(wanted, data=replace(wanted.data, job_variables=typed))


def _typed(name: str, value: Any, schema: Mapping[str, Any]) -> Any:
    if not isinstance(value, str) or _has_placeholder(value) or not any(_mismatches({name: value}, schema)):
        return value
    try:
        read = json.loads(value)
    except ValueError:
        return value
    return value if any(_mismatches({name: read}, schema)) else read


def _of_pool(wanted: Wanted, pools: Pools) -> Iterator[str]:
    name = wanted.data.work_pool_name
    if not isinstance(name, str):
        yield (
            "it needs a work pool, whose workers run it: give --pool, or work_pool: {name: …}, or set "
            "PREFECT_DEFAULT_WORK_POOL_NAME."
        )
        return
    pool = pools.find(name)
    if pool is None:
        yield (f"there is no work pool {name!r}. Make it: prefect work-pool create {name!r} --type process")
        return
    given = {key: value for key, value in _job_variables(wanted).items() if not _has_placeholder(value)}
    for text in _mismatches(given, job_schema(pool.base_job_template)):
        yield f"work_pool.job_variables: {text}"


def _of_parameters(where: str, given: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    known = schema.get("properties")
    if known is not None and not _takes_any(schema):
        for name in sorted(given.keys() - known.keys()):
            yield f"{where}: the flow has no parameter {name!r}. It has {', '.join(known) or 'none'}."
    plain = {key: value for key, value in given.items() if not _has_placeholder(value)}
    for text in _mismatches(plain, schema):
        yield f"{where}: {text}"


def _takes_any(schema: Mapping[str, Any]) -> bool:
    """Whether a flow has `**options`: those are kept under their own name."""
    return bool(schema.get("additionalProperties"))


def _mismatches(values: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    if not schema:
        return
    try:
        found = mismatches(values, schema, partial=True)
    except SchemaError as error:
        yield str(error)
        return
    for each in found:
        path = ".".join(map(str, each.absolute_path))
        yield f"{path}: {each.message}" if path else each.message


def _has_placeholder(value: Any) -> bool:
    if isinstance(value, str):
        return "{{" in value
    if isinstance(value, Mapping):
        return any(map(_has_placeholder, value.values()))
    return isinstance(value, list) and any(map(_has_placeholder, value))


def _job_variables(wanted: Wanted) -> dict[str, Any]:
    given = wanted.data.job_variables
    return given if isinstance(given, dict) else {}


def notes_of(wanted: Wanted, pools: Pools) -> Iterator[str]:
    """Yield what may be a mistake.

    Args:
        wanted: The deployment.
        pools: The work pools.
    """
    name = wanted.data.work_pool_name
    pool = pools.find(name) if isinstance(name, str) else None
    if pool is None:
        return
    known = (pool.base_job_template.get("variables") or {}).get("properties") or {}
    for each in sorted(_job_variables(wanted).keys() - known.keys()):
        yield f"The jobs of work pool {pool.name!r} do nothing with job variable {each!r}."
