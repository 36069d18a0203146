"""Puts into a deployment's fields what they refer to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from prefect.blocks.references import BLOCKS, is_reference, value_referred_to
from prefect.client.base import Caller
from prefect.deployments.steps.core import value_in
from prefect.exceptions import ConfigurationError, PrefectException
from prefect.rules.placeholders import LEFT_OUT, fill

__all__ = ["filled_fields", "filled_pull_steps"]

_LATER = ("build", "push", "pull", "triggers")
"""Steps are filled in when they are run; what triggers have in braces is about the event."""
_OF_JOBS = (BLOCKS, "ctx.")
"""What workers put into job variables themselves: secrets that a deployment would show, and the run."""
_MISSING = object()


def filled_fields(
    fields: Mapping[str, Any], client: Caller, outputs: Mapping[str, Any] | None, where: str
) -> dict[str, Any]:
    """Return a deployment's fields with what they refer to.

    Args:
        fields: The fields.
        client: Whom to ask for blocks and variables.
        outputs: What the build steps returned; None: they were not run yet, and what is theirs to say stays.
        where: Where the deployment stands, for messages.

    Raises:
        prefect.exceptions.ConfigurationError: Something that a field refers to is not there.
    """
    filled: dict[str, Any] = {}
    for name, value in fields.items():
        if name in _LATER:
            filled[name] = value
            continue
        value_of = _values(client, outputs, f"{where}, {name}")
        if name == "work_pool" and isinstance(value, Mapping):
            filled[name] = _filled_pool(value, value_of)
        else:
            filled[name] = fill(value, value_of)
    return filled


def _filled_pool(pool: Mapping[str, Any], value_of: Callable[[str], Any]) -> dict[str, Any]:
    def for_job(name: str) -> Any:
        return f"{{{{ {name} }}}}" if name.startswith(_OF_JOBS) else value_of(name)

    return {
        name: fill(value, for_job if name == "job_variables" else value_of) for name, value in pool.items()
    }


def _values(client: Caller, outputs: Mapping[str, Any] | None, where: str) -> Callable[[str], Any]:
    def value_of(name: str) -> Any:
        if is_reference(name):
            try:
                value = value_referred_to(client, name)
            except PrefectException as error:
                raise ConfigurationError(f"{where}: {error}") from error
            if value is LEFT_OUT:
                raise ConfigurationError(f"{where}: the environment has no variable {name[1:]!r}.")
            return value
        if outputs is None:
            return f"{{{{ {name} }}}}"
        found = value_in(outputs, name, _MISSING)
        if found is _MISSING:
            raise ConfigurationError(
                f"{where}: nothing gives {{{{ {name} }}}} a value: no build step returned it."
            )
        return found

    return value_of


def filled_pull_steps(steps: list[dict[str, Any]], outputs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return pull steps as a deployment keeps them.

    What the build steps returned and the environment here are put in. Blocks and variables stay for the
    process of each run, so that a deployment shows no secrets; so does what is not known here.

    Args:
        steps: The steps.
        outputs: What the build steps returned.
    """

    def value_of(name: str) -> Any:
        here = LEFT_OUT
        if name.startswith("$"):
            here = value_referred_to(None, name)  # type: ignore[arg-type] # the environment needs no caller
        elif not is_reference(name):
            here = value_in(outputs, name, LEFT_OUT)
        return f"{{{{ {name} }}}}" if here is LEFT_OUT else here

    return [fill(step, value_of) for step in steps]
