"""Templates of automations: whether they can be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect.exceptions import InvalidTemplate, ObjectNotFound
from prefect.operations.registry import operation
from prefect.store.base import Store

__all__ = ["render_template", "validate_automation_template", "validate_template"]

_DEEPEST = 2
"""Loops within loops multiply what a short template costs."""


@operation("POST", "/templates/validate", body_is_value=True)
def validate_template(store: Store, template: str = "") -> None:
    """Say whether a text is a template that an automation may have.

    Args:
        store: The store, which is not asked.
        template: The text, as Jinja has it.

    Raises:
        prefect.exceptions.InvalidTemplate: It is none; the error says where.
        prefect.exceptions.ObjectNotFound: Jinja is not installed here.
    """
    try:
        from jinja2.exceptions import TemplateSyntaxError  # noqa: PLC0415 - may be missing
        from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415 - may be missing
    except ImportError as error:
        raise ObjectNotFound(error, "Templates cannot be checked here: jinja2 is not installed.") from error
    try:
        read = ImmutableSandboxedEnvironment().parse(template)
    except TemplateSyntaxError as error:
        raise InvalidTemplate(error.message or "It is no template.", error.lineno, template) from error
    except RecursionError as error:
        raise InvalidTemplate("It is nested too deeply.", 0, template) from error
    deepest = _loops(read)
    if deepest > _DEEPEST:
        message = f"It has loops {deepest} deep; templates may have loops {_DEEPEST} deep."
        raise InvalidTemplate(message, 0, template)


@operation("POST", "/automations/templates/validate", body_is_value=True)
def validate_automation_template(store: Store, template: str = "") -> None:
    """Say whether a text is a template that an automation may have; see `validate_template`."""
    validate_template(store, template)


def render_template(store: Store, template: str, values: Mapping[str, Any]) -> str:
    """Return what a template says of some values.

    Args:
        store: The store, which is not asked.
        template: The template.
        values: The values, by their names.

    Raises:
        prefect.exceptions.InvalidTemplate: It is none, or cannot be filled in.
        prefect.exceptions.ObjectNotFound: Jinja is not installed here.
    """
    if "{" not in template:
        return template
    validate_template(store, template)
    from jinja2.exceptions import TemplateError  # noqa: PLC0415 - may be missing
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415 - may be missing

    try:
        return ImmutableSandboxedEnvironment().from_string(template).render(values)
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, OverflowError) as error:
        # Templates are code of users; whatever they do wrong is theirs.
        raise InvalidTemplate(f"It cannot be filled in: {error}", 0, template) from error


def _loops(node: Any) -> int:
    """Return how many loops are within each other at most."""
    inside = max((_loops(child) for child in node.iter_child_nodes()), default=0)
    return inside + (type(node).__name__ == "For")
