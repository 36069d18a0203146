"""Templates of automations: whether they can be read, and what they say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prefect.exceptions import ObjectNotFound, RequestRefused
from prefect.operations.registry import operation
from prefect.rules.templates import is_quick, is_template, read_template, rendered
from prefect.schemas.automations import Action
from prefect.schemas.base import jsonable
from prefect.store.base import Store

__all__ = ["check_templates", "render_template", "validate_automation_template", "validate_template"]

_TEMPLATED = ("subject", "body", "payload", "parameters", "job_variables")
"""The fields of actions whose texts are templates."""
NOT_INSTALLED = (
    "Templates need jinja2, which is not installed where the server runs: pip install 'proconsul[templates]'."
)


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
        read_template(template)
    except ImportError as error:
        raise ObjectNotFound(error, NOT_INSTALLED) from error


@operation("POST", "/automations/templates/validate", body_is_value=True)
def validate_automation_template(store: Store, template: str = "") -> None:
    """Say whether a text is a template that an automation may have; see `validate_template`."""
    validate_template(store, template)


def check_templates(actions: Iterable[Action]) -> None:
    """Refuse actions with templates that can never be filled in: whoever makes them is there to hear of it.

    Args:
        actions: What an automation is to do.

    Raises:
        prefect.exceptions.RequestRefused: One is no template, or Jinja is not installed here.
    """
    for action in actions:
        for text in _texts([getattr(action, name, None) for name in _TEMPLATED]):
            if not is_template(text):
                continue
            try:
                read_template(text, strict=True)
            except ImportError as error:
                raise RequestRefused(NOT_INSTALLED) from error


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts(list(value.values()))
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def render_template(store: Store, template: str, values: Mapping[str, Any]) -> str:
    """Return what a template says of some values.

    Args:
        store: The store, which is not asked.
        template: The template.
        values: The values, by their names.

    Raises:
        prefect.exceptions.InvalidTemplate: It is none, cannot be filled in, or takes too much to fill in.
        prefect.exceptions.ObjectNotFound: Jinja is not installed here.
    """
    if not is_template(template):
        return template
    try:
        read = read_template(template)
    except ImportError as error:
        raise ObjectNotFound(error, NOT_INSTALLED) from error
    if is_quick(read):
        return rendered(template, values)
    from prefect.operations.template_child import rendered_in_child  # noqa: PLC0415 - hardly ever

    return rendered_in_child(template, jsonable(dict(values)))
