"""What `.map` does with its arguments: one set of them for each item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from typing import Any, NamedTuple

from prefect.engine.future import PrefectFuture
from prefect.engine.inputs import resolve
from prefect.exceptions import MappingLengthMismatch, MappingMissingIterable
from prefect.schemas.states import State
from prefect.types.annotations import allow_failure, quote, unmapped

__all__ = ["MappedRuns", "map_parameters"]


class MappedRuns(NamedTuple):
    """What the runs of a `.map` get."""

    total: int
    arguments: Iterator[dict[str, Any]]
    """The arguments of each run by name, in order."""
    fixed: list[Any]
    """The arguments that every run gets."""


def map_parameters(parameters: dict[str, Any], keywords: str | None = None) -> MappedRuns:
    """Spread arguments over the runs of a `.map`.

    Args:
        parameters: The arguments by name. An iterable that is no text has one item for each run; so has the
            result of a future. Everything else, and what `unmapped` marks, goes to every run.
        keywords: The name of the parameter that takes `**kwargs`; what is in it is spread one by one.

    Returns:
        How many runs there are, and their arguments.

    Raises:
        prefect.exceptions.MappingMissingIterable: There is no iterable among them.
        prefect.exceptions.MappingLengthMismatch: The iterables differ in length.
        prefect.exceptions.UpstreamTaskError: The run that should give the items did not complete.
    """
    if keywords not in parameters:
        return _spread(parameters)
    named = {name: value for name, value in parameters.items() if name != keywords}
    spread = _spread({**named, **parameters[keywords]})
    gathered = (
        {
            **{name: given[name] for name in named},
            keywords: {name: value for name, value in given.items() if name not in named},
        }
        for given in spread.arguments
    )
    return MappedRuns(spread.total, gathered, spread.fixed)


def _spread(parameters: dict[str, Any]) -> MappedRuns:
    iterables: dict[str, list[Any] | tuple[Any, ...]] = {}
    fixed: dict[str, Any] = {}
    for name, value in parameters.items():
        if isinstance(value, unmapped):
            fixed[name] = value.unwrap()
            continue
        mark = type(value) if isinstance(value, allow_failure | quote) else None
        plain = _result_of(value.unwrap() if isinstance(value, allow_failure | quote) else value)
        if not _is_iterable(plain):
            fixed[name] = value
            continue
        items = plain if isinstance(plain, list | tuple) else list(plain)
        iterables[name] = items if mark is None else [mark(item) for item in items]
    if not iterables:
        raise MappingMissingIterable(
            "No iterable parameters were received. Parameters for map must include at least one iterable. "
            f"Parameters: {parameters}"
        )
    lengths = {name: len(items) for name, items in iterables.items()}
    if len(set(lengths.values())) > 1:
        raise MappingLengthMismatch(
            "Received iterable parameters with different lengths. "
            "Parameters for map must all be the same length. "
            f"Got lengths: {lengths}"
        )
    names = list(iterables)
    arguments = (
        {**fixed, **dict(zip(names, items, strict=True))} for items in zip(*iterables.values(), strict=True)
    )
    return MappedRuns(next(iter(lengths.values())), arguments, list(fixed.values()))


def _result_of(value: Any) -> Any:
    if not isinstance(value, PrefectFuture | State):
        return value
    if isinstance(value, PrefectFuture):
        value.wait()
    return resolve({"value": value})["value"]


def _is_iterable(value: Any) -> bool:
    if isinstance(value, str | bytes | bytearray | type):
        return False
    return isinstance(value, Iterable) and not (
        isinstance(value, Sized) and getattr(value, "shape", None) == ()
    )
