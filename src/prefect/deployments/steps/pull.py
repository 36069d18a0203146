"""Steps that get a deployment's code."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from prefect.client.awaiting import awaited
from prefect.deployments.sources import fetched
from prefect.deployments.storage import GitRepository

__all__ = ["agit_clone", "git_clone", "set_working_directory"]


def set_working_directory(directory: str) -> dict[str, str]:
    """Go to a folder of this machine.

    Args:
        directory: The folder.

    Returns:
        The folder, as `directory`.

    Raises:
        FileNotFoundError: There is none.
    """
    path = Path(directory).expanduser()
    if not path.is_dir():
        raise FileNotFoundError(
            f"There is no folder {directory!r} on this machine, where the deployment has its code."
        )
    found = path.resolve()
    os.chdir(found)
    return {"directory": str(found)}


def git_clone(
    repository: str,
    branch: str | None = None,
    commit_sha: str | None = None,
    include_submodules: bool = False,
    access_token: str | None = None,
    credentials: dict[str, Any] | None = None,
    directories: list[str] | None = None,
    clone_directory_name: str | None = None,
) -> dict[str, str]:
    """Get a git repository, below the folder where we are.

    Args:
        repository: Its URL.
        branch: The branch, or tag; None: the repository's default.
        commit_sha: A commit, in place of a branch.
        include_submodules: Whether to get its submodules too.
        access_token: A token to get it with.
        credentials: `username`, and `access_token`, `token` or `password`: what a block of a git host has.
        directories: The folders of it to get; None: all.
        clone_directory_name: The folder that it is put in.

    Returns:
        The folder, as `directory`.

    Raises:
        RuntimeError: Git says that it cannot.
        ValueError: An argument does not fit.
    """
    given = {**(credentials or {}), **({"access_token": access_token} if access_token else {})}
    storage = GitRepository(
        repository,
        given or None,
        clone_directory_name,
        branch,
        commit_sha,
        include_submodules,
        pull_interval=None,
        directories=directories,
    )
    return {"directory": str(fetched(storage))}


agit_clone = awaited(git_clone)
