"""`prefect init`: begin a project."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from prefect.cli.asking import ask, may_ask
from prefect.cli.commands import Flag, Single
from prefect.cli.values import split_pair
from prefect.deployments.base import initialize_project
from prefect.deployments.recipes import RECIPES
from prefect.exceptions import CommandFailed

__all__ = ["run"]


def init(
    *,
    name: Annotated[str | None, Flag(metavar="NAME")] = None,
    recipe: Annotated[str | None, Flag(metavar="RECIPE")] = None,
    field: Annotated[list[str] | None, Flag("-f", metavar="KEY=VALUE")] = None,
) -> None:
    """Write a prefect.yaml, in which deployments are kept, and a .prefectignore; what is there stays.

    Args:
        name: The project's name; left out, the folder's.
        recipe: Where the code is and goes: local, git, docker or docker-git; left out, git in a repository
            that comes from elsewhere, else local.
        field: What the recipe must be told. Can be given several times.
    """
    given = dict(split_pair("--field", text) for text in field or ())
    if recipe is not None and may_ask():
        wanted = RECIPES[recipe].fields if recipe in RECIPES else {}
        given |= {each: ask(f"{each}, {what}") for each, what in wanted.items() if each not in given}
    try:
        files = initialize_project(name, recipe, given)
    except ValueError as error:
        raise CommandFailed(str(error)) from error
    if not files:
        print(f"{Path.cwd()} has a prefect.yaml and a .prefectignore already: nothing was written.")
        return
    print(f"Wrote {' and '.join(files)} in {Path.cwd()}.")
    if "prefect.yaml" in files:
        print(
            "Write deployments into prefect.yaml; `prefect deploy --check --all` looks whether they would do."
        )


run = Single("init", init).run
