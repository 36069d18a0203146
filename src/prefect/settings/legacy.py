"""`Setting`, a setting as an object: `PREFECT_API_URL.value()`."""

from __future__ import annotations

from typing import Any

from prefect.settings.context import get_current_settings
from prefect.settings.index import OPTIONS_BY_NAME
from prefect.settings.options import Option
from prefect.settings.root import Settings
from prefect.settings.secret import SecretStr

__all__ = ["Setting", "find_setting"]


class Setting:
    """One setting, by its environment variable: a key for `temporary_settings` and profiles.

    Args:
        name: The environment variable, or a further name of it.

    Raises:
        KeyError: There is no such setting.
    """

    __slots__ = ("_name", "_option")

    def __init__(self, name: str) -> None:
        self._name = name
        self._option: Option = OPTIONS_BY_NAME[name]

    @property
    def name(self) -> str:
        """The environment variable."""
        return self._name

    @property
    def option(self) -> Option:
        """The setting's row in the table."""
        return self._option

    @property
    def accessor(self) -> str:
        """The dotted path in the settings: `api.url`."""
        return self._option.path

    @property
    def is_secret(self) -> bool:
        """Whether the value must not be shown."""
        return self._option.is_secret

    @property
    def help(self) -> str:
        """What the setting does."""
        return self._option.help

    def value(self) -> Any:
        """Return the value that applies here; a secret in the clear."""
        return self.value_from(get_current_settings())

    def value_from(self, settings: Settings) -> Any:
        """Return the value that some settings hold; a secret in the clear."""
        return _revealed(settings.value_at(self._option.path))

    def default(self) -> Any:
        """Return the default; None where it follows from other settings."""
        return _revealed(self._option.default)

    def __bool__(self) -> bool:
        return bool(self.value())

    def __eq__(self, other: object) -> bool:
        return self._option is other._option if isinstance(other, Setting) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._option.path)

    def __str__(self) -> str:
        return self._name

    def __repr__(self) -> str:
        return f"<{self._name}: {self._option.owner.__annotations__[self._option.attribute]}>"


def _revealed(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


_made: dict[str, Setting] = {}


def find_setting(name: str) -> Setting | None:
    """Return the setting of that name, always the same object, or None where there is none."""
    if name not in _made and name in OPTIONS_BY_NAME:
        _made[name] = Setting(name)
    return _made.get(name)
