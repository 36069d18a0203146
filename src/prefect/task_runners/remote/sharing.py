"""What all runs of a task in a flow run have in common: taken to each worker once."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

import cloudpickle

from prefect.context.carrying import small_parameters
from prefect.context.runs import TagsContext, current_flow_run
from prefect.context.settings import travelling_settings
from prefect.context.travel import packed_flow_run
from prefect.exceptions import SerializationError
from prefect.schemas.snapshots import FlowRunSnapshot
from prefect.settings import Settings, get_current_settings

if TYPE_CHECKING:
    from prefect.tasks import Task

__all__ = ["SharedPart", "shared_part"]

_REMEMBERED = 128


class SharedPart(NamedTuple):
    """The part of a payload that many runs have in common."""

    key: str
    """A digest of the content."""
    content: bytes
    """For `run_parcel`; without secrets."""


class _Made(NamedTuple):
    """A shared part, and what it was made of: what is held keeps its identity."""

    task: Task[Any, Any]
    flow_run: FlowRunSnapshot | None
    settings: Settings
    part: SharedPart


_made: OrderedDict[tuple[Any, ...], _Made] = OrderedDict()
_lock = threading.Lock()


def shared_part(task: Task[Any, Any]) -> SharedPart:
    """Return what runs of a task that are submitted here and now have in common.

    It is made once for a task, flow run, set of tags and settings: to make it takes as long as several runs
    of a small task.

    Args:
        task: The task.

    Returns:
        The task, the facts of the flow run, tags and settings, as bytes under a key.

    Raises:
        prefect.exceptions.SerializationError: The task cannot be pickled.
    """
    flow_run, settings = current_flow_run(), get_current_settings()
    tags = frozenset(TagsContext.get().current_tags)
    key = (id(task), id(flow_run), id(settings), tags)
    with _lock:
        made = _made.get(key)
        if made is not None:
            _made.move_to_end(key)
            return made.part
    content = _content(task, flow_run, tags)
    part = SharedPart(hashlib.blake2b(content, digest_size=16).hexdigest(), content)
    with _lock:
        _made[key] = _Made(task, flow_run, settings, part)
        if len(_made) > _REMEMBERED:
            _made.popitem(last=False)
    return part


def _content(task: Task[Any, Any], flow_run: FlowRunSnapshot | None, tags: frozenset[str]) -> bytes:
    context = {
        "flow_run": None if flow_run is None else packed_flow_run(flow_run),
        "flow_run_parameters": None if flow_run is None else small_parameters(flow_run.parameters),
        "tags": sorted(tags),
        "settings": travelling_settings(),
        "has_server": get_current_settings().api.url is not None,
    }
    try:
        # The task apart, so that a worker that cannot read it can still say so in the run.
        return cloudpickle.dumps((cloudpickle.dumps(task), context))  # type: ignore[no-any-return]
    except Exception as error:
        raise SerializationError(
            f"The function of task {task.name!r} cannot be sent to another process: {error}"
        ) from error
