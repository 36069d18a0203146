"""Asks a person for what a command needs."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prefect.exceptions import CommandFailed
from prefect.settings import get_current_settings
from prefect.settings.terminal import is_terminal

__all__ = ["ask", "keep_in_file", "may_ask"]

_KEPT = ("name", "entrypoint", "version", "description", "tags", "parameters", "enforce_parameter_schema")
_KEPT_TOO = ("schedules", "concurrency_limit", "work_pool", "triggers")


def may_ask() -> bool:
    """Return whether there is somebody to ask."""
    prompt = get_current_settings().cli.prompt
    there = is_terminal(sys.stdin) and is_terminal(sys.stdout)
    return there if prompt is None else prompt and there


def ask(question: str, choices: Sequence[str | None] = ()) -> str:
    """Ask for a text, until there is one.

    Args:
        question: The question.
        choices: What may be answered; empty: anything.

    Raises:
        prefect.exceptions.CommandFailed: The input ended.
    """
    if choices:
        print("\n".join(f"  {each}" for each in choices))
    while True:
        try:
            answer = input(f"{question}: ").strip()
        except EOFError:
            raise CommandFailed("Nothing was deployed.") from None
        if answer and (not choices or answer in choices):
            return answer
        print("Choose one of these." if choices else "It needs one.")


def keep_in_file(path: Path, fields: Mapping[str, Any]) -> None:
    """Offer to write a deployment into a `prefect.yaml`, below those that it has.

    Args:
        path: The file.
        fields: The deployment's fields.
    """
    import yaml

    kept = {name: fields[name] for name in (*_KEPT, *_KEPT_TOO) if fields.get(name) is not None}
    entry = yaml.safe_dump([kept], sort_keys=False, allow_unicode=True)
    text = path.read_text(encoding="utf-8") if path.exists() else "deployments:\n"
    # Text is added, so that comments stay; that needs the list of deployments to be what the file ends in.
    whole = f"{text.rstrip()}\n{entry}"
    if not _ends_in(text, whole, kept):
        print(f"To keep it, add this to the deployments in {path}:\n\n{entry}", end="")
        return
    if ask(f"Keep it in {path}? [y/n]", ()).casefold() in ("y", "yes"):
        path.write_text(whole, encoding="utf-8")
        print(f"It is in {path} now: prefect deploy -n '{kept['name']}'")


def _ends_in(text: str, whole: str, kept: Mapping[str, Any]) -> bool:
    """Whether adding a deployment at the end of a file does that, and nothing else."""
    import yaml

    try:
        before, after = yaml.safe_load(text), yaml.safe_load(whole)
    except yaml.YAMLError:
        return False
    had = before.get("deployments") or [] if isinstance(before, dict) else None
    return had is not None and after == {**before, "deployments": [*had, dict(kept)]}
