"""A template that is filled in by a process of its own, which can be ended: it may work or grow for ever."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import msgspec

from prefect.exceptions import InvalidTemplate
from prefect.rules.templates import rendered
from prefect.schemas.base import whole

__all__ = ["rendered_in_child"]

WORK_SECONDS = 0.5
"""How long a template may work."""
WAIT_SECONDS = 30.0
"""How long the child may take as a whole, on a busy machine."""
MOST_BYTES = 1 << 30
"""How much memory the child may have."""
_TOO_MUCH = "It cannot be filled in: it takes too long, or too much memory."


class _Asked(msgspec.Struct):
    source: str
    values: dict[str, Any]


class _Answer(msgspec.Struct):
    text: str = ""
    error: str | None = None


def rendered_in_child(source: str, values: Mapping[str, Any]) -> str:
    """Return what a template says of some values: see `rendered`.

    Args:
        source: The template.
        values: The values, by their names; they are JSON.

    Raises:
        InvalidTemplate: It cannot be filled in, or takes too much.
    """
    try:
        done = subprocess.run(
            # Without what lies in the working directory, which may be anybody's.
            [sys.executable, "-P", "-m", __name__],
            input=msgspec.json.encode(_Asked(source, dict(values))),
            capture_output=True,
            timeout=WAIT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise InvalidTemplate(_TOO_MUCH, 0, source) from error
    if done.returncode:
        raise InvalidTemplate(_TOO_MUCH, 0, source)
    answer = msgspec.json.decode(done.stdout, type=whole(_Answer))
    if answer.error is not None:
        raise InvalidTemplate(answer.error, 0, source)
    return answer.text


def _main() -> None:
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=whole(_Asked))
    _bound()
    try:
        answer = _Answer(rendered(asked.source, asked.values))
    except InvalidTemplate as error:
        answer = _Answer(error=error.reason)
    sys.stdout.buffer.write(msgspec.json.encode(answer))


def _bound() -> None:
    """Have the system give this process so much time and memory and no more, where it can."""
    try:
        import resource  # noqa: PLC0415 - not everywhere
    except ImportError:
        return
    # Nobody handles this signal, so it ends the process.
    signal.setitimer(signal.ITIMER_PROF, WORK_SECONDS)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))


if __name__ == "__main__":
    _main()
