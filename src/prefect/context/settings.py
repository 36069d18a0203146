"""The settings that apply here, in the form of a context. `prefect.settings` is where they are kept."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import Context
from typing import TYPE_CHECKING, ClassVar

from prefect.context.model import ContextModel
from prefect.settings import Settings, get_current_settings
from prefect.settings.context import _active
from prefect.settings.index import OPTIONS_BY_NAME

if TYPE_CHECKING:
    from prefect.settings import Profile

__all__ = [
    "SettingsContext",
    "changed_settings",
    "get_settings_context",
    "root_settings_context",
    "travelling_settings",
    "use_profile",
]


class SettingsContext(ContextModel):
    """Settings, with the profile that some of them come from; inside `with` they apply."""

    __slots__ = ("_profile", "settings")
    __var__ = _active
    _fields: ClassVar[tuple[str, ...]] = ("profile", "settings")

    settings: Settings

    def __init__(self, *, settings: Settings, profile: Profile | None = None) -> None:
        self.settings = settings
        self._profile = profile

    @property
    def profile(self) -> Profile:
        """The profile that is in use."""
        if self._profile is None:
            from prefect.settings.profiles import Profile, load_profiles  # noqa: PLC0415 - runs need no profiles

            name = self.settings.profile_name
            self._profile = load_profiles().profiles_by_name.get(name) or Profile(name)
        return self._profile

    @property
    def _value(self) -> Settings:
        return self.settings

    @classmethod
    def get(cls) -> SettingsContext:
        """Return the settings that apply here; there always are some."""
        return cls(settings=get_current_settings())


def get_settings_context() -> SettingsContext:
    """Return the settings that apply here."""
    return SettingsContext.get()


def root_settings_context() -> SettingsContext:
    """Return the settings of the process, whatever was changed for a while here."""
    return SettingsContext(settings=Context().run(get_current_settings))


def changed_settings() -> dict[str, str]:
    """Return the settings here that another process does not find in its environment.

    Returns:
        Texts by variable. No credentials are among them.
    """
    settings = get_current_settings()
    changed: dict[str, str] = {}
    for name, text in settings.to_environment_variables(exclude_unset=True).items():
        row = OPTIONS_BY_NAME[name]
        # The address of a database may hold a password; that of a file does not.
        if settings.source_of(row.path) != "env" and (not row.is_secret or text.startswith("sqlite:")):
            changed[name] = text
    return changed


_OF_THE_MACHINE = frozenset({"home", "profiles_path", "logging.config_path"})
"""Paths that the environment gives are right on the machine whose environment it is."""
_MAY_HOLD_SECRETS = frozenset({"client.custom_headers"})
"""Settings that are shown to everybody here, and may be secret all the same."""


def travelling_settings() -> dict[str, str]:
    """Return the settings here that hold on another machine too.

    Returns:
        Texts by variable: all that differ from the defaults, less credentials and what is of this machine.
    """
    settings = get_current_settings()
    travelling: dict[str, str] = {}
    for name, text in settings.to_environment_variables(exclude_unset=True).items():
        row = OPTIONS_BY_NAME[name]
        if row.is_secret or row.path in _MAY_HOLD_SECRETS or row.path.startswith("server."):
            continue
        if row.path in _OF_THE_MACHINE and settings.source_of(row.path) != "override":
            continue
        if row.path == "api.url" and "@" in text:
            continue  # with a password in it; the worker's environment has it, or its own way in
        travelling[name] = text
    return travelling


@contextmanager
def use_profile(
    profile: Profile | str,
    override_environment_variables: bool = False,
    include_current_context: bool = True,
) -> Generator[SettingsContext, None, None]:
    """Let a profile apply inside `with`.

    Args:
        profile: The profile or its name.
        override_environment_variables: Let the profile go before the environment.
        include_current_context: Keep what `temporary_settings` changed here.

    Raises:
        ValueError: There is no such profile.
        prefect.exceptions.ConfigurationError: A value does not fit.
    """
    from prefect.settings.profiles import load_profile, settings_of_profile  # noqa: PLC0415 - seldom used

    chosen = load_profile(profile) if isinstance(profile, str) else profile
    overrides = get_current_settings().overrides if include_current_context else None
    settings = settings_of_profile(
        chosen, override_environment_variables=override_environment_variables, overrides=overrides
    )
    with SettingsContext(settings=settings, profile=chosen) as context:
        yield context
