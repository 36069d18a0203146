"""Settings as a context."""

from __future__ import annotations

import pytest

import prefect.context
from prefect.context import SettingsContext, get_settings_context, root_settings_context, use_profile
from prefect.exceptions import ConfigurationError
from prefect.settings import Profile, Settings, get_current_settings, temporary_settings


def test_there_always_are_settings():
    assert SettingsContext.get().settings == get_current_settings()
    assert get_settings_context().profile.name == get_current_settings().profile_name


def test_temporary_settings_are_seen_but_are_not_the_processs():
    before = get_current_settings().logging.level
    with temporary_settings({"PREFECT_LOGGING_LEVEL": "ERROR"}):
        assert get_settings_context().settings.logging.level == "ERROR"
        assert root_settings_context().settings.logging.level == before
        assert prefect.context.GLOBAL_SETTINGS_CONTEXT.settings.logging.level == before


def test_settings_apply_inside_with():
    with SettingsContext(settings=Settings(api={"url": "http://there/api"})):
        assert get_current_settings().api.url == "http://there/api"
    assert get_current_settings().api.url is None


def test_use_profile_applies_a_profile():
    profile = Profile("mine", {"PREFECT_LOGGING_LEVEL": "WARNING", "PREFECT_API_URL": "http://mine/api"})
    with temporary_settings({"PREFECT_LOGGING_LEVEL": "ERROR"}):
        with use_profile(profile) as context:
            assert context.profile is profile
            assert get_current_settings().api.url == "http://mine/api"
            assert get_current_settings().logging.level == "ERROR"
        with use_profile(profile, include_current_context=False) as context:
            assert context.settings.logging.level == "WARNING"
    assert get_current_settings().api.url is None


def test_use_profile_may_go_before_the_environment(monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://environment/api")
    profile = Profile("mine", {"PREFECT_API_URL": "http://mine/api"})
    with use_profile(profile):
        assert get_current_settings().api.url == "http://environment/api"
    with use_profile(profile, override_environment_variables=True):
        assert get_current_settings().api.url == "http://mine/api"


def test_an_unknown_profile_or_a_bad_value_is_an_error():
    with pytest.raises(ValueError, match="'nope' not found"), use_profile("nope"):
        pass
    bad = Profile("bad", {"PREFECT_SERVER_API_PORT": "many"})
    with pytest.raises(ConfigurationError, match="PREFECT_SERVER_API_PORT"), use_profile(bad):
        pass
