"""`prefect config`: view and change settings."""

from __future__ import annotations

from typing import Annotated

from prefect.cli.commands import Flag, Group
from prefect.cli.output import Format, print_json
from prefect.exceptions import ConfigurationError
from prefect.settings import Settings, get_current_settings
from prefect.settings.index import OPTIONS
from prefect.settings.legacy import Setting, find_setting
from prefect.settings.profiles import load_current_profile, update_current_profile
from prefect.settings.secret import MASK
from prefect.settings.sources import read_environment
from prefect.settings.values import write

__all__ = ["run"]

group = Group("config")
run = group.run

_SOURCES = {"default": "defaults"}


@group.command("view")
def view(
    *,
    show_defaults: Annotated[bool, Flag(off="--hide-defaults")] = False,
    show_sources: Annotated[bool, Flag(off="--hide-sources")] = True,
    show_secrets: Annotated[bool, Flag(off="--hide-secrets")] = False,
    output: Annotated[Format | None, Flag("-o")] = None,
) -> None:
    """Show the settings that apply.

    Args:
        show_defaults: Show settings that nothing sets, too. Otherwise --hide-defaults.
        show_sources: Say where each value comes from, as is done unless --hide-sources.
        show_secrets: Show keys and passwords. Otherwise --hide-secrets.
        output: Print for programs.
    """
    settings = get_current_settings()
    rows = [
        (row.name, _shown(settings, row.path, show_secrets), _source(settings, row.path))
        for row in sorted(OPTIONS.values(), key=lambda row: row.name)
        if show_defaults or settings.source_of(row.path) != "default"
    ]
    if output:
        entries = [{"name": name, "value": value, "source": source} for name, value, source in rows]
        print_json({"profile": settings.profile_name, "settings": entries})
        return
    print(f"PREFECT_PROFILE='{settings.profile_name}'")
    for name, value, source in rows:
        print(f"{name}='{value}'" + (f" (from {source})" if show_sources else ""))


def _source(settings: Settings, path: str) -> str:
    source = settings.source_of(path)
    return _SOURCES.get(source, source)


def _shown(settings: Settings, path: str, show_secrets: bool) -> str:
    value = settings.value_at(path)
    if OPTIONS[path].is_secret and not show_secrets and value is not None:
        return MASK
    return "None" if value is None else write(value)


@group.command("set")
def set_(*settings: Annotated[str, Flag(metavar="NAME=VALUE")]) -> None:
    """Set settings in the current profile.

    Args:
        settings: Settings and values, as in PREFECT_API_URL=http://127.0.0.1:4200/api
    """
    changes: dict[Setting, str] = {}
    for text in settings:
        name, equals, value = text.partition("=")
        if not equals:
            raise ConfigurationError(f"Failed to parse argument {text!r}. Use the format 'VAR=VAL'.")
        changes[_known(name)] = value
    profile = update_current_profile(changes)
    for setting, value in changes.items():
        print(f"Set {setting.name!r} to {MASK if setting.is_secret else value!r}.")
    print(f"Updated profile {profile.name!r}.")
    for name in sorted(
        {name for setting in changes for name in setting.option.names} & read_environment().keys()
    ):
        print(f"{name} is set in the environment too, which goes before the profile.")


def _known(name: str) -> Setting:
    setting = find_setting(name)
    if setting is None or setting.name in ("PREFECT_HOME", "PREFECT_PROFILES_PATH"):
        raise ConfigurationError(
            f"{name!r} is needed to find the profile, so it cannot be set there: set it in the environment."
            if setting
            else f"Unknown setting name {name!r}. `prefect config view --show-defaults` lists them all."
        )
    return setting


@group.command("unset")
def unset(
    *names: Annotated[str, Flag(metavar="NAME")],
    yes: Annotated[bool, Flag("-y")] = False,
) -> None:
    """Take settings out of the current profile.

    Args:
        names: The settings.
        yes: Accepted and of no effect: nothing is asked.
    """
    profile = load_current_profile()
    changes = {name: find_setting(name) for name in names}
    for name, setting in changes.items():
        if name not in profile.unknown and (setting is None or setting not in profile.settings):
            raise ConfigurationError(f"{name!r} is not set in profile {profile.name!r}.")
    update_current_profile(dict.fromkeys(names))
    for name in names:
        print(f"Unset {name!r}.")
    print(f"Updated profile {profile.name!r}.")


@group.command("validate")
def validate() -> None:
    """Check the current profile: values that do not fit, names that no setting has."""
    profile = load_current_profile()
    profile.validate_settings()
    for name in profile.unknown:
        print(f"There is no setting {name!r}; it is left alone.")
    print("Configuration valid!")
