"""Checks of what decorators are given: what does not fit is said there, not when it is first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["hooks_of", "name_of", "retries_of", "run_name_of", "tags_of", "timeout_of"]


def name_of(options: Mapping[str, Any], kind: str, fallback: str) -> str:
    """Return the name that options give, or the fallback.

    Args:
        options: What the decorator was given.
        kind: `flow` or `task`.
        fallback: The name, if none is given.

    Raises:
        TypeError: It is no text.
    """
    name = options.get("name") or fallback
    if not isinstance(name, str):
        raise TypeError(f"Expected string for {kind} parameter 'name'; got {type(name).__name__} instead.")
    return name


def tags_of(options: Mapping[str, Any], kind: str, name: str) -> set[str]:
    """Return the tags that options give.

    Args:
        options: What the decorator was given.
        kind: `flow` or `task`.
        name: The name of the flow or task.

    Raises:
        TypeError: They are no texts, or one text.
    """
    tags = options.get("tags") or ()
    if isinstance(tags, str):
        raise TypeError(f"'tags' of {kind} {name!r} must be an iterable of texts, not one text: {tags!r}")
    tags = set(tags)
    wrong = [tag for tag in tags if not isinstance(tag, str)]
    if wrong:
        raise TypeError(f"'tags' of {kind} {name!r} must be texts, unlike {wrong[0]!r}.")
    return tags


def timeout_of(options: Mapping[str, Any], kind: str, name: str) -> float | None:
    """Return the seconds that an attempt may take; None for no limit, which 0 means too.

    Args:
        options: What the decorator was given.
        kind: `flow` or `task`.
        name: The name of the flow or task.

    Raises:
        ValueError: It is less than 0, or no number.
    """
    value = options.get("timeout_seconds")
    if not value:
        return None
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = -1
    if not seconds > 0:
        raise ValueError(f"'timeout_seconds' of {kind} {name!r} must be seconds, 0 or more, not {value!r}.")
    return seconds


def retries_of(options: Mapping[str, Any], kind: str, name: str) -> int | None:
    """Return how often a run is tried again; None where settings say.

    Args:
        options: What the decorator was given.
        kind: `flow` or `task`.
        name: The name of the flow or task.

    Raises:
        ValueError: It is no whole number, or less than 0, or the jitter of delays is.
    """
    jitter = options.get("retry_jitter_factor")
    if jitter is not None and jitter < 0:
        raise ValueError(f"`retry_jitter_factor` must be >= 0. That of {kind} {name!r} is {jitter!r}.")
    value = options.get("retries")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"'retries' of {kind} {name!r} must be a whole number, 0 or more, not {value!r}.")
    return value


def run_name_of(options: Mapping[str, Any], kind: str) -> str | Callable[..., str] | None:
    """Return what names the runs, if anything does.

    Args:
        options: What the decorator was given.
        kind: `flow` or `task`.

    Raises:
        TypeError: It is neither a template nor a function.
    """
    given: str | Callable[..., str] | None = options.get(f"{kind}_run_name")
    if given is not None and not isinstance(given, str) and not callable(given):
        what = type(given).__name__
        raise TypeError(f"Expected string or callable for '{kind}_run_name'; got {what} instead.")
    return given


def hooks_of(options: Mapping[str, Any], option: str, kind: str) -> list[Callable[..., Any]]:
    """Return a list of the hooks that an option gives.

    Args:
        options: What the decorator was given.
        option: Which of them.
        kind: `flow` or `task`.

    Raises:
        TypeError: It is no list of functions.
    """
    given = options.get(option)
    if given is None:
        return []
    example = f"@{kind}({option}=[hook1, hook2])\ndef my_{kind}():\n\tpass"
    advice = f"Please provide a list of hooks to '{option}':\n\n{example}"
    try:
        hooks = list(given)
    except TypeError:
        what = type(given).__name__
        raise TypeError(f"Expected iterable for '{option}'; got {what} instead. {advice}") from None
    for hook in hooks:
        if not callable(hook):
            what = type(hook).__name__
            raise TypeError(f"Expected callables in '{option}'; got {what} instead. {advice}")
    return hooks
