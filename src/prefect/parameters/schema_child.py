"""A check of values in a process of its own, which can be ended: nothing else ends a regular expression.

While Python searches by one, no other thread runs. So what might search for long is not done in a process
that has anything else to do. The child asks the system to end it after some seconds of work; those that a
busy machine keeps it waiting do not count.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from functools import lru_cache
from typing import Any

import msgspec

from prefect.exceptions import ServerBusy
from prefect.parameters.schema_mismatches import TOO_LONG, Mismatch, SchemaError, find_mismatches
from prefect.schemas.base import whole

__all__ = ["find_in_child"]

WORK_SECONDS = 2
"""How long a check may work."""
WAIT_SECONDS = 30.0
"""How long the child may take as a whole, and a check wait for others."""
_AT_ONCE = 2
_few = threading.BoundedSemaphore(_AT_ONCE)


class _Asked(msgspec.Struct):
    schema: msgspec.Raw
    values: Any
    partial: bool


class _Answer(msgspec.Struct):
    found: list[Mismatch] = []
    error: str | None = None


def find_in_child(schema: bytes, values: bytes, *, partial: bool = False) -> list[Mismatch]:
    """Return what of some values is not as a schema says: see `find_mismatches`.

    Args:
        schema: The schema, encoded.
        values: The values, encoded.
        partial: Whether some may be missing.

    Raises:
        SchemaError: It is no schema, or the check takes too long.
        prefect.exceptions.ServerBusy: Too many such checks are under way.
    """
    answer = _ask(schema, values, partial)
    if answer.error is not None:
        raise SchemaError(answer.error)
    return answer.found


@lru_cache(maxsize=256)
def _ask(schema: bytes, values: bytes, partial: bool) -> _Answer:
    asked = {"schema": msgspec.Raw(schema), "values": msgspec.Raw(values), "partial": partial}
    if not _few.acquire(timeout=WAIT_SECONDS):
        raise ServerBusy("Too many checks that take long are under way.")
    try:
        # Without what lies in the working directory, which may be anybody's.
        command = [sys.executable, "-P", "-m", __name__]
        done = subprocess.run(
            command,
            input=msgspec.json.encode(asked),
            capture_output=True,
            timeout=WAIT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SchemaError(TOO_LONG) from error
    finally:
        _few.release()
    if done.returncode < 0:
        raise SchemaError(TOO_LONG)
    if done.returncode:
        raise ServerBusy(f"A check could not be made: {done.stderr.decode(errors='replace')[-1000:]}")
    return msgspec.json.decode(done.stdout, type=whole(_Answer))


def _main() -> None:
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=whole(_Asked))
    _end_after(WORK_SECONDS)
    try:
        answer = _Answer(find_mismatches(bytes(asked.schema), asked.values, partial=asked.partial))
    except SchemaError as error:
        answer = _Answer(error=str(error))
    sys.stdout.buffer.write(msgspec.json.encode(answer))


def _end_after(seconds: int) -> None:
    """Have the system end this process after some seconds of work, where it can."""
    try:
        import resource  # noqa: PLC0415 - not everywhere
    except ImportError:
        return
    # It counts from the start of the process, which has loaded much.
    most = int(time.process_time()) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (most, most))


if __name__ == "__main__":
    _main()
