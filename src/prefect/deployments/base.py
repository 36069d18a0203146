"""Begins projects: writes a `prefect.yaml`, and a `.prefectignore`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect.deployments.recipes import RECIPES, facts_of_git, guess_recipe
from prefect.exceptions import ConfigurationError
from prefect.rules.placeholders import LEFT_OUT, fill
from prefect.version import __version__

__all__ = ["configure_project_by_recipe", "create_default_prefect_yaml", "initialize_project"]

_IGNORED = """\
# What is not part of the code.
__pycache__/
*.py[cod]
*.egg-info/
.mypy_cache/
.pytest_cache/
.ruff_cache/
.ipynb_checkpoints/

# Environments
.env
.venv/
venv/

# Editors and version control
.DS_Store
.idea/
.vscode/
.git/
"""
_HEAD = """\
# What is deployed from this project. `prefect deploy --all` does it; with --check it only says what is wrong.
"""
_SECTIONS = {
    "build": "# Run when it is deployed: what makes images.",
    "push": "# Run after that: what brings images and code to where workers find them.",
    "pull": "# Run by the process of each run: what gets the code there.",
}
_DEPLOYMENTS = "# The deployments. A name and an entrypoint, such as flows.py:load, make one.\n"


def configure_project_by_recipe(recipe: str, **formatting_kwargs: Any) -> dict[str, Any]:
    """Return what a recipe has a `prefect.yaml` say.

    Args:
        recipe: The recipe.
        **formatting_kwargs: What its placeholders stand for; others stay.

    Raises:
        ValueError: There is no such recipe.
    """
    if recipe not in RECIPES:
        raise ValueError(f"There is no recipe {recipe!r}. There are {', '.join(RECIPES)}.")
    contents = dict(RECIPES[recipe].contents)

    def value_of(name: str) -> Any:
        value = formatting_kwargs.get(name, LEFT_OUT)
        return f"{{{{ {name} }}}}" if value is LEFT_OUT or value is None else value

    filled: dict[str, Any] = fill(contents, value_of)
    return filled


def create_default_prefect_yaml(
    path: str, name: str | None = None, contents: dict[str, Any] | None = None
) -> bool:
    """Write a `prefect.yaml`, unless there is one.

    Args:
        path: The folder.
        name: The project's name; None: the folder's.
        contents: Its `build`, `push` and `pull`, and the `job_variables` of its deployment.

    Returns:
        Whether it was written.
    """
    import yaml  # noqa: PLC0415 - only new projects need it

    file = Path(path) / "prefect.yaml"
    given = dict(contents or {})
    head = {"name": name or file.resolve().parent.name, "prefect-version": __version__}
    parts = [_HEAD, yaml.safe_dump(head, sort_keys=False, allow_unicode=True)]
    for section, comment in _SECTIONS.items():
        written = yaml.safe_dump({section: given.get(section)}, sort_keys=False, allow_unicode=True)
        parts.append(f"\n{comment}\n{written}")
    entry: dict[str, Any] = {
        "name": None,
        "entrypoint": None,
        "description": None,
        "tags": [],
        "parameters": {},
        "schedules": [],
        "work_pool": {
            "name": None,
            "work_queue_name": None,
            "job_variables": given.get("job_variables") or {},
        },
    }
    parts.append(f"\n{_DEPLOYMENTS}{yaml.safe_dump({'deployments': [entry]}, sort_keys=False)}")
    return _write_new(file, "".join(parts))


def initialize_project(
    name: str | None = None, recipe: str | None = None, inputs: dict[str, Any] | None = None
) -> list[str]:
    """Begin a project in this folder: write its `prefect.yaml` and `.prefectignore`. What is there stays.

    Args:
        name: The project's name; None: the folder's.
        recipe: Where its code is and goes, one of `RECIPES`; None: as the folder looks.
        inputs: What the recipe must be told, by field.

    Returns:
        The files that were written.

    Raises:
        ValueError: There is no such recipe, or it has no such field.
        prefect.exceptions.ConfigurationError: The recipe must be told more.
    """
    recipe = recipe or guess_recipe()
    folder = Path.cwd()
    known = {"name": name or folder.name, "directory": str(folder), **facts_of_git()}
    given = dict(inputs or {})
    contents = configure_project_by_recipe(recipe, **known, **given)
    fields = RECIPES[recipe].fields
    if unknown := sorted(given.keys() - fields.keys() - {"repository", "branch"}):
        raise ValueError(
            f"The recipe {recipe!r} has no field {unknown[0]!r}. It has {', '.join(fields) or 'none'}."
        )
    if missing := [field for field in fields if not given.get(field)]:
        told = ", ".join(f"{field} ({fields[field]})" for field in missing)
        raise ConfigurationError(f"The recipe {recipe!r} needs {told}: give --field {missing[0]}=…")
    files = []
    if _write_new(folder / ".prefectignore", _IGNORED):
        files.append(".prefectignore")
    if create_default_prefect_yaml(".", name, contents):
        files.append("prefect.yaml")
    return files


def _write_new(file: Path, text: str) -> bool:
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        return False
    return True
