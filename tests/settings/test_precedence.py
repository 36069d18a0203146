"""Which source wins: environment, `.env`, project files, the active profile, defaults."""

from __future__ import annotations

from pathlib import Path

import pytest

from prefect.exceptions import ConfigurationError
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_HOME,
    PREFECT_LOGGING_LEVEL,
    Settings,
    get_current_settings,
    temporary_settings,
)

SOURCES = ["env", ".env", "prefect.toml", "pyproject.toml", "profile"]


def give(source: str, url: str, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    if source == "env":
        monkeypatch.setenv("PREFECT_API_URL", url)
    elif source == ".env":
        Path(".env").write_text(f"OTHER=1\nexport PREFECT_API_URL='{url}' # where it is\n")
    elif source == "prefect.toml":
        Path("prefect.toml").write_text(f'[api]\nurl = "{url}"\n')
    elif source == "pyproject.toml":
        Path("pyproject.toml").write_text(f'[project]\nname = "x"\n[tool.prefect.api]\nurl = "{url}"\n')
    else:
        (home / "profiles.toml").write_text(f'active = "a"\n[profiles.a]\nPREFECT_API_URL = "{url}"\n')


@pytest.mark.parametrize("first", range(len(SOURCES)))
def test_the_weightier_source_wins(first, monkeypatch, home, read):
    for source in SOURCES[first:]:
        give(source, f"http://{source}/api", monkeypatch, home)

    settings = read()

    assert settings.api.url == f"http://{SOURCES[first]}/api"
    assert settings.source_of("api.url") == SOURCES[first]


def test_defaults_follow_from_home(home):
    settings = get_current_settings()

    assert settings.home == home
    assert settings.profiles_path == home / "profiles.toml"
    assert settings.results.local_storage_path == home / "storage"
    assert settings.logging.config_path == home / "logging.yml"
    assert settings.server.database.connection_url.get_secret_value() == f"sqlite:///{home}/prefect.db"
    assert settings.source_of("results.local_storage_path") == "default"


def test_home_may_start_with_a_tilde(monkeypatch, read):
    monkeypatch.setenv("PREFECT_HOME", "~/somewhere")

    assert read().home == Path.home() / "somewhere"


def test_debug_mode_lowers_the_level_unless_one_is_set(monkeypatch, read):
    monkeypatch.setenv("PREFECT_DEBUG_MODE", "1")
    assert read().logging.level == "DEBUG"

    monkeypatch.setenv("PREFECT_LOGGING_LEVEL", "warning")
    assert read().logging.level == "WARNING"


@pytest.mark.parametrize(
    ("api", "ui"),
    [
        ("http://127.0.0.1:4200/api", "http://127.0.0.1:4200"),
        ("http://example.org/prefix/api/", "http://example.org/prefix"),
        ("https://api.prefect.cloud/api/accounts/1", "https://app.prefect.cloud"),
        (None, None),
    ],
)
def test_the_pages_address_follows_from_the_api_s(api, ui):
    assert Settings(api={"url": api}).ui_url == ui


@pytest.mark.parametrize(
    "text",
    [
        '[tool]\nprefect.api.url = "http://x"',
        '[tool."prefect".api]\nurl = "http://x"',
        '[ tool . prefect . api ]\nurl = "http://x"',
        'tool.prefect.api.url = "http://x"',
    ],
)
def test_a_project_file_may_be_written_in_any_way(text, read):
    Path("pyproject.toml").write_text(text)

    assert read().api.url == "http://x"


def test_a_project_file_that_says_nothing_of_prefect_is_not_parsed(run_python, tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["prefect"]\n[tool.ruff]\n')

    done = run_python(
        "-c", "import sys, prefect.settings as s; s.Settings(); print('tomllib' in sys.modules)"
    )

    assert done.stdout == "False\n"


def test_only_variables_of_prefect_are_looked_at(monkeypatch, read):
    Path(".env").write_text("API_URL=http://nowhere\nURL=x\nHOME=/nowhere\n")
    monkeypatch.setenv("API_URL", "http://nowhere")

    assert read().model_fields_set == {"home"}


def test_a_further_name_gives_the_value_and_the_first_name_wins(monkeypatch, read):
    monkeypatch.setenv("PREFECT_TASK_DEFAULT_RETRIES", "2")
    assert read().tasks.default_retries == 2

    monkeypatch.setenv("PREFECT_TASKS_DEFAULT_RETRIES", "3")
    assert read().tasks.default_retries == 3


def test_an_empty_variable_counts_as_absent_where_it_cannot_be_a_value(monkeypatch, read):
    monkeypatch.setenv("PREFECT_LOGGING_LEVEL", "")
    monkeypatch.setenv("PREFECT_SERVER_API_PORT", "")

    assert (read().logging.level, read().server.api.port) == ("INFO", 4200)


def test_the_profile_is_chosen_by_variable(monkeypatch, home, read):
    (home / "profiles.toml").write_text(
        'active = "a"\n[profiles.a]\n[profiles.b]\nPREFECT_API_URL = "http://b"\n'
    )
    assert (read().profile_name, read().api.url) == ("a", None)

    monkeypatch.setenv("PREFECT_PROFILE", "b")
    assert (read().profile_name, read().api.url) == ("b", "http://b")


def test_the_local_profile_is_there_from_the_start(monkeypatch, read):
    monkeypatch.setenv("PREFECT_PROFILE", "local")

    assert read().api.url == "http://127.0.0.1:4200/api"


def test_an_unknown_profile_is_an_error_that_names_those_there_are(monkeypatch, read):
    monkeypatch.setenv("PREFECT_PROFILE", "nowhere")

    with pytest.raises(ConfigurationError, match=r"no profile 'nowhere'.*ephemeral, local, test"):
        read()


def test_all_values_that_do_not_fit_are_named_with_what_is_expected(monkeypatch, profile, read):
    monkeypatch.setenv("PREFECT_LOGGING_LEVEL", "LOUD")
    monkeypatch.setenv("PREFECT_SERVER_API_PORT", "many")
    profile(PREFECT_DEBUG_MODE="perhaps")

    with pytest.raises(ConfigurationError) as caught:
        read()

    assert sorted(str(caught.value).splitlines()) == [
        "PREFECT_DEBUG_MODE is 'perhaps' (profile), but expected true or false.",
        "PREFECT_LOGGING_LEVEL is 'LOUD' (env), but expected one of DEBUG, INFO, WARNING, ERROR, CRITICAL.",
        "PREFECT_SERVER_API_PORT is 'many' (env), but expected a whole number.",
    ]


def test_a_file_that_is_no_toml_is_named(home, read):
    (home / "profiles.toml").write_text("[profiles\n")

    with pytest.raises(ConfigurationError, match=r"profiles\.toml cannot be read"):
        read()


def test_unknown_names_in_files_are_reported_once_and_never_fatal(caplog, profile, read):
    profile(PREFECT_API_URL="http://x", PREFECT_ONE_THAT_CAME_LATER="1")
    Path("prefect.toml").write_text("[api]\nspeed = 9\n")

    assert read().api.url == "http://x"
    read()

    assert [record.getMessage() for record in caplog.records] == [
        "There is no setting api.speed in prefect.toml; it is left alone.",
        "There is no setting PREFECT_ONE_THAT_CAME_LATER in profile 'mine'; it is left alone.",
    ]


def test_database_parts_make_an_address(monkeypatch, read):
    for part, value in {"DRIVER": "postgresql+asyncpg", "HOST": "db", "USER": "me", "NAME": "runs"}.items():
        monkeypatch.setenv(f"PREFECT_API_DATABASE_{part}", value)
    monkeypatch.setenv("PREFECT_API_DATABASE_PASSWORD", "h@sh/hush")

    url = read().server.database.connection_url

    assert url.get_secret_value() == "postgresql://me:h%40sh%2Fhush@db/runs"
    assert "hush" not in repr(read())


def test_database_parts_that_are_missing_are_named(monkeypatch, read):
    monkeypatch.setenv("PREFECT_API_DATABASE_DRIVER", "postgresql")

    with pytest.raises(ConfigurationError, match=r"PREFECT_SERVER_DATABASE_HOST, .*_USER, .*_NAME"):
        read()


def test_a_variable_set_later_is_seen_by_temporary_settings_only(monkeypatch):
    get_current_settings()
    monkeypatch.setenv("PREFECT_API_URL", "http://later")

    assert PREFECT_API_URL.value() is None
    with temporary_settings({PREFECT_LOGGING_LEVEL: "ERROR"}):
        assert PREFECT_API_URL.value() == "http://later"
    assert PREFECT_API_URL.value() is None


def test_another_home_brings_its_own_profile(tmp_path, profile, read):
    profile(PREFECT_API_URL="http://mine")
    assert read().api.url == "http://mine"

    with temporary_settings({PREFECT_HOME: tmp_path / "empty"}):
        assert PREFECT_API_URL.value() is None


def test_nothing_is_read_on_import(run_python):
    done = run_python(
        "-c",
        "import os, prefect.settings as s; os.environ['PREFECT_API_URL'] = 'http://set-after-import'\n"
        "print(s.PREFECT_API_URL.value())",
    )

    assert done.stdout == "http://set-after-import\n"
