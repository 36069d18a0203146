"""Commands made from functions: the signature gives the arguments, the docstring the help.

A parameter before `*` is given by place; one after it is an option, `--like-this`. A `bool` option is a
switch, a `list` option can be given several times, and a `Literal` offers its values.
"""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Callable
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from prefect.cli import GROUPS

__all__ = ["Flag", "Group", "Single"]

Command = Callable[..., None]


class Flag:
    """What an option's type alone does not say.

    Args:
        short: A short form, such as `-o`.
        off: The form that turns a switch off; by default `--no-` and its name.
        parse: Makes the value from text; raises `argparse.ArgumentTypeError` with what is wrong.
        metavar: What stands for the value in the help.
        optional: Of what is given by place as often as one likes: it need not be given at all.
        also: A further form, which existing scripts use.
    """

    __slots__ = ("also", "metavar", "off", "optional", "parse", "short")

    def __init__(
        self,
        short: str = "",
        *,
        off: str = "",
        parse: Callable[[str], Any] | None = None,
        metavar: str | None = None,
        optional: bool = False,
        also: str = "",
    ) -> None:
        self.also = also
        self.short = short
        self.off = off
        self.optional = optional
        self.parse = parse
        self.metavar = metavar


class _HelpFormatter(argparse.HelpFormatter):
    """Help with the value's name once an option, in all versions of Python: `-n, --num-logs N`."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if not action.option_strings or action.nargs == 0:
            return super()._format_action_invocation(action)
        value = self._format_args(action, self._get_default_metavar_for_optional(action))
        return f"{', '.join(action.option_strings)} {value}"


class Group:
    """Commands under one word, and groups of further ones.

    Args:
        name: The word; of a group below another, both words.
        purpose: What it is for; None: as `GROUPS` says.
    """

    def __init__(self, name: str, purpose: str | None = None) -> None:
        self.name = name
        self.purpose = GROUPS[name] if purpose is None else purpose
        self.commands: dict[str, Command] = {}
        self.groups: dict[str, Group] = {}

    def group(self, name: str, purpose: str) -> Group:
        """Return a new group below this one.

        Args:
            name: The group's word.
            purpose: What it is for.
        """
        return self.groups.setdefault(name, Group(f"{self.name} {name}", purpose))

    def command(self, name: str) -> Callable[[Command], Command]:
        """Make a function a command of this group.

        Args:
            name: The command's word.
        """

        def register(function: Command) -> Command:
            self.commands[name] = function
            return function

        return register

    def run(self, words: list[str]) -> int:
        """Run the command that the words name, and return its exit code."""
        parsed, unknown = self.parser().parse_known_args(words)
        arguments = vars(parsed)
        function, group = arguments.pop("_function", None), arguments.pop("_group")
        parser = arguments.pop("_parser")
        if unknown:
            # Said by the command's own parser, whose usage tells what there is.
            parser.error(f"unrecognized arguments: {' '.join(unknown)}")
        if function is None:
            group.parser().print_help()
            return 0
        _call(function, arguments)
        return 0

    def parser(self) -> argparse.ArgumentParser:
        """Make the parser of this group."""
        parser = argparse.ArgumentParser(
            f"prefect {self.name}", description=self.purpose, formatter_class=_HelpFormatter
        )
        self._fill(parser)
        return parser

    def _fill(self, parser: argparse.ArgumentParser) -> None:
        parser.set_defaults(_group=self, _parser=parser)
        below = parser.add_subparsers(title="commands", metavar="COMMAND")
        for name, group in self.groups.items():
            group._fill(
                below.add_parser(
                    name, help=group.purpose, description=group.purpose, formatter_class=_HelpFormatter
                )
            )
        for name, function in self.commands.items():
            summary, helps = _read_docstring(function)
            added = below.add_parser(
                name, help=summary, description=summary, formatter_class=_HelpFormatter, add_help=False
            )
            added.set_defaults(_function=function, _parser=added)
            _add_arguments(added, function, helps)


class Single:
    """A command that is no group.

    Args:
        name: Its word.
        function: What it does.
    """

    def __init__(self, name: str, function: Command) -> None:
        self.name = name
        self.function = function

    def run(self, words: list[str]) -> int:
        """Run it, and return its exit code."""
        _call(self.function, vars(self.parser().parse_args(words)))
        return 0

    def parser(self) -> argparse.ArgumentParser:
        """Make its parser."""
        summary, helps = _read_docstring(self.function)
        parser = argparse.ArgumentParser(
            f"prefect {self.name}", description=summary, formatter_class=_HelpFormatter, add_help=False
        )
        _add_arguments(parser, self.function, helps)
        return parser


def _call(function: Command, arguments: dict[str, Any]) -> None:
    placed: list[Any] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            placed.extend(arguments.pop(parameter.name))
        elif parameter.kind is not parameter.KEYWORD_ONLY:
            placed.append(arguments.pop(parameter.name))
    function(*placed, **arguments)


def _add_arguments(parser: argparse.ArgumentParser, function: Command, helps: dict[str, str]) -> None:
    hints = get_type_hints(function, include_extras=True)
    used: set[str] = set()
    for parameter in inspect.signature(function).parameters.values():
        wanted, flag = _split_hint(hints[parameter.name])
        help_text = helps[parameter.name].replace("%", "%%")
        if parameter.kind is parameter.KEYWORD_ONLY:
            used.add(flag.short)
            _add_option(parser, parameter, wanted, flag, help_text)
        elif parameter.kind is parameter.VAR_POSITIONAL:
            nargs = "*" if flag.optional else "+"
            metavar = flag.metavar or _word(parameter)
            parser.add_argument(parameter.name, nargs=nargs, metavar=metavar, help=help_text)
        else:
            metavar = flag.metavar or _word(parameter)
            once = "?" if parameter.default is not parameter.empty else None
            parser.add_argument(parameter.name, nargs=once, default=None, metavar=metavar, help=help_text)
    names = ["--help"] if "-h" in used else ["-h", "--help"]
    parser.add_argument(*names, action="help", help="Print this.")


def _add_option(
    parser: argparse.ArgumentParser, parameter: inspect.Parameter, wanted: Any, flag: Flag, help_text: str
) -> None:
    name = "--" + parameter.name.strip("_").replace("_", "-")
    names = [*filter(None, [flag.short]), name, *filter(None, [flag.also])]
    if wanted is bool:
        parser.add_argument(*names, dest=parameter.name, action="store_true", help=help_text)
        off = flag.off or f"--no-{name[2:]}"
        parser.add_argument(off, dest=parameter.name, action="store_false", help=argparse.SUPPRESS)
        parser.set_defaults(**{parameter.name: parameter.default})
        return
    origin = get_origin(wanted)
    choices = get_args(wanted) if origin is Literal else None
    plain = wanted if wanted in (int, str) else str
    parser.add_argument(
        *names,
        dest=parameter.name,
        action="append" if origin is list else "store",
        default=parameter.default,
        type=flag.parse or plain,
        choices=choices,
        metavar=None if choices else flag.metavar or plain.__name__.upper(),
        help=help_text if parameter.default is None else f"{help_text} By default {parameter.default}.",
    )


def _word(parameter: inspect.Parameter) -> str:
    return parameter.name.upper().replace("_", "-")


def _split_hint(hint: Any) -> tuple[Any, Flag]:
    """Give the plain type, without `None`, and what goes with it."""
    flag = Flag()
    if get_origin(hint) is Annotated:
        hint, flag = get_args(hint)
    if get_origin(hint) in (Union, UnionType):
        hint = next(arm for arm in get_args(hint) if arm is not NoneType)
    return hint, flag


def _read_docstring(function: Command) -> tuple[str, dict[str, str]]:
    """Give the summary, and what the docstring says of each parameter."""
    text = inspect.getdoc(function) or ""
    summary, _, rest = text.partition("\n")
    arguments = re.search(r"^Args:\n((?:    .*\n?|\n)+)", rest, re.MULTILINE)
    pairs = re.findall(r"^    \*?(\w+): (.*(?:\n {8,}.*)*)", arguments[1] if arguments else "", re.MULTILINE)
    return summary, {name: re.sub(r"\s+", " ", what) for name, what in pairs}
