"""The settings that apply here: read once, changed for a while with `temporary_settings`."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefect.settings.gathering import find_profile_name, find_profiles_path
from prefect.settings.root import Settings

if TYPE_CHECKING:
    from prefect.settings.legacy import Setting

__all__ = [
    "current_profile_name",
    "current_profiles_path",
    "get_current_settings",
    "refresh_settings",
    "temporary_settings",
    "use_settings",
]

_active: ContextVar[Settings | None] = ContextVar("prefect_settings", default=None)
_root: Settings | None = None
_reported: set[str] = set()


def get_current_settings() -> Settings:
    """Return the settings that apply here. The first call reads them; later ones cost next to nothing.

    The environment is read again by `temporary_settings`, `refresh_settings` and new processes.

    Raises:
        ConfigurationError: A value does not fit; the text names the variable, the value and what is expected.
    """
    return _active.get() or _root or refresh_settings()


def refresh_settings() -> Settings:
    """Read the process's settings again, and return them."""
    global _root
    _root = Settings.gather()
    for unknown in _root.unknown:
        if unknown not in _reported:
            _reported.add(unknown)
            import logging  # noqa: PLC0415 - all is well as a rule

            logging.getLogger("prefect.settings").warning(
                "There is no setting %s; it is left alone.", unknown
            )
    return _root


def current_profiles_path() -> Path:
    """Return the file of profiles. No profile is read for that, so that a bad one can be mended."""
    active = _active.get()
    return active.profiles_path if active else find_profiles_path()


def current_profile_name() -> str:
    """Return the name of the profile that applies here, whether or not its values fit."""
    settings = _active.get() or _root
    return settings.profile_name if settings else find_profile_name()


@contextmanager
def use_settings(settings: Settings) -> Generator[Settings]:
    """Let other settings apply inside `with`.

    Args:
        settings: The settings to apply.
    """
    token = _active.set(settings)
    try:
        yield settings
    finally:
        _active.reset(token)


@contextmanager
def temporary_settings(
    updates: Mapping[Setting | str, Any] | None = None,
    set_defaults: Mapping[Setting | str, Any] | None = None,
    restore_defaults: Iterable[Setting | str] | None = None,
) -> Generator[Settings]:
    """Change some settings inside `with`. The environment and files are read again on entering.

    Args:
        updates: Values by setting, which go before everything.
        set_defaults: Values by setting for those that nothing gives a value.
        restore_defaults: Settings to put back to their defaults.

    Raises:
        ConfigurationError: There is no such setting, or a value does not fit.
    """
    settings = get_current_settings().copy_with_update(updates, set_defaults, tuple(restore_defaults or ()))
    with use_settings(settings):
        yield settings
