"""The keys under which results are kept: given by users as templates, or made up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect.results.wiring import key_names
from prefect.types import uuid7

__all__ = ["StorageKeyTemplate", "new_storage_key", "render_storage_key"]


def new_storage_key() -> str:
    """Return a key that no other result has."""
    return uuid7().hex


def render_storage_key(template: str, names: Mapping[str, Any]) -> str:
    """Fill in the template of a storage key.

    Args:
        template: A text such as `{flow_run.name}/{parameters[day]}.json`.
        names: What it may refer to.

    Raises:
        ValueError: The template refers to something that is not there, or is no valid template.
    """
    try:
        return template.format_map(names)
    except (LookupError, AttributeError, ValueError) as error:
        here = sorted(name for name, value in names.items() if value)
        known = ", ".join(here) or "nothing, as no run is active"
        raise ValueError(
            f"The result_storage_key {template!r} cannot be filled in: {error!r}. It may refer to {known}."
        ) from error


class StorageKeyTemplate:
    """A `storage_key_fn` that fills in a template with the facts of the current run.

    Args:
        template: A text such as `{flow_run.name}/{parameters[day]}.json`.
    """

    __slots__ = ("template",)

    def __init__(self, template: str) -> None:
        self.template = template

    def __call__(self) -> str:
        """Return the key for the current run.

        Raises:
            ValueError: The template refers to something that is not there.
        """
        return render_storage_key(self.template, key_names())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StorageKeyTemplate) and other.template == self.template

    def __hash__(self) -> int:
        return hash(self.template)

    def __repr__(self) -> str:
        return f"StorageKeyTemplate({self.template!r})"
