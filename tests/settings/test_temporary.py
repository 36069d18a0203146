"""Changing settings for a while, and settings as objects."""

from __future__ import annotations

import copy
import pickle
import threading

import pytest

import prefect.settings
from prefect.exceptions import ConfigurationError
from prefect.settings import (
    PREFECT_API_DATABASE_CONNECTION_URL,
    PREFECT_API_KEY,
    PREFECT_API_URL,
    PREFECT_LOGGING_LEVEL,
    PREFECT_SERVER_DATABASE_CONNECTION_URL,
    PREFECT_TASK_DEFAULT_RETRIES,
    SecretStr,
    Setting,
    Settings,
    get_current_settings,
    temporary_settings,
)
from prefect.settings.context import use_settings


def test_updates_hold_inside_and_end_outside():
    before = get_current_settings()

    with temporary_settings({PREFECT_API_URL: "http://a", PREFECT_TASK_DEFAULT_RETRIES: 2}) as inside:
        assert get_current_settings() is inside
        assert (inside.api.url, inside.tasks.default_retries) == ("http://a", 2)
        with temporary_settings({PREFECT_TASK_DEFAULT_RETRIES: 3}) as deeper:
            assert (deeper.api.url, deeper.tasks.default_retries) == ("http://a", 3)

    assert get_current_settings() is before


def test_updates_go_before_the_environment(monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://env")

    with temporary_settings({PREFECT_API_URL: None}):
        assert PREFECT_API_URL.value() is None


def test_set_defaults_yields_to_what_is_given():
    with (
        temporary_settings({PREFECT_API_URL: "http://a"}),
        temporary_settings(set_defaults={PREFECT_API_URL: "http://b", PREFECT_LOGGING_LEVEL: "ERROR"}),
    ):
        assert (PREFECT_API_URL.value(), PREFECT_LOGGING_LEVEL.value()) == ("http://a", "ERROR")


def test_restore_defaults_goes_before_the_environment(monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://env")

    with (
        temporary_settings({PREFECT_LOGGING_LEVEL: "ERROR"}),
        temporary_settings(restore_defaults={PREFECT_API_URL, PREFECT_LOGGING_LEVEL}),
    ):
        assert (PREFECT_API_URL.value(), PREFECT_LOGGING_LEVEL.value()) == (None, "INFO")


def test_settings_may_be_named_by_text():
    with temporary_settings({"PREFECT_API_URL": "http://a", "logging.level": "ERROR"}):
        assert (PREFECT_API_URL.value(), PREFECT_LOGGING_LEVEL.value()) == ("http://a", "ERROR")


def test_a_value_that_does_not_fit_changes_nothing():
    with (
        pytest.raises(ConfigurationError, match=r"PREFECT_LOGGING_LEVEL is 'LOUD' .*expected one of DEBUG"),
        temporary_settings({PREFECT_LOGGING_LEVEL: "LOUD"}),
    ):
        pass
    with (
        pytest.raises(ConfigurationError, match="no setting PREFECT_NOTHING"),
        temporary_settings({"PREFECT_NOTHING": 1}),
    ):
        pass

    assert PREFECT_LOGGING_LEVEL.value() == "INFO"


def test_a_bare_thread_sees_the_process_s_settings():
    seen = []
    with temporary_settings({PREFECT_API_URL: "http://a"}):
        thread = threading.Thread(target=lambda: seen.append(PREFECT_API_URL.value()))
        thread.start()
        thread.join()

    assert seen == [None]


def test_a_setting_is_a_key():
    assert PREFECT_API_DATABASE_CONNECTION_URL == PREFECT_SERVER_DATABASE_CONNECTION_URL
    assert {PREFECT_API_DATABASE_CONNECTION_URL: 1}[PREFECT_SERVER_DATABASE_CONNECTION_URL] == 1
    assert PREFECT_API_URL != PREFECT_API_KEY
    assert isinstance(PREFECT_API_URL, Setting)
    assert (PREFECT_API_URL.name, PREFECT_API_URL.accessor) == ("PREFECT_API_URL", "api.url")
    assert repr(PREFECT_API_URL) == "<PREFECT_API_URL: str | None>"


def test_a_setting_gives_value_and_default():
    settings = Settings(api={"url": "http://a", "key": "k"})

    assert PREFECT_API_URL.value_from(settings) == "http://a"
    assert PREFECT_API_KEY.value_from(settings) == "k"
    assert (PREFECT_API_URL.default(), PREFECT_TASK_DEFAULT_RETRIES.default()) == (None, 0)
    assert not PREFECT_API_URL


def test_a_setting_that_does_not_exist_is_an_import_error():
    with pytest.raises(ImportError, match="PREFECT_NOTHING"):
        from prefect.settings import PREFECT_NOTHING  # noqa: F401
    assert "PREFECT_API_URL" in dir(prefect.settings)


def test_secrets_do_not_show():
    settings = Settings(api={"key": "hush"}, server={"database": {"password": "hush"}})

    assert settings.api.key == SecretStr("hush")
    for text in (
        repr(settings),
        str(settings),
        settings.model_dump_json(),
        str(settings.model_dump()),
        str(settings.to_environment_variables(include_secrets=False)),
    ):
        assert "hush" not in text
    assert settings.model_dump(context={"include_secrets": True})["api"]["key"] == "hush"
    assert settings.to_environment_variables()["PREFECT_API_KEY"] == "hush"


def test_settings_do_not_change_in_place():
    with pytest.raises(AttributeError, match="temporary_settings"):
        get_current_settings().api.url = "http://x"


def test_a_container_belongs_to_its_settings():
    Settings().client.custom_headers["a"] = "b"

    assert Settings().client.custom_headers == {}


def test_copies():
    settings = Settings(api={"url": "http://a"})

    assert settings.copy_with_update({PREFECT_LOGGING_LEVEL: "ERROR"}).api.url == "http://a"
    assert settings.model_copy(update={"logging": {"level": "ERROR"}}).logging.level == "ERROR"
    assert settings.model_copy(update={"api": {"key": "k"}}).api.url == "http://a"
    assert Settings.model_validate(settings.model_dump()) == settings
    assert copy.deepcopy(settings) == settings == pickle.loads(pickle.dumps(settings))


def test_equal_settings_have_equal_keys():
    assert Settings(api={"url": "http://a"}).hash_key() == Settings(api={"url": "http://a"}).hash_key()
    assert Settings(api={"url": "http://a"}).hash_key() != Settings().hash_key()


def test_dumps_can_leave_out_what_is_not_set():
    settings = Settings(tasks={"runner": {"thread_pool_max_workers": 3}})

    assert settings.model_dump(exclude={"home"}, exclude_unset=True) == {
        "tasks": {"runner": {"thread_pool_max_workers": 3}}
    }
    assert settings.model_dump(include={"debug_mode"}) == {"debug_mode": False}


def test_settings_can_be_put_in_force_as_a_whole():
    with use_settings(Settings(api={"url": "http://whole"})):
        assert PREFECT_API_URL.value() == "http://whole"
