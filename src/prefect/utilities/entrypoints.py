"""Entrypoints: texts that say where a flow or task is, and what is there.

`path/to/file.py:name` is in a file, `package.module:name` or `package.module.name` in a module.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from prefect.exceptions import MissingFlowError, ScriptError

__all__ = ["all_of_module", "entrypoint_of", "load_from_entrypoint"]

T = TypeVar("T")


def load_from_entrypoint(entrypoint: str, kind: type[T], what: str | None = None) -> T:
    """Return the flow, or the task, that an entrypoint leads to.

    The file's folder comes first on the import path, as when the file is run, and stays there: what is loaded
    may import what lies beside it when it runs.

    Args:
        entrypoint: `path/to/file.py:name`, `package.module:name` or `package.module.name`.
        kind: `Flow` or `Task`, or their base.
        what: What messages call it; None: the kind's name.

    Raises:
        FileNotFoundError: There is no such file.
        ModuleNotFoundError: There is no such module.
        prefect.exceptions.ScriptError: The file or module raised when it was loaded.
        prefect.exceptions.MissingFlowError: It was loaded, but has none of that name.
        ValueError: The text is no entrypoint.
    """
    what = what or kind.__name__.lower()
    place, name = _split(entrypoint)
    found: Any = _load_file(place) if place.endswith(".py") else _load_module(place)
    module = found
    for part in name.split("."):
        found = getattr(found, part, None)
        if found is None:
            raise MissingFlowError(f"{place!r} has no {what} {name!r}. {_those_in(module, kind, what)}")
    if not isinstance(found, kind):
        raise MissingFlowError(
            f"{name!r} in {place!r} is no {what}, but of type {type(found).__name__}. "
            f"Decorate the function with @{what}. {_those_in(module, kind, what)}"
        )
    return found


def all_of_module(name: str, kind: type[T]) -> list[T]:
    """Return all that a module has of a kind.

    Args:
        name: The module.
        kind: `Flow` or `Task`.

    Raises:
        ModuleNotFoundError: There is no such module.
        prefect.exceptions.ScriptError: The module raised when it was loaded.
    """
    return [value for value in vars(_load_module(name)).values() if isinstance(value, kind)]


def entrypoint_of(function: Callable[..., Any], relative_to: Path | None = None) -> str:
    """Return an entrypoint that leads to what was made of a function: in its file, or else its module.

    Args:
        function: The function of a flow or task.
        relative_to: A folder that the file's path starts from, if the file lies in it; None: where we are.

    Raises:
        ValueError: It is part of a function, or was typed into an interpreter: no other process can find it
            there.
    """
    function = inspect.unwrap(function)
    name = function.__qualname__
    file = getattr(sys.modules.get(function.__module__), "__file__", None) or inspect.getsourcefile(function)
    if "<locals>" in name or "<lambda>" in name:
        raise ValueError(
            f"{name!r} is made inside a function, so another process cannot find it. "
            "Move it to the top of its module."
        )
    if file is None or not Path(file).is_file():
        if function.__module__ == "__main__":
            raise ValueError(f"{name!r} is not in a file, so another process cannot find it. Save it to one.")
        return f"{function.__module__}:{name}"
    path = Path(file).resolve()
    folder = (relative_to or Path.cwd()).resolve()
    return f"{path.relative_to(folder) if path.is_relative_to(folder) else path}:{name}"


def _split(entrypoint: str) -> tuple[str, str]:
    separator = ":" if ":" in entrypoint else "."
    place, _, name = entrypoint.rpartition(separator)
    if not place or not name or entrypoint.endswith(".py"):
        raise ValueError(
            f"{entrypoint!r} is no entrypoint. It is a file and the name of a flow in it, such as "
            "'flows/etl.py:load', or a module and a name, such as 'package.module:load'."
        )
    return place, name


def _load_file(place: str) -> ModuleType:
    path = Path(place).expanduser().resolve()
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no file {place!r} (looked for {path}). Its path starts from the working directory."
        )
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    # Its own name, so that other processes can import it for what they are sent; but not that of another.
    known = sys.modules.get(path.stem)
    is_free = known is None or getattr(known, "__file__", None) == str(path)
    name = path.stem if is_free and path.stem not in sys.stdlib_module_names else f"_flow_script_{path.stem}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ScriptError(ImportError(f"{place} cannot be loaded"), place)
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        if known is None:
            del sys.modules[name]
        else:
            sys.modules[name] = known
        if isinstance(error, Exception):
            raise ScriptError(error, place) from error
        raise
    return module


def _load_module(place: str) -> ModuleType:
    # As `python -m` does: what lies in the working directory can be imported.
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(place)
    except ModuleNotFoundError as error:
        if error.name is not None and (place == error.name or place.startswith(f"{error.name}.")):
            raise
        raise ScriptError(error, place) from error
    except Exception as error:
        raise ScriptError(error, place) from error


def _those_in(module: ModuleType, kind: type[Any], what: str) -> str:
    names = sorted(name for name, value in vars(module).items() if isinstance(value, kind))
    return f"Its {what}s are {', '.join(names)}." if names else f"There are no {what}s in it."
