"""`prefect profile`: keep sets of settings, and choose between them."""

from __future__ import annotations

from typing import Annotated

from prefect.cli.commands import Flag, Group
from prefect.cli.output import Format, confirm, print_json, print_table
from prefect.exceptions import ConfigurationError, InvalidNameError
from prefect.settings.constants import DEFAULT_PROFILE_NAME, DEFAULT_PROFILES_PATH
from prefect.settings.context import current_profile_name
from prefect.settings.profiles import Profile, ProfilesCollection, load_profiles, save_profiles
from prefect.settings.secret import MASK

__all__ = ["run"]

group = Group("profile")
run = group.run


def _find(profiles: ProfilesCollection, name: str) -> Profile:
    if name not in profiles:
        known = ", ".join(sorted(profiles.names))
        raise ConfigurationError(f"Profile {name!r} not found. There are {known}.")
    return profiles[name]


def _check_name(name: str) -> None:
    if not name.strip() or not name.isprintable():
        raise InvalidNameError(
            f"A profile's name must hold something that can be read, and {name!r} does not."
        )


@group.command("ls")
def ls(*, output: Annotated[Format | None, Flag("-o")] = None) -> None:
    """List the profiles.

    Args:
        output: Print for programs.
    """
    active = current_profile_name()
    names = sorted(load_profiles().names | {active})
    if output:
        print_json([{"name": name, "active": name == active} for name in names])
        return
    print_table("Profiles", ["Name", "Active"], [[name, "*" if name == active else ""] for name in names])


@group.command("create")
def create(name: str, *, from_: Annotated[str | None, Flag(metavar="NAME")] = None) -> None:
    """Create a profile.

    Args:
        name: The new profile's name.
        from_: Copy the settings of this profile.
    """
    _check_name(name)
    profiles = load_profiles()
    if name in profiles:
        raise ConfigurationError(
            f"Profile {name!r} already exists. To start afresh: prefect profile delete {name!r}"
        )
    profiles.add_profile(_find(profiles, from_).updated({}, name=name) if from_ else Profile(name))
    save_profiles(profiles)
    print(f"Created profile {name!r}" + (f" from {from_!r}." if from_ else "."))
    print(f"Use it from now on:      prefect profile use {name!r}")
    print(f"Use it for one command:  prefect --profile {name!r} config view")


@group.command("use")
def use(name: str) -> None:
    """Make a profile the active one.

    Args:
        name: The profile's name.
    """
    profiles = load_profiles()
    _find(profiles, name)
    profiles.set_active(name)
    save_profiles(profiles)
    print(f"Profile {name!r} now active.")


@group.command("inspect")
def inspect(name: str | None = None, *, output: Annotated[Format | None, Flag("-o")] = None) -> None:
    """Show the settings of a profile.

    Args:
        name: The profile's name; by default the active one.
        output: Print for programs, keys and passwords too.
    """
    name = name or current_profile_name()
    profile = _find(load_profiles(), name)
    if output:
        print_json(profile.to_raw())
        return
    if not profile.to_raw():
        print(f"Profile {name!r} is empty.")
    secret = {setting.name for setting in profile.settings if setting.is_secret}
    for key, value in profile.to_raw().items():
        print(f"{key}='{MASK if key in secret else value}'")


@group.command("rename")
def rename(name: str, new_name: str) -> None:
    """Give a profile another name.

    Args:
        name: The profile's name.
        new_name: Its new name.
    """
    _check_name(new_name)
    profiles = load_profiles()
    profile = _find(profiles, name)
    if new_name in profiles:
        raise ConfigurationError(f"Profile {new_name!r} already exists.")
    if profile.source == DEFAULT_PROFILES_PATH:
        raise ConfigurationError(f"Profile {name!r} is always there, so it cannot be renamed.")
    profiles.add_profile(profile.updated({}, name=new_name))
    profiles.remove_profile(name)
    if profiles.active_name == name:
        profiles.set_active(new_name)
    save_profiles(profiles)
    print(f"Renamed profile {name!r} to {new_name!r}.")


@group.command("delete")
def delete(name: str, *, yes: Annotated[bool, Flag("-y")] = False) -> None:
    """Delete a profile.

    Args:
        name: The profile's name.
        yes: Do not ask.
    """
    profiles = load_profiles()
    profile = _find(profiles, name)
    if profile.source == DEFAULT_PROFILES_PATH:
        raise ConfigurationError(f"Profile {name!r} is always there, so it cannot be deleted.")
    if name in (profiles.active_name, current_profile_name()) and name != DEFAULT_PROFILE_NAME:
        raise ConfigurationError(
            f"Profile {name!r} is the active profile. You must switch profiles before it can be deleted."
        )
    confirm(f"Delete profile {name!r}?", yes=yes)
    profiles.remove_profile(name)
    save_profiles(profiles)
    print(f"Removed profile {name!r}.")
