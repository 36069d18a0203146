"""Sets the loggers up, once, when a run first needs them.

The usual configuration is applied by hand, which takes a millisecond; `logging.config` and a reader of YAML,
which take thirty, are imported only where a `logging.yml` or an environment variable changes something.
Handlers and formatters are imported by the set-up too: a script that only imports us needs none of them.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template
from typing import Any

from prefect.exceptions import ConfigurationError
from prefect.settings import get_current_settings
from prefect.settings.legacy import find_setting
from prefect.settings.sources import read_environment
from prefect.types import call_in_forked_child

__all__ = [
    "DEFAULT_LOGGING_SETTINGS_PATH",
    "PROCESS_LOGGING_CONFIG",
    "ensure_logging_setup",
    "load_logging_config",
    "setup_logging",
    "take_current_level",
]

DEFAULT_LOGGING_SETTINGS_PATH = Path(__file__).parent / "logging.yml"
"""The usual configuration as a file, to start one's own from."""

PROCESS_LOGGING_CONFIG: dict[str, Any] = {}
"""The configuration that applies in this process; empty until the loggers are set up."""

_lock = threading.RLock()
_lowest = [logging.CRITICAL]
"""The lowest level that the settings have asked for since the loggers were set up."""
_SECTIONS = ("LOGGERS", "HANDLERS", "FORMATTERS", "FILTERS", "ROOT")


def ensure_logging_setup() -> None:
    """Set the loggers up, if that was not done in this process yet."""
    if not PROCESS_LOGGING_CONFIG:
        setup_logging()


def take_current_level() -> None:
    """Set the loggers up; where that was done for less than the current settings ask for, let them take it.

    For processes that carry out runs with settings of their own, as workers of clusters do. Loggers belong to
    the process, so runs that ask for less may get more.
    """
    wanted = _level_of_settings()
    with _lock:
        if PROCESS_LOGGING_CONFIG and wanted < _lowest[0]:
            setup_logging(incremental=True)
    ensure_logging_setup()


def setup_logging(incremental: bool | None = None) -> dict[str, Any]:
    """Set the loggers up: from `logging.yml`, where the user has one, else as usual.

    Args:
        incremental: Change only the levels of loggers. By default everything is set up anew.

    Returns:
        The configuration.

    Raises:
        prefect.exceptions.ConfigurationError: The file cannot be read, or what it says cannot be applied.
    """
    with _lock:
        path = get_current_settings().logging.config_path
        has_file = path.is_file()
        if has_file or _overrides() or incremental:
            config = load_logging_config(path if has_file else DEFAULT_LOGGING_SETTINGS_PATH)
            if incremental:
                _apply_levels(config)
            else:
                _apply(config, path)
        else:
            config = _apply_usual()
        _set_up_extra_loggers()
        PROCESS_LOGGING_CONFIG.clear()
        PROCESS_LOGGING_CONFIG.update(config)
        _lowest[0] = _level_of_settings()
    return config


def _level_of_settings() -> int:
    return logging.getLevelNamesMapping().get(get_current_settings().logging.level, logging.NOTSET)


def load_logging_config(path: Path) -> dict[str, Any]:
    """Read a configuration from a YAML file in the form of `logging.config`.

    `${PREFECT_…}` stands for a setting. A variable such as `PREFECT_LOGGING_LOGGERS_PREFECT_LEVEL` goes
    before what the file says at `loggers: prefect: level`.

    Args:
        path: The file.

    Raises:
        prefect.exceptions.ConfigurationError: The file cannot be read, or is no YAML mapping.
    """
    from prefect.logging.defaults import default_config  # noqa: PLC0415 - see above

    if path == DEFAULT_LOGGING_SETTINGS_PATH:
        loaded: Any = default_config()
    else:
        import yaml  # noqa: PLC0415 - only where the user has such a file

        try:
            loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise ConfigurationError(f"The logging configuration {path} cannot be read: {error}") from error
    if not isinstance(loaded, dict):
        raise ConfigurationError(
            f"The logging configuration {path} must be a mapping with the keys `version`, `handlers`, "
            f"`loggers` and so on; {DEFAULT_LOGGING_SETTINGS_PATH} is one to start from."
        )
    config: dict[str, Any] = _override(_fill_in(loaded), _overrides())
    return config


class _SettingTexts(Mapping[str, str]):
    """The texts of settings by their variables, looked up one by one: there are hundreds."""

    def __getitem__(self, name: str) -> str:
        setting = find_setting(name)
        if setting is None:
            raise KeyError(name)
        value = setting.value()
        return "" if value is None else str(value)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _fill_in(value: Any) -> Any:
    """Put settings in place of `${NAME}`."""
    if isinstance(value, dict):
        return {key: _fill_in(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill_in(item) for item in value]
    if isinstance(value, str) and "$" in value:
        return Template(value).safe_substitute(_SettingTexts())
    return value


def _overrides() -> dict[str, str]:
    """Return the environment variables that change single values of the configuration."""
    starts = tuple(f"PREFECT_LOGGING_{section}_" for section in _SECTIONS)
    return {name: text for name, text in read_environment().items() if name.startswith(starts)}


def _override(value: Any, overrides: Mapping[str, str], name: str = "PREFECT_LOGGING") -> Any:
    """Put the values of variables in place of values whose path spells the variable's name."""
    if isinstance(value, dict):
        return {
            key: _override(item, overrides, f"{name}_{re.sub('[^0-9A-Z]', '_', str(key).upper())}")
            for key, item in value.items()
        }
    text = overrides.get(name)
    if text is None:
        return value
    return [part.strip() for part in text.split(",")] if isinstance(value, list) else text


def _apply(config: dict[str, Any], path: Path) -> None:
    import logging.config  # noqa: PLC0415 - 10 ms that the usual configuration does not need

    try:
        logging.config.dictConfig(config)
    except (ValueError, TypeError, AttributeError, ImportError) as error:
        cause = f" ({error.__cause__})" if error.__cause__ else ""
        raise ConfigurationError(
            f"The logging configuration cannot be applied: {error}{cause}. It comes from {path} and from "
            "environment variables that start with PREFECT_LOGGING_."
        ) from error


def _apply_levels(config: dict[str, Any]) -> None:
    for name, wanted in config.get("loggers", {}).items():
        if "level" in wanted:
            logging.getLogger(name).setLevel(wanted["level"])


def _apply_usual() -> dict[str, Any]:
    """Do what `logging.config` would do with the usual configuration, and return that."""
    from prefect.logging.defaults import default_config  # noqa: PLC0415 - see above
    from prefect.logging.filters import ObfuscateApiKeyFilter  # noqa: PLC0415 - see above
    from prefect.logging.formatters import PrefectFormatter  # noqa: PLC0415 - see above
    from prefect.logging.handlers import APILogHandler, PrefectConsoleHandler  # noqa: PLC0415 - see above

    config: dict[str, Any] = _fill_in(default_config())
    hide_key = ObfuscateApiKeyFilter()
    console = PrefectConsoleHandler()
    texts = {key: text for key, text in config["formatters"]["standard"].items() if key != "()"}
    console.setFormatter(PrefectFormatter(**texts))
    console.addFilter(hide_key)
    api = APILogHandler()
    api.addFilter(hide_key)
    handlers: dict[str, logging.Handler] = {"console": console, "api": api}
    for name, wanted in config["loggers"].items():
        logger = logging.getLogger(name)
        _forget_handlers(logger)
        logger.setLevel(wanted["level"])
        logger.propagate = wanted.get("propagate", True)
        for handler in wanted["handlers"]:
            logger.addHandler(handlers[handler])
    root = logging.getLogger()
    _forget_handlers(root)
    if not root.handlers:  # otherwise the program has its own idea of what other libraries' logs look like
        root.addHandler(console)
    return config


def _forget_handlers(logger: logging.Logger) -> None:
    """Take the handlers of an earlier set-up away, and leave those of others."""
    for handler in list(logger.handlers):
        if type(handler).__module__ == "prefect.logging.handlers":
            logger.removeHandler(handler)


def _set_up_extra_loggers() -> None:
    """Let the loggers that the user named be recorded with runs, at our level unless they have their own."""
    settings = get_current_settings().logging
    model = logging.getLogger("prefect.extra")
    for name in settings.extra_loggers or ():
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(model.level or settings.level)
        for handler in model.handlers:
            logger.addHandler(handler)


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()


call_in_forked_child(_after_fork)
