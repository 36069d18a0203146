"""The files that ARCHITECTURE.md names are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_files_it_names_exist():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:\w+/)*(?:\w+\.py|\w+/))`", text))
    engine = ROOT / "src" / "prefect" / "engine"

    assert len(named) > 40
    missing = [
        path
        for path in sorted(named)
        if not any((root / path).exists() for root in (ROOT, ROOT / "src" / "prefect", engine))
    ]
    assert not missing
