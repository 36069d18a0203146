"""What is coloured on the console: levels, addresses, names of runs, states."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from prefect.logging.styles import RESET, ansi

__all__ = [
    "STYLES",
    "Highlighter",
    "LevelHighlighter",
    "NameHighlighter",
    "PrefectConsoleHighlighter",
    "StateHighlighter",
    "UrlHighlighter",
]

STYLES: Mapping[str, str] = {
    "log.web_url": "bright_blue",
    "log.local_url": "bright_blue",
    "log.debug_level": "blue",
    "log.info_level": "cyan",
    "log.warning_level": "yellow3",
    "log.error_level": "red3",
    "log.critical_level": "bright_red",
    "log.completed_state": "green",
    "log.cancelled_state": "yellow3",
    "log.failed_state": "red3",
    "log.timedout_state": "red3",
    "log.crashed_state": "bright_red",
    "log.cached_state": "bright_blue",
    "log.flow_run_name": "magenta",
    "log.flow_name": "bold magenta",
    "log.task_run_name": "magenta",
}
"""The style of each kind of thing. `logging.yml` may change them."""


class Highlighter:
    """Colours parts of a text. A subclass names them: groups of patterns, styled as `base_style` + group."""

    base_style: ClassVar[str] = "log."
    highlights: ClassVar[list[str]] = []

    def __init__(self, styles: Mapping[str, str] | None = None) -> None:
        self._styles = {**STYLES, **(styles or {})}
        self._pattern = re.compile("|".join(self.highlights)) if self.highlights else None

    def __call__(self, text: str) -> str:
        """Return the text with codes around its parts."""
        return self._pattern.sub(self._colour, text) if self._pattern is not None else text

    def _colour(self, found: re.Match[str]) -> str:
        name, part = found.lastgroup, found[0]
        inner = found[name] if name else ""
        if not name or not inner:
            return part
        code = ansi(self._styles.get(self.base_style + name, ""))
        return part.replace(inner, f"{code}{inner}{RESET}", 1) if code else part


class LevelHighlighter(Highlighter):
    """Colours the names of levels."""

    highlights: ClassVar[list[str]] = [
        r"(?<=\| )(?P<debug_level>DEBUG)(?= +\|)",
        r"(?<=\| )(?P<info_level>INFO)(?= +\|)",
        r"(?<=\| )(?P<warning_level>WARNING)(?= +\|)",
        r"(?<=\| )(?P<error_level>ERROR)(?= +\|)",
        r"(?<=\| )(?P<critical_level>CRITICAL)(?= +\|)",
    ]


class UrlHighlighter(Highlighter):
    """Colours addresses."""

    highlights: ClassVar[list[str]] = [r"(?P<web_url>https?://[^\s'\"]+)", r"(?P<local_url>file://[^\s'\"]+)"]


class NameHighlighter(Highlighter):
    """Colours the names of flows and runs."""

    highlights: ClassVar[list[str]] = [
        r"(?i:flow run )(?P<flow_run_name>'[^']*')",
        r"(?i:task run )(?P<task_run_name>'[^']*')",
        r"(?i:flow )(?P<flow_name>'[^']*')",
    ]


class StateHighlighter(Highlighter):
    """Colours the names of final states."""

    highlights: ClassVar[list[str]] = [
        r"(?P<completed_state>Completed)(?=\()",
        r"(?P<cancelled_state>Cancelled)(?=\()",
        r"(?P<failed_state>Failed)(?=\()",
        r"(?P<timedout_state>TimedOut)(?=\()",
        r"(?P<crashed_state>Crashed)(?=\()",
        r"(?P<cached_state>Cached)(?=\()",
    ]


class PrefectConsoleHighlighter(Highlighter):
    """Colours all of these."""

    highlights: ClassVar[list[str]] = [
        *LevelHighlighter.highlights,
        *UrlHighlighter.highlights,
        *NameHighlighter.highlights,
        *StateHighlighter.highlights,
    ]
