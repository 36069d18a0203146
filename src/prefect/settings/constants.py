"""What every file of the settings agrees on."""

from __future__ import annotations

from pathlib import Path

__all__ = ["DEFAULT_PREFECT_HOME", "DEFAULT_PROFILES_PATH", "DEFAULT_PROFILE_NAME"]

DEFAULT_PREFECT_HOME = Path("~/.prefect")
"""Where everything is kept unless `PREFECT_HOME` says otherwise."""

DEFAULT_PROFILES_PATH = Path(__file__).parent / "profiles.toml"
"""The profiles that are there before a user makes any."""

DEFAULT_PROFILE_NAME = "ephemeral"
"""The profile that is active until one is chosen. It sets nothing."""
