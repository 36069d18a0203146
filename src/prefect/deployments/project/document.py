"""YAML files, with the lines that things stand in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from prefect.exceptions import ConfigurationError

__all__ = ["Document", "read_document"]

_MERGE = "tag:yaml.org,2002:merge"


class Document:
    """A YAML file that was read.

    Args:
        path: The file.
        text: What is in it.

    Raises:
        prefect.exceptions.ConfigurationError: It is no YAML, or a mapping has a key twice.
    """

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self._lines: dict[tuple[str | int, ...], int] = {}
        try:
            self.data: Any = yaml.safe_load(text)
            node = yaml.compose(text, yaml.SafeLoader)
        except yaml.YAMLError as error:
            raise ConfigurationError(f"{path} is no YAML: {error}") from error
        except RecursionError as error:
            raise ConfigurationError(f"{path} refers to itself, or is nested too deeply.") from error
        if node is not None:
            self._walk(node, (), set())

    def _walk(self, node: yaml.Node, path: tuple[str | int, ...], above: set[int]) -> None:
        if id(node) in above:
            raise ConfigurationError(f"{self.path}, line {node.start_mark.line + 1}: it refers to itself.")
        above = above | {id(node)}
        self._lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.SequenceNode):
            for place, item in enumerate(node.value):
                self._walk(item, (*path, place), above)
        elif isinstance(node, yaml.MappingNode):
            self._walk_mapping(node, path, above)

    def _walk_mapping(self, node: yaml.MappingNode, path: tuple[str | int, ...], above: set[int]) -> None:
        seen: set[str] = set()
        for key, value in node.value:
            if key.tag == _MERGE:
                continue
            name, line = str(key.value), key.start_mark.line + 1
            # YAML takes the last one without a word.
            if name in seen:
                raise ConfigurationError(f"{self.path}, line {line}: {name!r} is there twice.")
            seen.add(name)
            self._lines[*path, name] = line
            self._walk(value, (*path, name), above)

    def where(self, *path: str | int) -> str:
        """Return the file and the line of what stands at a place.

        Args:
            path: The keys and places in lists that lead there.
        """
        # What was merged in from elsewhere has no line of its own here.
        while path and path not in self._lines:
            path = path[:-1]
        return f"{self.path}, line {self._lines.get(path, 1)}"


def read_document(path: Path) -> Document:
    """Read a YAML file.

    Args:
        path: The file.

    Raises:
        prefect.exceptions.ConfigurationError: It cannot be read, or is no YAML.
    """
    try:
        return Document(path, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
