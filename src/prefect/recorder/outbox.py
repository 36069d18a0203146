"""The outbox: what a process could not deliver to a server before it had to end.

It is a folder of files, each with some hundred lines of JSON, one for each thing to deliver. The next process
that reaches the server takes the files, one after another, in the order in which they were written; a file is
deleted when all of it was delivered.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from prefect.schemas.base import whole
from prefect.types import uuid7
from prefect.types.processes import is_running, started

__all__ = ["Outbox", "Undelivered"]

IN_A_FILE = 500
"""How many things a file holds at most."""

Kind = Literal["event", "log", "request"]


class Undelivered(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing to deliver."""

    kind: Kind
    content: str
    """The event, the log record or the body of the request, as JSON."""
    method: str = ""
    """Of a request."""
    path: str = ""
    """Of a request, below the server's URL."""


class Outbox:
    """What is to be delivered to one server. Several processes may use it at once.

    Args:
        home: The folder of the settings.
        url: The server, without user and password.
    """

    __slots__ = ("folder",)

    def __init__(self, home: Path, url: str) -> None:
        self.folder = home / "outbox" / re.sub(r"[^\w.-]+", "_", url)

    def keep(self, things: Sequence[Undelivered]) -> Path:
        """Write things down, durably, and return the folder they are in.

        Raises:
            OSError: They cannot be written.
        """
        # Logs and the results of runs are for this user alone. `parents` would be made for all to read.
        self.folder.parent.parent.mkdir(parents=True, exist_ok=True)
        self.folder.parent.mkdir(mode=0o700, exist_ok=True)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        for start in range(0, len(things), IN_A_FILE):
            name = uuid7().hex
            unfinished = self.folder / f"{name}.part"
            with open(unfinished, "wb", opener=_for_this_user) as file:
                file.writelines(_encode(thing) + b"\n" for thing in things[start : start + IN_A_FILE])
                file.flush()
                os.fsync(file.fileno())
            unfinished.rename(self.folder / f"{name}.jsonl")
        return self.folder

    def files(self) -> list[Path]:
        """Return the files that nobody delivers now, oldest first."""
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.iterdir() if _waits(path))

    def take(self) -> Iterator[tuple[Path, list[Undelivered]]]:
        """Take the files, one after another; delete each once it is delivered, or `give_back`."""
        for path in self.files():
            pid = os.getpid()
            taken = path.with_name(f"{path.name.partition('.')[0]}.{pid}-{started(pid)}.taken")
            try:
                path.rename(taken)
                lines = taken.read_bytes().splitlines()
                things = [_decode(line) for line in lines]
            except FileNotFoundError:
                continue  # another process was first
            except msgspec.DecodeError:
                taken.rename(taken.with_suffix(".unreadable"))  # for a person to look at
                continue
            yield taken, things

    @staticmethod
    def give_back(taken: Path) -> None:
        """Leave a file that was taken to the next process."""
        taken.rename(taken.with_name(f"{taken.name.partition('.')[0]}.jsonl"))


def _for_this_user(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(whole(Undelivered)).decode


def _waits(path: Path) -> bool:
    """Whether a file is to be delivered, and nobody that still runs is at it."""
    if path.suffix != ".taken":
        return path.suffix == ".jsonl"
    pid, _, started_at = path.name.split(".")[1].partition("-")
    return not is_running(int(pid), "" if started_at == "None" else started_at)
