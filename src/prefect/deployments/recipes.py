"""What a new `prefect.yaml` says of where code is and goes: by recipe."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

__all__ = ["RECIPES", "Recipe", "facts_of_git", "guess_recipe"]

_PULL = "prefect.deployments.steps."
_DOCKER = "prefect_docker.deployments.steps."
_REQUIRES = "prefect-docker>=0.3.1"


class Recipe(NamedTuple):
    """A recipe."""

    purpose: str
    contents: Mapping[str, Any]
    """`build`, `push` and `pull`, and perhaps `job_variables`; `{{ field }}` stands for what is found out."""
    fields: Mapping[str, str] = {}
    """What must be said for it, and what that is."""


_BUILD = [
    {
        f"{_DOCKER}build_docker_image": {
            "id": "build_image",
            "requires": _REQUIRES,
            "image_name": "{{ image_name }}",
            "tag": "{{ tag }}",
            "dockerfile": "auto",
        }
    }
]
_PUSH = [
    {
        f"{_DOCKER}push_docker_image": {
            "requires": _REQUIRES,
            "image_name": "{{ build_image.image_name }}",
            "tag": "{{ build_image.tag }}",
        }
    }
]
_CLONE = [{f"{_PULL}git_clone": {"repository": "{{ repository }}", "branch": "{{ branch }}"}}]
_IMAGE = {"image": "{{ build_image.image }}"}
_OF_IMAGE = {
    "image_name": "the image that is built, with its registry, such as registry.example.com/team/flows",
    "tag": "its tag, such as v1",
}

RECIPES: Mapping[str, Recipe] = {
    "local": Recipe(
        "the code is in this folder, and workers of this machine run it here",
        {"pull": [{f"{_PULL}set_working_directory": {"directory": "{{ directory }}"}}]},
    ),
    "git": Recipe("workers get the code from a git repository", {"pull": _CLONE}),
    "docker": Recipe(
        "the code is built into an image",
        {
            "build": _BUILD,
            "push": _PUSH,
            "pull": [{f"{_PULL}set_working_directory": {"directory": "/opt/prefect/{{ name }}"}}],
            "job_variables": _IMAGE,
        },
        _OF_IMAGE,
    ),
    "docker-git": Recipe(
        "what the code needs is built into an image, and the code is got from a git repository",
        {"build": _BUILD, "push": _PUSH, "pull": _CLONE, "job_variables": _IMAGE},
        _OF_IMAGE,
    ),
}
"""The recipes by name."""


def guess_recipe() -> str:
    """Return the recipe that fits this folder: `git` in a repository that comes from elsewhere."""
    return "git" if facts_of_git().get("repository") else "local"


def facts_of_git() -> dict[str, str]:
    """Return where the repository of this folder comes from, without secrets, and its branch."""
    asked = {
        "repository": ("config", "--get", "remote.origin.url"),
        "branch": ("symbolic-ref", "--quiet", "--short", "HEAD"),
    }
    found: dict[str, str] = {}
    for name, words in asked.items():
        try:
            done = subprocess.run(
                ["git", *words], capture_output=True, text=True, errors="replace", check=False, cwd=Path.cwd()
            )
        except OSError:
            return {}
        if done.returncode == 0 and done.stdout.strip():
            found[name] = _without_secrets(done.stdout.strip())
    return found


def _without_secrets(url: str) -> str:
    parts = urlsplit(url) if url.startswith(("https://", "http://")) else None
    if parts is None or "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
