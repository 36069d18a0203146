"""What `.map` does with its arguments: one set of them for each item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from typing import Any

from prefect.engine.future import PrefectFuture
from prefect.exceptions import MappingLengthMismatch, MappingMissingIterable
from prefect.schemas.states import State
from prefect.types.annotations import allow_failure, quote, unmapped

__all__ = ["map_parameters"]


def map_parameters(parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Spread arguments over the runs of a `.map`.

    Args:
        parameters: The arguments by name. An iterable that is no text has one item for each run; so has the
            result of a future. Everything else, and what `unmapped` marks, goes to every run.

    Returns:
        The arguments of each run, in order.

    Raises:
        prefect.exceptions.MappingMissingIterable: There is no iterable among them.
        prefect.exceptions.MappingLengthMismatch: The iterables differ in length.
    """
    iterables: dict[str, Any] = {}
    fixed: dict[str, Any] = {}
    for name, value in parameters.items():
        mark, plain = _unmarked(value)
        if isinstance(plain, PrefectFuture | State):
            plain = plain.result()
        if isinstance(value, unmapped | quote) or not _is_iterable(plain):
            fixed[name] = value.unwrap() if isinstance(value, unmapped) else value
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
    return (
        {**fixed, **dict(zip(names, items, strict=True))} for items in zip(*iterables.values(), strict=True)
    )


def _unmarked(value: Any) -> tuple[type[allow_failure[Any]] | None, Any]:
    return (allow_failure, value.unwrap()) if isinstance(value, allow_failure) else (None, value)


def _is_iterable(value: Any) -> bool:
    if isinstance(value, str | bytes | bytearray | type):
        return False
    return isinstance(value, Iterable) and not (
        isinstance(value, Sized) and getattr(value, "shape", None) == ()
    )
