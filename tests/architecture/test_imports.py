"""`from prefect import flow, task` is cheap and does nothing: few modules, no thread, no file."""

from __future__ import annotations

import json
import sys

import pytest

# Since Python 3.13 some of its own modules are several: six more of those that are loaded.
MODULES_AT_MOST = 250 if sys.version_info < (3, 13) else 256
NOT_LOADED = {
    *("asyncio", "cyclopts", "dataclasses", "httpx", "uvicorn"),
    *("pydantic", "rich", "sqlalchemy", "typing_extensions", "yaml"),
}

PROBE = """
import sys
opened = []
def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        opened.append((arguments[0], arguments[1] or "", arguments[2]))
    elif event in ("socket.connect", "subprocess.Popen", "os.mkdir", "sqlite3.connect"):
        opened.append((event, "w", 0))
sys.addaudithook(watch)
from prefect import flow, task
modules = sorted(name for name, module in sys.modules.items() if module is not None)
opened_by_the_import = list(opened)
import json, prefect, sysconfig, threading
json.dump({
    "modules": modules,
    "threads": [thread.name for thread in threading.enumerate()],
    "opened": opened_by_the_import,
    "homes": [*sysconfig.get_paths().values(), *prefect.__path__, sys.base_prefix, sys.prefix],
}, sys.stdout)
"""


@pytest.fixture(scope="module")
def imported(tmp_path_factory) -> dict:
    import subprocess

    done = subprocess.run(
        [sys.executable, "-B", "-c", PROBE],
        capture_output=True,
        text=True,
        cwd=tmp_path_factory.mktemp("cwd"),
    )
    if done.returncode:
        pytest.fail(done.stderr, pytrace=False)
    assert not done.stderr
    return json.loads(done.stdout)


def test_what_must_not_be_loaded_is_not(imported):
    assert sorted(NOT_LOADED.intersection(imported["modules"])) == []


def test_few_modules_are_loaded(imported):
    ours = [name for name in imported["modules"] if name.startswith("prefect")]

    assert len(imported["modules"]) <= MODULES_AT_MOST, f"{len(ours)} of them are ours: {ours}"


def test_no_thread_is_started(imported):
    assert imported["threads"] == ["MainThread"]


def test_no_file_is_read_besides_the_code_and_none_is_written(imported):
    homes = tuple(imported["homes"])
    foreign = [
        (path, mode)
        for path, mode, flags in imported["opened"]
        if not path.startswith(homes) or set(mode) & set("wax+") or flags & 3
    ]

    assert foreign == []
