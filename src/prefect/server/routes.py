"""Routes: how a request becomes the call of an operation, and its result an answer.

There is one route for each operation of the registry, and nothing is said here of any one of them: where each
argument is in a request, `prefect.operations.calling` reads from the operation's signature.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, get_origin

import msgspec

from prefect.exceptions import ObjectNotFound
from prefect.operations import (  # noqa: F401 - with them, the registry is complete
    admin,
    artifacts,
    automations,
    block_documents,
    bulk,
    claims,
    collections,
    concurrency,
    csrf,
    deployment_plans,
    deployment_runs,
    deployments,
    event_listings,
    events,
    flow_run_details,
    flow_run_inputs,
    graphs,
    history,
    log_downloads,
    result_storage,
    run_pages,
    saved_searches,
    system_blocks,
    tag_limits,
    task_workers,
    templates,
    ui,
    variables,
    work_pools,
    work_queues,
    workers,
)
from prefect.operations.calling import SPELLED, Layout, layout_of
from prefect.operations.registry import OPERATIONS, Operation
from prefect.schemas import lenient
from prefect.schemas.actions import FlowRunCreate, StateCreate, TaskRunCreate
from prefect.schemas.base import encode_json, whole
from prefect.schemas.deployments import DeploymentFlowRunCreate
from prefect.schemas.events import EventPage
from prefect.schemas.responses import OrchestrationResult, TextFile
from prefect.schemas.states import NO_DETAILS, State
from prefect.server.bounds import check_parameters
from prefect.server.errors import InvalidRequest, OutOfRange
from prefect.store.base import Store
from prefect.types import aware, now

__all__ = ["ROUTES", "Answer", "Route"]

MOST_OBJECTS = 200
"""How many objects a page of an answer has at most."""
_MOST_ROWS = 2**63 - 1
_TIMES_OF_STATES = ("scheduled_time", "cache_expiration", "pause_timeout")
_WINDOW = frozenset(("sort", "limit", "offset", "page"))


class Answer(NamedTuple):
    """A status and a body."""

    status: int
    body: bytes
    file: TextFile | None = None
    """What is sent in place of the body, part by part."""


class Route:
    """How one operation is called over HTTP.

    Args:
        operation: The operation.
    """

    __slots__ = (
        "_bodies",
        "_decoder",
        "_has_one_body",
        "body_type",
        "in_path",
        "operation",
        "query_type",
        "result_type",
    )

    def __init__(self, operation: Operation) -> None:
        layout = layout_of(operation)
        self.operation = operation
        self.result_type: Any = layout.result_type
        self.in_path: dict[str, Any] = dict(layout.in_path)
        self.query_type: type[msgspec.Struct] | None = None
        self.body_type: Any = None
        self._bodies = list(layout.others)
        self._has_one_body = layout.is_body
        if not layout.others:
            return
        if layout.in_query:
            members = _members_of(layout)
            self.query_type = msgspec.defstruct(f"{operation.name}_query", members, rename=SPELLED)
            return
        self.body_type = (
            _wire_type(layout.others[self._bodies[0]])
            if self._has_one_body
            else msgspec.defstruct(f"{operation.name}_body", _members_of(layout))
        )
        self._decoder = lenient.Reader(self.body_type, strict=False)

    def answer(
        self, store: Store, path: Mapping[str, str], query: Mapping[str, str], body: bytes, base: str = ""
    ) -> Answer:
        """Call the operation and encode what it returns.

        Args:
            store: The store.
            path: The values in the path, by name.
            query: The values of the query.
            body: The request's body.
            base: The URL that paths are below, for answers that refer to others.

        Raises:
            prefect.server.errors.InvalidRequest: The query or the body is not what the operation takes.
            prefect.exceptions.ObjectNotFound: An id in the path is none.
        """
        began = now()
        arguments = self._arguments_in_path(path)
        if self.query_type is not None:
            arguments.update(_members(self._read_query(self.query_type, query)))
        elif self.body_type is not None:
            arguments.update(self._read_body(body))
        result = (self.operation.to_send or self.operation.function)(store, **arguments)
        if isinstance(result, EventPage) and result.next_page is not None:
            result.next_page = base + result.next_page
        status = self._status(result, began)
        if isinstance(result, TextFile):
            return Answer(status, b"", result)
        return Answer(status, b"" if status == 204 else encode_json(result))

    def _arguments_in_path(self, path: Mapping[str, str]) -> dict[str, Any]:
        try:
            return {name: msgspec.convert(path[name], whole(wanted)) for name, wanted in self.in_path.items()}
        except msgspec.ValidationError as error:
            raise ObjectNotFound(error, "Not Found") from error

    def _read_query(self, query_type: type[msgspec.Struct], query: Mapping[str, str]) -> Any:
        try:
            return lenient.convert(dict(query), query_type)
        except msgspec.ValidationError as error:
            raise InvalidRequest("query", error, dict(query)) from error

    def _read_body(self, body: bytes) -> dict[str, Any]:
        if not body and self.operation.body_is_value:
            return {}
        try:
            read = self._decode(body or b"{}")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError) as error:
            raise InvalidRequest("body", error, body) from error
        if self.operation.method == "POST" and not self.operation.creates:
            # What is made or changed may have a limit that is no window's.
            _check_window(read)
        check_parameters(read, body)
        given = {self._bodies[0]: read} if self._has_one_body else _members(read)
        return {name: _received(value) for name, value in given.items()}

    def _decode(self, body: bytes) -> Any:
        try:
            return self._decoder.decode(body)
        except msgspec.ValidationError:
            # Clients write null for a window's members that they leave to the server.
            given = msgspec.json.decode(body)
            if not isinstance(given, dict) or not any(given.get(name, ...) is None for name in _WINDOW):
                raise
            kept = {name: value for name, value in given.items() if value is not None or name not in _WINDOW}
            return lenient.convert(kept, self.body_type)

    def _status(self, result: Any, began: datetime) -> int:
        method = self.operation.method
        if self.operation.status is not None:
            return self.operation.status
        if method in ("PATCH", "DELETE") or (result is None and not self.operation.creates):
            return 204
        return 201 if self.operation.creates and _was_made_since(result, began) else 200


def _wire_type(wanted: Any) -> Any:
    return StateCreate if wanted is State or get_origin(wanted) is State else wanted


def _members_of(layout: Layout) -> list[tuple[str, Any] | tuple[str, Any, Any]]:
    return [
        (name, _wire_type(wanted), layout.defaults[name])
        if name in layout.defaults
        else (name, _wire_type(wanted))
        for name, wanted in layout.others.items()
    ]


def _members(struct: Any) -> dict[str, Any]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


def _received(value: Any) -> Any:
    """Give states the id and the time of this server, whatever a client says."""
    if isinstance(value, StateCreate):
        return _entered(value)
    if isinstance(value, list):
        return [_received(each) for each in value]
    if isinstance(value, FlowRunCreate | TaskRunCreate | DeploymentFlowRunCreate) and value.state is not None:
        value.state = _entered(value.state)
    return value


def _entered(state: StateCreate | State[Any]) -> State[Any]:
    details = state.state_details
    times = {name: getattr(details, name) for name in _TIMES_OF_STATES} if details is not NO_DETAILS else {}
    naive = {name: aware(time) for name, time in times.items() if time is not None and time.tzinfo is None}
    return State(
        type=state.type,
        name=state.name,
        message=state.message,
        data=state.data,
        state_details=msgspec.structs.replace(details, **naive) if naive else details,
    )


def _check_window(query: Any) -> None:
    limit, offset = getattr(query, "limit", None), getattr(query, "offset", None)
    most = getattr(query, "most", MOST_OBJECTS)
    if limit is not None and not 0 <= limit <= most:
        raise OutOfRange(f"Invalid limit: must be between 0 and {most}.")
    # Databases add the two.
    if offset is not None and not 0 <= offset <= _MOST_ROWS - most:
        raise OutOfRange("Invalid offset: must not be negative.")


def _was_made_since(result: Any, began: datetime) -> bool:
    """Whether a request made what it answers, or found it there."""
    if isinstance(result, OrchestrationResult):
        return result.state is not None and result.state.timestamp >= began
    created = getattr(result, "created", None)
    return created is None or created >= began


ROUTES: tuple[Route, ...] = tuple(
    Route(operation) for operation in OPERATIONS.values() if not operation.internal
)
"""The routes of all operations that are part of the interface."""
