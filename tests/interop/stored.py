"""What a server has stored, made comparable: ids, times and generated names are replaced by what they are."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx

__all__ = ["comparable_text", "differences", "stored"]

Json = Any
Found = dict[str, Json]

_UUID = re.compile(r"\b[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\b")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?")
_PORT = re.compile(r"(127\.0\.0\.1|localhost):\d+")
_HOME = re.compile(r"/\S*/(ours|theirs)\d*/(client|server)")
_DYNAMIC = re.compile(r"-[0-9a-f]{3}\b")
_RANDOM_NAME = re.compile(r"\b[a-z]+-[a-z]+\b")
_MEASURED = {
    "total_run_time",
    "estimated_run_time",
    "estimated_start_time_delta",
    "avg_slot_occupancy_seconds",
}


def stored(url: str) -> Found:
    """Return everything that was stored on a server, comparable with what another one stored.

    Args:
        url: The server's API.
    """
    with httpx.Client(base_url=url, timeout=60) as client:
        return dict(_sections(lambda path, **body: client.post(path, json=body).json(), client))


def _sections(ask: Callable[..., Json], client: httpx.Client) -> Iterator[tuple[str, Json]]:
    flows = {flow["id"]: flow["name"] for flow in ask("/flows/filter")}
    # How many runs a schedule has planned, and how far they are, is another matter each time.
    runs = [
        run
        for run in ask("/flow_runs/filter", sort="START_TIME_ASC")
        if run["deployment_id"] is None or run["state_name"] == "Completed"
    ]
    names = {run["id"]: flows[run["flow_id"]] for run in runs}
    yield "flows", _by(ask("/flows/filter"), lambda flow: flow["name"])
    yield "flow_runs", _by(runs, lambda run: flows[run["flow_id"]])
    for section, path in (("flow_run_states", "/flow_run_states/"), ("graphs", "")):
        if path:
            of_runs = [(run, client.get(path, params={"flow_run_id": run["id"]}).json()) for run in runs]
        else:
            of_runs = [(run, client.get(f"/flow_runs/{run['id']}/graph-v2").json()) for run in runs]
        yield section, _by(of_runs, lambda each: flows[each[0]["flow_id"]], lambda each: each[1])
    tasks = [
        run for run in ask("/task_runs/filter", sort="EXPECTED_START_TIME_ASC") if run["flow_run_id"] in names
    ]
    keys = {
        run["id"]: f"{names.get(run['flow_run_id'])}/{run['task_key'].rpartition('-')[0]}" for run in tasks
    }
    yield "task_runs", _by(tasks, lambda run: keys[run["id"]])
    histories = [
        (run, client.get("/task_run_states/", params={"task_run_id": run["id"]}).json()) for run in tasks
    ]
    yield "task_run_states", _by(histories, lambda each: keys[each[0]["id"]], lambda each: each[1])
    logs = [log for log in ask("/logs/filter", sort="TIMESTAMP_ASC") if log["flow_run_id"] in names]
    yield "logs", _by(logs, lambda log: f"{names.get(log['flow_run_id'])}")
    yield "artifacts", _by(ask("/artifacts/filter"), lambda one: str(one["key"]))
    yield "artifact_collections", _by(ask("/artifacts/latest/filter"), lambda one: one["key"])
    yield "variables", _by(ask("/variables/filter"), lambda one: one["name"])
    documents = ask("/block_documents/filter", include_secrets=False)
    yield "block_documents", _by(documents, lambda one: f"{one['block_type']['slug']}/{one['name']}")
    yield (
        "block_documents_in_clear",
        _by(
            ask("/block_documents/filter", include_secrets=True),
            lambda one: f"{one['block_type']['slug']}/{one['name']}",
        ),
    )
    yield "deployments", _by(ask("/deployments/filter"), lambda one: one["name"])
    pools = ask("/work_pools/filter")
    yield "work_pools", _by(pools, lambda one: one["name"])
    for pool in pools:
        at = f"/work_pools/{pool['name']}"
        yield f"queues of {pool['name']}", _by(ask(f"{at}/queues/filter"), lambda one: one["name"])
        yield f"workers of {pool['name']}", _by(ask(f"{at}/workers/filter"), lambda one: one["name"])
    yield "limits", _by(ask("/v2/concurrency_limits/filter"), lambda one: one["name"])
    yield "tag_limits", _by(ask("/concurrency_limits/filter"), lambda one: one["tag"])


def _by(
    objects: list[Json], key: Callable[[Json], str], value: Callable[[Json], Json] = lambda one: one
) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for one in objects:
        found.setdefault(comparable_text(key(one)), []).append(_comparable(value(one)))
    return {name: _sorted(name, each) for name, each in sorted(found.items())}


def _sorted(name: str, objects: list[Json]) -> list[Json]:
    """Put objects in an order; of the many runs that a schedule makes, keep each kind once."""
    texts = sorted(json.dumps(one, sort_keys=True) for one in objects)
    if name.startswith("deployed-flow"):
        texts = sorted(set(texts))
    return [json.loads(text) for text in texts]


def _comparable(value: Json, name: str = "") -> Json:
    if isinstance(value, dict):
        return {comparable_text(key): _comparable(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_comparable(each) for each in value]
    if name == "infrastructure_pid":
        return value and "<pid>"
    if name in _MEASURED:
        return "<seconds>" if value or name.startswith("estimated") else 0
    if isinstance(value, str):
        text = comparable_text(value)
        return (
            _RANDOM_NAME.sub("<name>", _DYNAMIC.sub("-<key>", text))
            if name in ("name", "label", "message")
            else text
        )
    return value


def comparable_text(text: str) -> str:
    """Return a text without the ids, times, addresses and folders of one run."""
    return _HOME.sub("<home>", _PORT.sub("<host>", _TIME.sub("<time>", _UUID.sub("<id>", text))))


def differences(ours: Json, theirs: Json, path: str = "") -> Iterator[str]:
    """Yield what is not the same, with where it is.

    Args:
        ours: What one server stored.
        theirs: What the other stored.
        path: Where the two are.
    """
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        for name in [*theirs, *(name for name in ours if name not in theirs)]:
            if name not in ours:
                yield f"{path}.{name}: missing here, there {_short(theirs[name])}"
            elif name not in theirs:
                yield f"{path}.{name}: only here {_short(ours[name])}"
            else:
                yield from differences(ours[name], theirs[name], f"{path}.{name}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(one, other, f"{path}[{index}]")
    elif isinstance(ours, list) and isinstance(theirs, list):
        yield from (f"{path}[]: only here {_short(one)}" for one in ours if one not in theirs)
        yield from (f"{path}[]: only there {_short(one)}" for one in theirs if one not in ours)
        if all(one in theirs for one in ours) and all(one in ours for one in theirs):
            yield f"{path}: {len(ours)} times here, {len(theirs)} times there"
    elif ours != theirs:
        yield f"{path}: here {_short(ours)}, there {_short(theirs)}"


def _short(value: Json) -> str:
    return json.dumps(value)[:2000]
