"""Arguments as bytes, without what is on the cluster already."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from typing import Any, NamedTuple, NoReturn

import cloudpickle

from prefect.engine.future import PrefectFuture
from prefect.exceptions import SerializationError
from prefect.schemas.objects import TaskRunRecord
from prefect.schemas.results import ResultRecord
from prefect.task_runners.remote.results import Outcome, RemoteFuture, RemoteResult
from prefect.task_runners.remote.sharing import SharedPart
from prefect.task_runners.remote.wire import dump_parcel

__all__ = ["LARGE", "NotTaken", "Packed", "pack", "unpack"]

LARGE = 1_000_000
"""Bytes beyond which a value is worth a way of its own to the cluster."""
_ATOMS = frozenset({int, float, bool, type(None), complex})
_OUTCOME, _STATE, _RECORD, _VALUE = range(4)
_PLAIN = b"\0"
"""How arguments begin among which nothing stands for a value that goes by another way; no pickle does so."""


class NotTaken(Exception):
    """A cluster does not take a value, which is no fault of the value's."""


class Packed(NamedTuple):
    """One run, ready to be sent."""

    parcel: bytes
    """For `run_parcel`."""
    handles: list[Any]
    """Results that are on the cluster; `run_parcel` is given what they stand for, in this order."""


def pack(
    record: TaskRunRecord,
    shared: SharedPart,
    parameters: dict[str, Any],
    wait_for: Iterable[Any] | None,
    *,
    task_name: str,
    owner: object,
    scatter: Callable[[Any], Any] | None = None,
) -> Packed:
    """Pack one run of a task.

    Args:
        record: The run, in state Pending.
        shared: What it has in common with others.
        parameters: Its arguments; futures among them are finished, or have a handle of the cluster.
        wait_for: Runs that must have completed.
        task_name: What messages call the task.
        owner: The runner; futures of others are no good on its cluster.
        scatter: Takes a large array, frame or text to the cluster, and returns its handle; None where that is
            of no use.

    Returns:
        What is to be sent.

    Raises:
        prefect.exceptions.SerializationError: An argument cannot be pickled; the text names it.
        NotTaken: As `scatter` says.
    """
    handles: list[Any] = []
    if wait_for is None and _ATOMS.issuperset(map(type, parameters.values())):
        arguments = _PLAIN + pickle.dumps((parameters, None), protocol=5)
    else:
        try:
            arguments = _dumps((parameters, wait_for), handles, owner, scatter)
        except NotTaken:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a value's own pickling raises
            _name_culprit(parameters, owner, task_name, error)
    return Packed(dump_parcel(shared.key, record, arguments), handles)


def unpack(arguments: bytes, upstream: Sequence[Any]) -> tuple[dict[str, Any], Any]:
    """Return the parameters, and the runs to wait for, with states in the place of futures.

    Args:
        arguments: What `pack` made.
        upstream: What stands behind its handles.
    """
    read: tuple[dict[str, Any], Any]
    if arguments.startswith(_PLAIN):
        read = pickle.loads(memoryview(arguments)[1:])
    else:
        read = _Unpickler(BytesIO(arguments), upstream).load()
    return read


def _dumps(value: Any, handles: list[Any], owner: object, scatter: Callable[[Any], Any] | None) -> bytes:
    file = BytesIO()
    _Pickler(file, handles, owner, scatter).dump(value)
    return file.getvalue()


def _name_culprit(parameters: dict[str, Any], owner: object, task_name: str, error: Exception) -> NoReturn:
    culprit = "What was given"
    for name, value in parameters.items():
        try:
            _dumps(value, [], owner, None)
        except Exception:  # noqa: BLE001 - whatever a value's own pickling raises
            culprit = f"Argument {name!r}, a {type(value).__name__},"
            break
    raise SerializationError(
        f"{culprit} of task {task_name!r} cannot be sent to another process: {error}"
    ) from error


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Pickles arguments; what is on the cluster is named by its place among the handles."""

    def __init__(
        self, file: BytesIO, handles: list[Any], owner: object, scatter: Callable[[Any], Any] | None
    ) -> None:
        super().__init__(file, protocol=5)
        self._handles = handles
        self._places: dict[int, int] = {}
        self._owner = owner
        self._scatter = scatter

    def persistent_id(self, value: Any) -> tuple[int, Any] | None:
        """Return what stands for a value; None to pickle it itself."""
        if isinstance(value, PrefectFuture):
            if isinstance(value, RemoteFuture) and value.owner is self._owner and value.handle is not None:
                return _OUTCOME, self._place(value.handle)
            return _STATE, value.state
        if isinstance(value, RemoteResult):
            if value.handle is not None and value.owner is self._owner:
                return _RECORD, self._place(value.handle)
        elif self._scatter is not None and _size_of(value) > LARGE:
            handle = self._scatter(value)
            return None if handle is None else (_VALUE, self._place(handle))
        return None

    def _place(self, handle: Any) -> int:
        place = self._places.get(id(handle))
        if place is None:
            place = self._places[id(handle)] = len(self._handles)
            self._handles.append(handle)
        return place


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: BytesIO, upstream: Sequence[Any]) -> None:
        super().__init__(file)
        self._upstream = upstream

    def persistent_load(self, pid: Any) -> Any:
        """Return the value that was sent by another way."""
        kind, what = pid
        if kind == _STATE:
            return what
        found = self._upstream[what]
        if kind == _VALUE:
            return found
        if not isinstance(found, Outcome):
            raise pickle.UnpicklingError(f"An outcome was sent, and a {type(found).__name__} arrived")
        return found.state if kind == _OUTCOME else ResultRecord(result=found.value)


def _size_of(value: Any) -> int:
    """Return the size of a value of a kind that may be large, without a look inside; else 0."""
    kind = type(value)
    if kind is bytes or kind is str or kind is bytearray:
        return len(value)
    if kind.__module__.partition(".")[0] not in ("numpy", "pandas", "pyarrow", "polars"):
        return 0
    size = getattr(value, "nbytes", None)
    if size is None and hasattr(value, "memory_usage"):
        size = value.memory_usage(index=True)
        size = getattr(size, "sum", lambda: size)()
    if size is None and hasattr(value, "estimated_size"):
        size = value.estimated_size()
    return int(size or 0)
