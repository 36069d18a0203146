"""Profiles: named sets of settings, kept in `PREFECT_HOME/profiles.toml`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from prefect.exceptions import ConfigurationError, MissingProfileError, ProfileSettingsValidationError
from prefect.settings.constants import DEFAULT_PROFILES_PATH
from prefect.settings.context import current_profile_name, current_profiles_path
from prefect.settings.legacy import Setting, find_setting
from prefect.settings.root import Settings
from prefect.settings.sources import read_profiles_file
from prefect.settings.values import describe, parse, write

__all__ = [
    "Profile",
    "ProfilesCollection",
    "load_current_profile",
    "load_profile",
    "load_profiles",
    "save_profiles",
    "settings_of_profile",
    "update_current_profile",
]


class Profile:
    """A named set of settings.

    Args:
        name: The profile's name.
        settings: Values by setting or name. Names that no setting has are kept in `unknown`.
        source: The file that holds the profile.
    """

    __slots__ = ("name", "settings", "source", "unknown")

    def __init__(
        self, name: str, settings: Mapping[Any, Any] | None = None, source: Path | None = None
    ) -> None:
        self.name = name
        self.source = source
        self.settings: dict[Setting, Any] = {}
        self.unknown: dict[str, Any] = {}
        for key, value in (settings or {}).items():
            setting = key if isinstance(key, Setting) else find_setting(str(key).upper())
            if setting is None:
                self.unknown[str(key)] = value
            else:
                self.settings[setting] = value

    def to_environment_variables(self) -> dict[str, str]:
        """Return the settings as environment variables; a value of None is left out."""
        return {setting.name: write(value) for setting, value in self.settings.items() if value is not None}

    def to_raw(self) -> dict[str, Any]:
        """Return the settings as they stand in a file, the unknown ones too."""
        return {**self.to_environment_variables(), **self.unknown}

    def validate_settings(self) -> None:
        """Check that each value fits.

        Raises:
            ProfileSettingsValidationError: A value does not fit; `errors` pairs settings with what is wrong.
        """
        errors: list[tuple[Any, Any]] = []
        for setting, value in self.settings.items():
            wanted = setting.option.type
            try:
                parse(value, wanted)
            except (ValueError, TypeError):
                shown = "" if setting.is_secret else f", not {value!r}"
                errors.append((setting, f"expected {describe(wanted)}{shown}"))
        if errors:
            raise ProfileSettingsValidationError(errors)

    def updated(self, settings: Mapping[Any, Any], name: str | None = None) -> Profile:
        """Return a copy with some settings changed; a value of None takes the setting away.

        Args:
            settings: Values by setting or name.
            name: The copy's name; by default this one's.
        """
        changed = {**self.settings, **Profile(self.name, settings).settings}
        kept: dict[Any, Any] = {key: value for key, value in changed.items() if value is not None}
        unknown = {key: value for key, value in self.unknown.items() if settings.get(key, key) is not None}
        return Profile(name or self.name, {**kept, **unknown}, self.source)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Profile):
            return NotImplemented
        return (self.name, self.settings, self.unknown) == (other.name, other.settings, other.unknown)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = {
            setting.name: "**********" if setting.is_secret else value
            for setting, value in self.settings.items()
        }
        return f"Profile(name={self.name!r}, settings={shown!r}, source={self.source!r})"


class ProfilesCollection:
    """Profiles by name, one of which may be active.

    Args:
        profiles: The profiles.
        active: The name of the active one.
    """

    def __init__(self, profiles: Iterable[Profile], active: str | None = None) -> None:
        self.profiles_by_name = {profile.name: profile for profile in profiles}
        self.active_name = active

    @property
    def names(self) -> set[str]:
        """The names of all profiles."""
        return set(self.profiles_by_name)

    @property
    def active_profile(self) -> Profile | None:
        """The active profile, where there is one."""
        return None if self.active_name is None else self[self.active_name]

    def set_active(self, name: str | None, check: bool = True) -> None:
        """Make a profile the active one.

        Args:
            name: The profile's name; None for none.
            check: Refuse a name that no profile has.

        Raises:
            ValueError: There is no such profile.
        """
        if check and name is not None and name not in self.profiles_by_name:
            raise ValueError(f"Unknown profile name {name!r}.")
        self.active_name = name

    def add_profile(self, profile: Profile) -> None:
        """Add a profile.

        Raises:
            ValueError: There is one of that name.
        """
        if profile.name in self.profiles_by_name:
            raise ValueError(f"Profile name {profile.name!r} already exists in collection.")
        self.profiles_by_name[profile.name] = profile

    def update_profile(self, name: str, settings: Mapping[Any, Any], source: Path | None = None) -> Profile:
        """Change settings of a profile, which is made if there is none; a value of None takes a setting away.

        Args:
            name: The profile's name.
            settings: Values by setting or name.
            source: The file that holds the profile.
        """
        before = self.profiles_by_name.get(name) or Profile(name)
        after = before.updated(settings)
        after.source = source or before.source
        self.profiles_by_name[name] = after
        return after

    def remove_profile(self, name: str) -> None:
        """Remove a profile. KeyError where there is none."""
        del self.profiles_by_name[name]

    def without_profile_source(self, path: Path | None) -> ProfilesCollection:
        """Return the profiles that are not from that file."""
        kept = [profile for profile in self.profiles_by_name.values() if profile.source != path]
        return ProfilesCollection(kept, self.active_name)

    def to_dict(self) -> dict[str, Any]:
        """Return the collection as a file of profiles has it."""
        profiles = {name: profile.to_raw() for name, profile in self.profiles_by_name.items()}
        return {**({"active": self.active_name} if self.active_name else {}), "profiles": profiles}

    def items(self) -> Iterable[tuple[str, Profile]]:
        """Return names and profiles."""
        return self.profiles_by_name.items()

    def __getitem__(self, name: str) -> Profile:
        return self.profiles_by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.profiles_by_name)

    def __len__(self) -> int:
        return len(self.profiles_by_name)

    def __contains__(self, name: object) -> bool:
        return name in self.profiles_by_name

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ProfilesCollection):
            return NotImplemented
        return (self.active_name, self.profiles_by_name) == (other.active_name, other.profiles_by_name)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        profiles = list(self.profiles_by_name.values())
        return f"ProfilesCollection(profiles={profiles!r}, active={self.active_name!r})"


def load_profiles(include_defaults: bool = True) -> ProfilesCollection:
    """Return the profiles of `PREFECT_PROFILES_PATH`, and those that exist before a user makes any.

    Args:
        include_defaults: Give those that the user did not make too.

    Raises:
        ConfigurationError: The file cannot be read.
    """
    path = current_profiles_path()
    active, raw = read_profiles_file(path)
    found = [Profile(name, values, path) for name, values in raw.items()]
    if include_defaults:
        default_active, defaults = read_profiles_file(DEFAULT_PROFILES_PATH)
        active = active or default_active
        others = [
            Profile(name, values, DEFAULT_PROFILES_PATH)
            for name, values in defaults.items()
            if name not in raw
        ]
        found = others + found
    return ProfilesCollection(found, active)


def load_profile(name: str) -> Profile:
    """Return a profile.

    Raises:
        prefect.exceptions.MissingProfileError: There is no such profile.
    """
    try:
        return load_profiles()[name]
    except KeyError:
        raise MissingProfileError(f"Profile {name!r} not found.") from None


def load_current_profile() -> Profile:
    """Return the profile that applies here, as the files have it now."""
    name = current_profile_name()
    return load_profiles().profiles_by_name.get(name) or Profile(name)


def save_profiles(profiles: ProfilesCollection) -> None:
    """Write profiles to `PREFECT_PROFILES_PATH`, all but those that the user did not make.

    The file appears whole or not at all, readable by its owner alone, since it may hold keys.

    Raises:
        ConfigurationError: The file cannot be written.
    """
    import tomli_w  # noqa: PLC0415 - only commands that change profiles write

    path = current_profiles_path()
    text = tomli_w.dumps(profiles.without_profile_source(DEFAULT_PROFILES_PATH).to_dict())
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.touch(mode=0o600)
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise ConfigurationError(f"{path} cannot be written: {error}") from error


def update_current_profile(settings: Mapping[Any, Any]) -> Profile:
    """Change settings of the profile that applies here, and save it.

    Args:
        settings: Values by setting or name; None takes a setting away.

    Returns:
        The profile as it is now.

    Raises:
        ProfileSettingsValidationError: A value does not fit.
    """
    current = load_current_profile()
    profiles = load_profiles()
    path = current_profiles_path()
    changed = profiles.update_profile(current.name, settings, source=path)
    changed.validate_settings()
    save_profiles(profiles)
    return changed


def settings_of_profile(
    profile: Profile | str, *, override_environment_variables: bool = False, overrides: Any = None
) -> Settings:
    """Return the settings as they are under another profile.

    Args:
        profile: The profile or its name.
        override_environment_variables: Let the profile go before the environment.
        overrides: Values by dotted path that go before all sources.

    Raises:
        ValueError: There is no such profile.
        ConfigurationError: A value does not fit.
    """
    chosen = load_profile(profile) if isinstance(profile, str) else profile
    return Settings.gather(
        overrides, profile=(chosen.name, chosen.to_raw()), profile_first=override_environment_variables
    )
