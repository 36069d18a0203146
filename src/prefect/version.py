"""The version of this release, where every floor can read it."""

from __future__ import annotations

__all__ = ["API_VERSION", "INTERFACE_VERSION", "__version__"]

__version__ = "0.1.0"

INTERFACE_VERSION = "3.8.8"
"""The release of Prefect 3 whose interface this is."""
API_VERSION = "0.8.4"
"""The version of that release's protocol."""
