"""Commands made from functions."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest

from prefect.cli.commands import Flag, Group


@pytest.fixture
def called():
    return []


@pytest.fixture
def group(called) -> Group:
    made = Group("config")

    @made.command("do")
    def do(
        what: str,
        where: str | None = None,
        *,
        times: int = 1,
        word: Annotated[list[str] | None, Flag("-w")] = None,
        shape: Literal["round", "square"] = "round",
        loud: Annotated[bool, Flag("-l", off="--quiet")] = False,
    ) -> None:
        """Do something, 100% sure.

        Args:
            what: What to do,
                at length.
            where: Where to do it.
            times: How often.
            word: A word.
            shape: A shape.
            loud: Make noise.
        """
        called.append((what, where, times, word, shape, loud))

    @made.command("all")
    def all_(*names: str) -> None:
        """Take many.

        Args:
            names: The names.
        """
        called.append(names)

    return made


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        (["x"], ("x", None, 1, None, "round", False)),
        (["x", "y"], ("x", "y", 1, None, "round", False)),
        (["x", "--times", "3", "-w", "a", "--word", "b"], ("x", None, 3, ["a", "b"], "round", False)),
        (["--shape=square", "x", "-l"], ("x", None, 1, None, "square", True)),
        (["x", "--loud", "--quiet"], ("x", None, 1, None, "round", False)),
    ],
)
def test_words_become_arguments(words, arguments, group, called):
    assert group.run(["do", *words]) == 0
    assert called == [arguments]


def test_many_by_place(group, called):
    group.run(["all", "a", "b"])

    assert called == [("a", "b")]


@pytest.mark.parametrize(
    "words", [["do"], ["do", "x", "--times", "many"], ["do", "x", "--shape", "odd"], ["all"]]
)
def test_what_does_not_fit_is_a_usage_error(words, group, called, capsys):
    with pytest.raises(SystemExit) as ended:
        group.run(words)

    assert ended.value.code == 2
    assert "prefect config" in capsys.readouterr().err
    assert not called


def test_an_option_that_is_not_there_is_told_with_the_usage_of_its_command(group, called, capsys):
    with pytest.raises(SystemExit):
        group.run(["do", "x", "--nope"])

    said = capsys.readouterr().err
    assert "usage: prefect config do" in said
    assert "--times" in said and "--nope" in said
    assert not called


def test_help_is_the_docstring(group, capsys):
    with pytest.raises(SystemExit):
        group.run(["do", "--help"])

    out = " ".join(capsys.readouterr().out.split())
    assert "Do something, 100% sure." in out
    assert "What to do, at length." in out
    assert "How often. By default 1." in out
