"""Installs what steps need."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from prefect.logging.loggers import get_logger

__all__ = ["install_missing"]

_REQUIREMENT = re.compile(r"([A-Za-z0-9][\w.\-]*)(\[[\w.,\- ]*\])?[^\x00-\x1f]*")


def install_missing(requirements: Iterable[str]) -> None:
    """Install packages that are not there.

    Args:
        requirements: Names of packages, with the versions that will do: `prefect-docker>=0.3.1`.

    Raises:
        ValueError: One is none.
        RuntimeError: Pip could not install them.
    """
    missing = [each for each in requirements if not _is_there(each)]
    if not missing:
        return
    get_logger("deployments").info("Installing %s", ", ".join(missing))
    # What follows `--` is never an option.
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--", *missing]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise RuntimeError(f"{', '.join(missing)} could not be installed: {done.stderr.strip()}")


def _is_there(requirement: str) -> bool:
    found = _REQUIREMENT.fullmatch(requirement) if isinstance(requirement, str) else None
    if found is None:
        raise ValueError(
            f"`requires` names packages, such as 'prefect-docker>=0.3.1', unlike {requirement!r}."
        )
    try:
        version(found[1])
    except PackageNotFoundError:
        return False
    return True
