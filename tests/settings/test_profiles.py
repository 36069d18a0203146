"""Profiles: sets of settings in a file."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from prefect.exceptions import ConfigurationError, MissingProfileError, ProfileSettingsValidationError
from prefect.settings import (
    DEFAULT_PROFILES_PATH,
    PREFECT_API_KEY,
    PREFECT_API_URL,
    PREFECT_LOGGING_LEVEL,
    PREFECT_PROFILES_PATH,
    Profile,
    ProfilesCollection,
    load_current_profile,
    load_profile,
    load_profiles,
    save_profiles,
    temporary_settings,
    update_current_profile,
)
from prefect.settings.context import use_settings
from prefect.settings.profiles import settings_of_profile


def test_profiles_that_exist_from_the_start():
    profiles = load_profiles()

    assert profiles.names == {"ephemeral", "local", "test"}
    assert profiles.active_name == "ephemeral"
    assert profiles.active_profile == Profile("ephemeral", {})
    assert profiles["local"].settings == {PREFECT_API_URL: "http://127.0.0.1:4200/api"}
    assert profiles["local"].source == DEFAULT_PROFILES_PATH
    assert len(load_profiles(include_defaults=False)) == 0


def test_profiles_are_saved_without_those_from_the_start(home):
    profiles = load_profiles()
    profiles.add_profile(Profile(name="mine", settings={PREFECT_API_URL: "http://x", "PREFECT_API_KEY": "k"}))
    profiles.set_active("mine")
    save_profiles(profiles)

    path = home / "profiles.toml"
    assert path.read_text().splitlines() == [
        'active = "mine"',
        "",
        "[profiles.mine]",
        'PREFECT_API_URL = "http://x"',
        'PREFECT_API_KEY = "k"',
    ]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in home.iterdir()] == ["profiles.toml"]
    assert load_profiles() == profiles
    assert load_profile("mine").settings[PREFECT_API_KEY] == "k"


def test_the_file_may_be_elsewhere(tmp_path):
    with temporary_settings({PREFECT_PROFILES_PATH: tmp_path / "deep" / "p.toml"}):
        save_profiles(ProfilesCollection([Profile("a", {PREFECT_API_URL: "http://a"})], active="a"))
        assert load_current_profile().name == "ephemeral"
        assert load_profiles(include_defaults=False).names == {"a"}
    assert (tmp_path / "deep" / "p.toml").exists()


def test_the_current_profile_is_updated(read):
    profile = update_current_profile({PREFECT_API_URL: "http://x", PREFECT_LOGGING_LEVEL: "ERROR"})

    assert profile.name == "ephemeral"
    assert load_current_profile() == profile
    assert read().api.url == "http://x"

    assert PREFECT_API_URL not in update_current_profile({PREFECT_API_URL: None}).settings


def test_a_value_that_does_not_fit_is_not_saved(home):
    with pytest.raises(ProfileSettingsValidationError, match="PREFECT_LOGGING_LEVEL: expected one of DEBUG"):
        update_current_profile({PREFECT_LOGGING_LEVEL: "LOUD"})

    assert not (home / "profiles.toml").exists()


def test_what_is_unknown_is_kept(home, profile):
    profile(PREFECT_FROM_LATER="1", PREFECT_API_URL="http://x")

    update = load_profiles()
    assert update["mine"].unknown == {"PREFECT_FROM_LATER": "1"}
    update.update_profile("mine", {PREFECT_API_URL: "http://y"})
    save_profiles(update)

    text = (home / "profiles.toml").read_text()
    assert 'PREFECT_FROM_LATER = "1"' in text
    assert 'PREFECT_API_URL = "http://y"' in text


def test_a_file_that_cannot_be_written_is_named(home):
    (home / "file").write_text("")

    with (
        temporary_settings({PREFECT_PROFILES_PATH: home / "file" / "profiles.toml"}),
        pytest.raises(ConfigurationError, match=r"profiles\.toml cannot be written"),
    ):
        save_profiles(ProfilesCollection([]))


def test_a_file_of_something_else_is_refused(home: Path):
    (home / "profiles.toml").write_text('profiles = "none"')

    with pytest.raises(ConfigurationError, match=r"must hold tables such as \[profiles"):
        load_profiles()


def test_collections():
    profiles = ProfilesCollection([Profile("a"), Profile("b")], active="a")

    assert (list(profiles), len(profiles), "a" in profiles) == (["a", "b"], 2, True)
    assert [name for name, _ in profiles.items()] == ["a", "b"]
    with pytest.raises(ValueError, match="already exists"):
        profiles.add_profile(Profile("a"))
    with pytest.raises(ValueError, match="Unknown profile name 'c'"):
        profiles.set_active("c")
    profiles.remove_profile("b")
    assert profiles.to_dict() == {"active": "a", "profiles": {"a": {}}}
    with pytest.raises(MissingProfileError, match="'zz' not found"):
        load_profile("zz")


def test_secrets_do_not_show():
    assert "hush" not in repr(Profile("a", {PREFECT_API_KEY: "hush"}))


@pytest.mark.parametrize(("profile_first", "url"), [(False, "http://env"), (True, "http://profile")])
def test_settings_under_another_profile(profile_first, url, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://env")
    profile = Profile("other", {PREFECT_API_URL: "http://profile", PREFECT_LOGGING_LEVEL: "ERROR"})

    settings = settings_of_profile(profile, override_environment_variables=profile_first)

    assert (settings.api.url, settings.logging.level) == (url, "ERROR")
    with use_settings(settings), temporary_settings() as inside:
        assert (inside.profile_name, inside.api.url) == ("other", url)
