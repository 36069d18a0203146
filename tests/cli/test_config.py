"""`prefect config`."""

from __future__ import annotations

import json

import pytest

from prefect.settings.index import OPTIONS


def test_view_shows_what_is_set_and_where(prefect, home, monkeypatch):
    monkeypatch.setenv("PREFECT_LOGGING_LEVEL", "debug")
    prefect("config", "set", "PREFECT_API_URL=http://a/api")

    assert prefect("config", "view").out.splitlines() == [
        "PREFECT_PROFILE='ephemeral'",
        "PREFECT_API_URL='http://a/api' (from profile)",
        f"PREFECT_HOME='{home}' (from env)",
        "PREFECT_LOGGING_LEVEL='DEBUG' (from env)",
    ]
    assert "PREFECT_API_URL='http://a/api'\n" in prefect("config", "view", "--hide-sources").out


def test_view_can_show_defaults(prefect):
    out = prefect("config", "view", "--show-defaults").out

    assert "PREFECT_LOGGING_LEVEL='INFO' (from defaults)" in out
    assert len(out.splitlines()) == 1 + len(OPTIONS)
    assert prefect("config", "view", "--show-defaults", "--hide-defaults").out.count("\n") == 2


def test_view_for_programs(prefect, home):
    assert prefect("config", "view", "--output", "json").json() == {
        "profile": "ephemeral",
        "settings": [{"name": "PREFECT_HOME", "value": str(home), "source": "env"}],
    }


def test_secrets_are_shown_only_when_asked_for(prefect):
    assert "hush" not in prefect("config", "set", "PREFECT_API_KEY=hush").out
    for words in (["config", "view"], ["config", "view", "-o", "json"], ["profile", "inspect"]):
        assert "hush" not in prefect(*words).out
    assert "PREFECT_API_KEY='hush'" in prefect("config", "view", "--show-secrets").out


def test_set_and_unset(prefect):
    done = prefect("config", "set", "PREFECT_API_URL=http://a/api?x=1", "PREFECT_FLOW_DEFAULT_RETRIES=2")
    assert done.out.splitlines() == [
        "Set 'PREFECT_API_URL' to 'http://a/api?x=1'.",
        "Set 'PREFECT_FLOW_DEFAULT_RETRIES' to '2'.",
        "Updated profile 'ephemeral'.",
    ]
    assert "PREFECT_FLOWS_DEFAULT_RETRIES='2' (from profile)" in prefect("config", "view").out

    done = prefect("config", "unset", "PREFECT_API_URL", "PREFECT_FLOWS_DEFAULT_RETRIES", "-y")
    assert done.out.splitlines() == [
        "Unset 'PREFECT_API_URL'.",
        "Unset 'PREFECT_FLOWS_DEFAULT_RETRIES'.",
        "Updated profile 'ephemeral'.",
    ]
    assert prefect("config", "view").out.count("\n") == 2


def test_set_says_when_the_environment_goes_first(prefect, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://env")

    out = prefect("config", "set", "PREFECT_API_URL=http://a").out

    assert out.endswith("PREFECT_API_URL is set in the environment too, which goes before the profile.\n")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["set", "FOO=1"], "Unknown setting name 'FOO'."),
        (["set", "nonsense"], "Failed to parse argument 'nonsense'. Use the format 'VAR=VAL'."),
        (["set", "PREFECT_LOGGING_LEVEL=LOUD"], "PREFECT_LOGGING_LEVEL: expected one of DEBUG, INFO"),
        (["set", "PREFECT_HOME=/x"], "'PREFECT_HOME' is needed to find the profile"),
        (["unset", "PREFECT_API_URL"], "'PREFECT_API_URL' is not set in profile 'ephemeral'."),
    ],
)
def test_what_cannot_be_done_is_said(words, complaint, prefect, home):
    done = prefect("config", *words, code=1)

    assert done.err.startswith(complaint)
    assert not done.out
    assert not home.exists()


def test_validate(prefect, home):
    assert prefect("config", "validate").out == "Configuration valid!\n"

    home.mkdir()
    (home / "profiles.toml").write_text('[profiles.ephemeral]\nPREFECT_FROM_LATER = "1"\n')
    assert "There is no setting 'PREFECT_FROM_LATER'" in prefect("config", "validate").out


def test_a_profile_that_does_not_fit_can_be_mended(run_python, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "profiles.toml").write_text(
        '[profiles.ephemeral]\nPREFECT_DEBUG_MODE = "perhaps"\nPREFECT_FROM_LATER = "1"\n'
    )

    wrong = run_python("-m", "prefect.cli", "config", "validate", check=False)
    run_python("-m", "prefect.cli", "config", "unset", "PREFECT_DEBUG_MODE", "PREFECT_FROM_LATER")
    right = run_python("-m", "prefect.cli", "config", "view", "-o", "json")

    assert wrong.returncode == 1
    assert wrong.stderr == "PREFECT_DEBUG_MODE: expected true or false, not 'perhaps'\n"
    assert [entry["name"] for entry in json.loads(right.stdout)["settings"]] == ["PREFECT_HOME"]
