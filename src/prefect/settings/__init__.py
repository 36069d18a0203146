"""Settings: what they are, what they are set to, and profiles that keep sets of them.

Importing this reads nothing: the environment and files are read when a value is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect.settings.constants import DEFAULT_PROFILES_PATH
from prefect.settings.context import get_current_settings, temporary_settings
from prefect.settings.index import OPTIONS_BY_NAME
from prefect.settings.legacy import Setting, find_setting
from prefect.settings.root import Settings
from prefect.settings.secret import SecretStr

if TYPE_CHECKING:
    from prefect.settings.profiles import (
        Profile,
        ProfilesCollection,
        load_current_profile,
        load_profile,
        load_profiles,
        save_profiles,
        update_current_profile,
    )

__all__ = [
    "DEFAULT_PROFILES_PATH",
    "Profile",
    "ProfilesCollection",
    "SecretStr",
    "Setting",
    "Settings",
    "get_current_settings",
    "load_current_profile",
    "load_profile",
    "load_profiles",
    "save_profiles",
    "temporary_settings",
    "update_current_profile",
]


def __getattr__(name: str) -> Any:
    """Give a setting as an object, such as `PREFECT_API_URL`, and what concerns profiles."""
    setting = find_setting(name)
    if setting is not None:
        return setting
    if name in __all__:
        from prefect.settings import profiles  # noqa: PLC0415 - a run seldom handles profiles

        return getattr(profiles, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, *OPTIONS_BY_NAME]
