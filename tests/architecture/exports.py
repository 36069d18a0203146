"""List every public name. After a change: `make names`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import prefect


def public_modules() -> Iterator[str]:
    """Give the modules with no private part in their names; migrations are scripts, not modules."""
    yield "prefect"
    for found in pkgutil.walk_packages(prefect.__path__, "prefect."):
        parts = found.name.split(".")
        if not any(part.startswith("_") or part == "migrations" for part in parts):
            yield found.name


def exported_names() -> Iterator[str]:
    """Give `module:name` for every name in `__all__`, each looked up, so that a dead one is an error."""
    for name in public_modules():
        module = importlib.import_module(name)
        if not hasattr(module, "__all__"):
            # The `__init__` of a package that only holds others needs none.
            if not hasattr(module, "__path__"):
                yield f"{name}:(no __all__)"
            continue
        for exported in module.__all__:
            getattr(module, exported)
            yield f"{name}:{exported}"


if __name__ == "__main__":
    print("\n".join(sorted(exported_names())))
