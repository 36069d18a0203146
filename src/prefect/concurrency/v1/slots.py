"""What the older form of limits asks for, and gives back."""

from __future__ import annotations

from uuid import UUID

from prefect.client.current import get_caller
from prefect.exceptions import PrefectException
from prefect.logging.loggers import get_logger
from prefect.operations.tag_limits import decrement_tag_slots, increment_tag_slots

__all__ = ["give_tag_slots_back", "take_tag_slots"]


def take_tag_slots(names: str | list[str], task_run_id: UUID) -> list[str]:
    """Take a slot of each of some tags' limits for a task run.

    Args:
        names: The tags.
        task_run_id: The task run.

    Returns:
        The tags that are limited.

    Raises:
        prefect.exceptions.ConcurrencyLimitReached: One has no slot free.
    """
    wanted = [names] if isinstance(names, str) else list(names)
    return [limit.name for limit in get_caller().call(increment_tag_slots, wanted, task_run_id)]


def give_tag_slots_back(names: list[str], task_run_id: UUID) -> None:
    """Give the slots back that a task run holds.

    Args:
        names: The tags.
        task_run_id: The task run.
    """
    try:
        get_caller().call(decrement_tag_slots, names, task_run_id)
    except PrefectException as error:
        get_logger("concurrency").warning(
            "Slots of the tags %s could not be given back; `prefect concurrency-limit reset` does it: %s",
            ", ".join(map(repr, names)),
            error,
        )
