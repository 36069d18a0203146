"""The command line: `prefect`. It finds the group that a command belongs to, and loads that group alone."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any

__all__ = ["GROUPS", "main"]

GROUPS = {
    "agent": "Carry out runs in processes of this machine: an older word for worker.",
    "api": "Send any request to the server.",
    "artifact": "See artifacts: what runs show of their work.",
    "automation": "Say what is to be done when something happens.",
    "block": "See blocks: typed values that are kept under a name.",
    "concurrency-limit": "Limit how many tasks with a tag run at once.",
    "config": "View and change settings.",
    "deploy": "Deploy flows, as prefect.yaml or options say.",
    "deployment": "See deployments, and have them run.",
    "events": "Follow what happens, and tell of it.",
    "flow": "See flows, and serve them.",
    "flow-run": "See flow runs: what ran, and what it logged.",
    "global-concurrency-limit": "Limit how much is done at once, and how often. Short: gcl",
    "init": "Write a prefect.yaml, in which deployments are kept.",
    "profile": "Keep sets of settings, and choose between them.",
    "server": "Serve what is kept to clients.",
    "task": "Run tasks that others delay.",
    "task-run": "See task runs: what ran, and what it logged.",
    "variable": "Keep small values under a name, for runs to read.",
    "work-pool": "See to work pools: where runs go that workers carry out.",
    "work-queue": "See to work queues: the lines that runs of a work pool wait in.",
    "worker": "Carry out the runs of a work pool.",
    "version": "Show the version, and what it works with here.",
}
"""Each group of commands, which is the module of that name with a `run`, and what it is for."""

_FURTHER_NAMES = {
    "automations": "automation",
    "concurrency-limits": "concurrency-limit",
    "deployments": "deployment",
    "event": "events",
    "flows": "flow",
    "gcl": "global-concurrency-limit",
    "global-concurrency-limits": "global-concurrency-limit",
    "flow-runs": "flow-run",
    "profiles": "profile",
    "task-runs": "task-run",
    "tasks": "task",
    "work-pools": "work-pool",
    "work-queues": "work-queue",
    "workers": "worker",
}
_SUCCESS, _FAILURE, _USAGE, _INTERRUPTED, _BROKEN_PIPE = 0, 1, 2, 130, 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: The words after `prefect`; by default those of the process.

    Returns:
        The exit code: 0, or 1 for an error, 2 for a command that is wrongly put.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # and not None, where it was closed
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _dispatch(words)
        if sys.stdout:
            sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except OSError as error:
        return _give_up_output(error)


def _give_up_output(error: OSError) -> int:
    """End quietly where whoever read the output went away (`| head`), else say what is wrong with it."""
    # Python would complain once more when it closes stdout.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return _BROKEN_PIPE
    print(error, file=sys.stderr)
    return _FAILURE


def _dispatch(words: list[str]) -> int:
    profile, prompt, words = _take_session(words)
    if profile == "":
        print("prefect: --profile needs the name of a profile.", file=sys.stderr)
        return _USAGE
    if not words or words[0] in ("--help", "-h"):
        print(_help())
        return _SUCCESS
    if words[0] in ("--version", "-v"):
        from prefect.version import __version__

        print(__version__)
        return _SUCCESS
    name = _FURTHER_NAMES.get(words[0], words[0])
    if name not in GROUPS:
        print(f"prefect: there is no command {words[0]!r}. There are {', '.join(GROUPS)}.", file=sys.stderr)
        return _USAGE
    module = import_module(f"prefect.cli.{name.replace('-', '_')}")
    return _run(module.run, words[1:], profile, prompt)


def _run(run: Callable[[list[str]], int], words: list[str], profile: str | None, prompt: bool | None) -> int:
    """Run a command of a group, and say in one place what went wrong."""
    from prefect.exceptions import PrefectException

    try:
        with _under(profile), _prompting(prompt):
            return run(words)
    except PrefectException as error:
        print(error, file=sys.stderr)
        return _FAILURE
    except SystemExit as end:  # argparse has said what is wrong
        return end.code if isinstance(end.code, int) else _FAILURE


def _under(profile: str | None) -> AbstractContextManager[Any]:
    """Apply the settings of the profile that `--profile` names."""
    if profile is None:
        return nullcontext()
    from prefect.exceptions import ConfigurationError
    from prefect.settings.context import use_settings
    from prefect.settings.profiles import settings_of_profile

    try:
        return use_settings(settings_of_profile(profile))
    except ValueError as error:
        raise ConfigurationError(str(error)) from None


def _prompting(prompt: bool | None) -> AbstractContextManager[Any]:
    """Apply what `--prompt` or `--no-prompt` says."""
    if prompt is None:
        return nullcontext()
    from prefect.settings.context import temporary_settings

    return temporary_settings({"PREFECT_CLI_PROMPT": prompt})


def _take_session(words: list[str]) -> tuple[str | None, bool | None, list[str]]:
    """Take `--profile NAME` and `--no-prompt` out, wherever they stand, and `-p NAME` before the command."""
    profile: str | None = None
    prompt: bool | None = None
    rest: list[str] = []
    remaining = iter(words)
    for word in remaining:
        if word == "--":
            return profile, prompt, [*rest, word, *remaining]
        if word == "--profile" or (word == "-p" and not rest):
            profile = next(remaining, "")
        elif word.startswith("--profile="):
            profile = word.partition("=")[2]
        elif word in ("--prompt", "--no-prompt"):
            prompt = word == "--prompt"
        else:
            rest.append(word)
    return profile, prompt, rest


def _help() -> str:
    width = max(map(len, (*GROUPS, "--version"))) + 2
    lines = [f"  {name:{width}}{purpose}" for name, purpose in GROUPS.items()]
    return "\n".join(
        [
            "Usage: prefect [--profile NAME] [--no-prompt] COMMAND ...",
            "",
            "Runs flows on this machine, and keeps what happened.",
            "",
            "Commands:",
            *lines,
            "",
            "Options:",
            f"  {'--profile':{width}}Use the settings of this profile. Short: -p",
            f"  {'--no-prompt':{width}}Ask nothing, also on a terminal.",
            f"  {'--version':{width}}Print the version. Short: -v",
            f"  {'--help':{width}}Print this, or the help of a command: prefect COMMAND --help. Short: -h",
        ]
    )
