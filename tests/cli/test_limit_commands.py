"""`prefect concurrency-limit` and `prefect global-concurrency-limit`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def test_a_limit_from_its_making_to_its_end(prefect: Any, tmp_path: Path) -> None:
    prefect("gcl", "create", "db", "--limit", "3", "--slot-decay-per-second", "0.5")
    prefect("gcl", "update", "db", "-l", "4", "--active-slots", "1")
    prefect("global-concurrency-limit", "disable", "db")
    (listed,) = prefect("gcl", "ls", "-o", "json").json()
    assert (listed["name"], listed["limit"], listed["active"]) == ("db", 4, False)
    prefect("gcl", "enable", "db")
    target = tmp_path / "limit.json"
    shown = prefect("gcl", "inspect", "db", "-o", "json", "-f", str(target)).json()
    assert shown["slot_decay_per_second"] == 0.5
    assert json.loads(target.read_bytes())["id"] == shown["id"]
    assert "yes" in prefect("gcl", "inspect", "db").out
    assert "db" in prefect("gcl", "ls").out
    prefect("gcl", "delete", "db", "-y")
    assert prefect("gcl", "ls", "-o", "json").json() == []


def test_what_is_wrong_with_a_limit_is_said(prefect: Any) -> None:
    assert "no limit 'none'" in prefect("gcl", "inspect", "none", code=1).err
    assert "--limit N" in prefect("gcl", "create", "db", code=1).err
    prefect("gcl", "create", "db", "--limit", "1")
    assert "already" in prefect("gcl", "create", "db", "--limit", "1", code=1).err
    assert "enabled already" in prefect("gcl", "enable", "db", code=1).err
    assert "Nothing to change" in prefect("gcl", "update", "db", code=1).err
    assert "at once" in prefect("gcl", "update", "db", "--enable", "--disable", code=1).err
    assert "no limit 'x'" in prefect("gcl", "update", "x", "-l", "1", code=1).err
    for words in (("create", "a/b", "-l", "1"), ("create", "", "-l", "1")):
        assert "no address can have it" in prefect("gcl", *words, code=1).err


def test_the_limit_of_a_tag(prefect: Any) -> None:
    prefect("concurrency-limit", "create", "gpu", "2")
    prefect("concurrency-limit", "create", "gpu", "3")
    (listed,) = prefect("concurrency-limit", "ls", "-o", "json").json()
    assert (listed["tag"], listed["concurrency_limit"]) == ("gpu", 3)
    assert "gpu" in prefect("concurrency-limit", "ls").out
    prefect("concurrency-limit", "reset", "gpu")
    assert "Tag:" in prefect("concurrency-limit", "inspect", "gpu").out
    assert prefect("concurrency-limit", "inspect", "gpu", "-o", "json").json()["active_slots"] == []
    prefect("concurrency-limit", "delete", "gpu")
    for command in ("inspect", "reset", "delete"):
        assert "has no limit" in prefect("concurrency-limit", command, "gpu", code=1).err
    assert "no number" in prefect("concurrency-limit", "create", "gpu", "many", code=1).err
