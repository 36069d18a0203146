"""Sort the names that existing code imports into those that are here and those that come later.

After adding some: `make names`. A name that was here stays in the first list, so that losing it fails a test.
"""

from __future__ import annotations

import importlib
from operator import attrgetter
from pathlib import Path

HERE = Path(__file__).parent / "public_names.txt"
LATER = Path(__file__).parent / "public_names_later.txt"


def problem_with(name: str) -> str | None:
    """Import `module:attribute.path` and tell what went wrong, if anything."""
    module, _, path = name.partition(":")
    try:
        attrgetter(path)(importlib.import_module(module))
    except (ImportError, AttributeError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def read(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split()


if __name__ == "__main__":
    arrived = [name for name in read(LATER) if problem_with(name) is None]
    HERE.write_text("".join(f"{name}\n" for name in sorted({*read(HERE), *arrived})), encoding="utf-8")
    LATER.write_text(
        "".join(f"{name}\n" for name in read(LATER) if name not in set(arrived)), encoding="utf-8"
    )
    print(f"{len(arrived)} names arrived; {len(read(HERE))} are here, {len(read(LATER))} come later")
