"""What the annotations of a block's fields say: which blocks are within, and which fields are secret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel, Secret, SecretBytes, SecretStr

from prefect.types.secret_dict import SecretDict

__all__ = ["blocks_within", "is_block", "secret_fields_of"]


def is_block(kind: Any) -> bool:
    """Whether something is a class of blocks."""
    return isinstance(kind, type) and issubclass(kind, BaseModel) and hasattr(kind, "get_block_type_slug")


def blocks_within(annotation: Any) -> Iterator[Any]:
    """Give the classes of blocks that an annotation names, each as often as it is named.

    Args:
        annotation: An annotation, without forward references.
    """
    if is_block(annotation):
        yield annotation
        return
    for argument in get_args(annotation):
        yield from blocks_within(argument)


def secret_fields_of(model: type[BaseModel]) -> list[str]:
    """Return the paths of a model's secrets, such as `password`, `login.password` and `headers.*`.

    Args:
        model: The model.
    """
    return _of_model(model, ())


def _of_model(model: type[BaseModel], above: tuple[type[BaseModel], ...]) -> list[str]:
    found: dict[str, None] = {}
    if model not in above:  # one that holds itself would never end
        for name, field in model.model_fields.items():
            found.update(dict.fromkeys(_of_annotation(name, field.annotation, (*above, model))))
    return list(found)


def _of_annotation(path: str, annotation: Any, above: tuple[type[BaseModel], ...]) -> Iterator[str]:
    origin = get_origin(annotation)
    if isinstance(origin, type) and issubclass(origin, Secret):
        yield path
    elif origin is not None:
        arguments = get_args(annotation)
        inside = f"{path}.*" if isinstance(origin, type) and issubclass(origin, dict) else path
        for argument in arguments:
            for found in _of_annotation(inside, argument, above):
                # What is within the values of a mapping is not told apart: all of them are secret.
                yield inside if inside != path else found
    elif isinstance(annotation, type):
        if issubclass(annotation, SecretDict):
            yield f"{path}.*"
        elif issubclass(annotation, SecretStr | SecretBytes | Secret):
            yield path
        elif issubclass(annotation, BaseModel):
            for name in _of_model(annotation, above):
                yield f"{path}.{name}"
