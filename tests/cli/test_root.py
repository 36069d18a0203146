"""`prefect` itself: finding commands, help, what is loaded, how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

import prefect
from prefect.cli import GROUPS

# What `prefect version` may load of ours. Each costs each call; a new name here wants a reason.
LOADED_BY_VERSION = {
    "prefect",
    "prefect.cli",
    "prefect.cli.version",
    "prefect.exceptions",
    "prefect.settings",
    "prefect.settings.constants",
    "prefect.settings.context",
    "prefect.settings.gathering",
    "prefect.settings.index",
    "prefect.settings.legacy",
    "prefect.settings.options",
    "prefect.settings.root",
    "prefect.settings.secret",
    "prefect.settings.server_table",
    "prefect.settings.services_table",
    "prefect.settings.sources",
    "prefect.settings.table",
    "prefect.settings.values",
    "prefect.version",
}
TOO_HEAVY = {
    *("argparse", "asyncio", "dataclasses", "inspect", "logging"),
    *("msgspec", "pydantic", "rich", "sqlalchemy", "tomllib"),
}


def test_version_loads_next_to_nothing(run_python):
    done = run_python(
        "-c", "import sys; from prefect.cli import main; main(['version']); print(*sorted(sys.modules))"
    )

    loaded = set(done.stdout.splitlines()[-1].split())
    assert {name for name in loaded if name.split(".")[0] == "prefect"} <= LOADED_BY_VERSION
    assert not loaded & TOO_HEAVY


def test_python_m_prefect(run_python):
    assert run_python("-m", "prefect", "--version").stdout == f"{prefect_version()}\n"
    assert run_python("-m", "prefect", "nonsense", check=False).returncode == 2


def test_help_lists_every_group(prefect):
    for words in ([], ["--help"], ["-h"]):
        out = prefect(*words).out
        assert all(name in out and purpose in out for name, purpose in GROUPS.items())


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_has_help(group, prefect):
    assert prefect(group, "--help").out.lower().startswith(f"usage: prefect {group}")


@pytest.mark.parametrize(
    "words", [["nonsense"], ["config", "nonsense"], ["profile", "use"], ["version", "x"], ["--profile"]]
)
def test_what_is_wrongly_put_ends_with_2(words, prefect):
    done = prefect(*words, code=2)

    assert not done.out
    assert "prefect" in done.err


def test_version(prefect):
    assert prefect("--version").out == prefect("-v").out == f"{prefect_version()}\n"
    lines = dict(line.split(":", 1) for line in prefect("version").out.splitlines())
    assert lines["Version"].strip() == prefect_version()
    assert lines["Profile"].strip() == "ephemeral"
    assert lines["Database"].strip() == "sqlite"


def prefect_version() -> str:
    return prefect.__version__


def test_version_is_shown_even_where_settings_are_wrong(prefect, monkeypatch):
    monkeypatch.setattr("prefect.cli.version.get_current_settings", _wrong)

    out = prefect("version").out

    assert prefect_version() in out
    assert "PREFECT_DEBUG_MODE is 'perhaps'" in out


def _wrong():
    from prefect.exceptions import ConfigurationError

    raise ConfigurationError("PREFECT_DEBUG_MODE is 'perhaps' (env), but expected true or false.")


def test_a_wrong_setting_is_one_sentence_and_no_traceback(run_python):
    done = run_python(
        "-m", "prefect.cli", "config", "view", env={"PREFECT_LOGGING_LEVEL": "LOUD"}, check=False
    )

    assert done.returncode == 1
    assert done.stderr == (
        "PREFECT_LOGGING_LEVEL is 'LOUD' (env), but expected one of DEBUG, INFO, WARNING, ERROR, CRITICAL.\n"
    )


@pytest.mark.parametrize(
    "words",
    [
        ["--profile", "local", "config", "view"],
        ["-p", "local", "config", "view"],
        ["--profile=local", "config", "view"],
        ["config", "view", "--profile", "local"],
    ],
)
def test_a_command_can_be_run_under_another_profile(words, prefect):
    assert "PREFECT_API_URL='http://127.0.0.1:4200/api' (from profile)" in prefect(*words).out


def test_an_unknown_profile_is_an_error(prefect):
    assert prefect("--profile", "zz", "config", "view", code=1).err == "Profile 'zz' not found.\n"


def run_prefect(
    *words: str, stdout: int | IO[bytes], cwd: Path, **env: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "prefect.cli", *words],
        stdout=stdout,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env={**os.environ, **env},
        timeout=50,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_sentence(tmp_path: Path):
    with open("/dev/full", "wb") as full:
        done = run_prefect("--help", stdout=full, cwd=tmp_path)

    assert done.returncode == 1
    assert done.stderr == b"[Errno 28] No space left on device\n"


def test_a_stdout_that_cannot_spell_is_no_error(tmp_path: Path):
    home = {"PREFECT_HOME": str(tmp_path / "home"), "PYTHONIOENCODING": "ascii"}
    run_prefect("profile", "create", "käthe", stdout=subprocess.PIPE, cwd=tmp_path, **home)

    done = run_prefect("profile", "ls", stdout=subprocess.PIPE, cwd=tmp_path, **home)

    assert done.returncode == 0
    assert b"k\\xe4the" in done.stdout


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path):
    code = """if True:
        import sys
        from prefect.cli import main
        for _ in range(50):  # more than a pipe holds
            main(["config", "view", "--show-defaults"])
        sys.exit(main(["config", "view"]))
    """
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
    )
    assert child.stdout
    assert child.stderr
    child.stdout.close()
    complaint = child.stderr.read()
    child.stderr.close()

    child.wait(timeout=30)
    assert complaint == b""
