"""List every public name. After a change: `make names`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import prefect


def public_modules() -> Iterator[str]:
    """Give the modules that no part of whose name starts with an underscore."""
    yield "prefect"
    for found in pkgutil.walk_packages(prefect.__path__, "prefect."):
        if not any(part.startswith("_") for part in found.name.split(".")):
            yield found.name


def exported_names() -> Iterator[str]:
    """Give `module:name` for every name in `__all__`, each looked up, so that a dead one is an error."""
    for name in public_modules():
        module = importlib.import_module(name)
        for exported in getattr(module, "__all__", ["(no __all__)"]):
            if exported != "(no __all__)":
                getattr(module, exported)
            yield f"{name}:{exported}"


if __name__ == "__main__":
    print("\n".join(sorted(exported_names())))
