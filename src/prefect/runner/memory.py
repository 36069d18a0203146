"""Whether the system has ended a process because memory ran out: the kernel counts whom it ends so."""

from __future__ import annotations

from pathlib import Path

__all__ = ["MemoryWatch"]

_NO_LIMIT = 1 << 60
"""Above it, a limit is how the older kind of control group spells that there is none."""


class MemoryWatch:
    """Watches, from now on, whether the system ends processes for want of memory where a process is.

    Args:
        pid: The process.
        root: What stands for `/`.
    """

    __slots__ = ("_before", "_counter", "_limits")

    def __init__(self, pid: int, root: Path = Path("/")) -> None:
        self._counter, self._limits = _control_group(pid, root)
        self._before = _count(self._counter)

    @property
    def has_ended_one(self) -> bool:
        """Whether it has ended one since."""
        count = _count(self._counter)
        return count is not None and self._before is not None and count > self._before

    @property
    def limit(self) -> int | None:
        """The bytes of memory that processes here may use together; None where nothing limits them."""
        texts = [_text(path).strip() for path in self._limits]
        found = [int(text) for text in texts if text.isdigit() and int(text) < _NO_LIMIT]
        return min(found, default=None)


def _control_group(pid: int, root: Path) -> tuple[Path, list[Path]]:
    """Return where it is counted whom the system ends, and where limits are."""
    groups = root / "sys/fs/cgroup"
    for line in _text(root / f"proc/{pid}/cgroup").splitlines():
        number, kinds, path = (*line.split(":", 2), "", "")[:3]
        if "memory" in kinds.split(","):
            top, events, limit = groups / "memory", "memory.oom_control", "memory.limit_in_bytes"
        elif number == "0" and not kinds:
            top, events, limit = groups, "memory.events", "memory.max"
        else:
            continue
        # In a container the group may be known here by the name that it has outside.
        for here in (top / path.lstrip("/"), top):
            if _count(here / events) is not None:
                above = [each for each in (here, *here.parents) if each == top or top in each.parents]
                return here / events, [each / limit for each in above]
    # Without a group that counts, there is the count of the whole machine.
    return root / "proc/vmstat", []


def _count(path: Path) -> int | None:
    for line in _text(path).splitlines():
        name, _, number = line.partition(" ")
        if name == "oom_kill":
            return int(number)
    return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
