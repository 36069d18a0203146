"""What the table of settings is made of: options, and the sections that hold them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache
from typing import Any, ClassVar, NoReturn, TypeVar, cast, get_type_hints

from prefect.settings.secret import SecretStr
from prefect.settings.values import plain

__all__ = ["Option", "Section", "derived", "option", "section"]

T = TypeVar("T")
SectionT = TypeVar("SectionT", bound="Section")


@cache
def _hints(section_class: Any) -> dict[str, Any]:
    return get_type_hints(section_class)


class Option:
    """A row of the table: one setting.

    Its name, path and type are those of the attribute that holds it.
    """

    __slots__ = ("aliases", "attribute", "default", "derive", "help", "name", "owner", "path")

    def __init__(
        self,
        default: Any,
        help: str,
        aliases: tuple[str, ...] = (),
        derive: Callable[[Any], Any] | None = None,
    ) -> None:
        self.default = default
        self.help = help
        self.aliases = aliases
        self.derive = derive
        self.attribute = self.path = self.name = ""
        self.owner: type[Section] = Section

    @property
    def type(self) -> Any:
        """The annotated type. Worked out when asked for, because most settings are never set."""
        owner: Any = self.owner
        return _hints(owner)[self.attribute]

    @property
    def is_secret(self) -> bool:
        """Whether the value must not be shown."""
        return SecretStr in (self.type, *getattr(self.type, "__args__", ()))

    @property
    def names(self) -> tuple[str, ...]:
        """The environment variables that give the value; the first goes before the others."""
        return (self.name, *self.aliases)

    def __repr__(self) -> str:
        return f"<Option {self.name}>"


class Section:
    """A group of settings, such as `settings.api`. Its values are plain attributes and cannot be changed."""

    options: ClassVar[dict[str, Option]] = {}
    sections: ClassVar[dict[str, type[Section]]] = {}

    def __init_subclass__(cls) -> None:
        cls.options = {}
        cls.sections = {}
        for name, value in list(vars(cls).items()):
            if isinstance(value, Option):
                value.attribute, value.owner = name, cls
                cls.options[name] = value
                delattr(cls, name)
            elif isinstance(value, type) and issubclass(value, Section):
                cls.sections[name] = value
                delattr(cls, name)

    @classmethod
    def rows(cls) -> Iterator[Option]:
        """Yield the options of this section and of those below it."""
        yield from cls.options.values()
        for below in cls.sections.values():
            yield from below.rows()

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(
            f"Settings do not change: {name!r} cannot be set. Use `with temporary_settings(...)`, "
            "an environment variable or `prefect config set`."
        )

    __delattr__ = __setattr__  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return self.model_dump() == other.model_dump() if isinstance(other, type(self)) else NotImplemented

    def __repr__(self) -> str:
        fields = (f"{name}={getattr(self, name)!r}" for name in (*self.options, *self.sections))
        return f"{type(self).__name__}({', '.join(fields)})"

    def model_dump(
        self,
        *,
        mode: str = "python",
        include: Collection[str] | None = None,
        exclude: Collection[str] | None = None,
        exclude_none: bool = False,
        context: Mapping[str, Any] | None = None,
        **_options: Any,
    ) -> dict[str, Any]:
        """Return the values as a dict of dicts.

        Args:
            mode: `python` keeps paths, durations and secrets as objects; `json` writes them plainly.
            include: Only these names.
            exclude: Not these names.
            exclude_none: Leave out what is None.
            context: `{"include_secrets": True}` shows secrets.
        """
        show = bool(context and context.get("include_secrets"))
        dumped: dict[str, Any] = {}
        for name in (*self.options, *self.sections):
            if (include is not None and name not in include) or (exclude is not None and name in exclude):
                continue
            value = getattr(self, name)
            if isinstance(value, Section):
                dumped[name] = value.model_dump(mode=mode, exclude_none=exclude_none, context=context)
                continue
            if exclude_none and value is None:
                continue
            if show and isinstance(value, SecretStr):
                value = value.get_secret_value()
            dumped[name] = plain(value) if mode == "json" else value
        return dumped

    def model_dump_json(self, *, indent: int | None = None, **options: Any) -> str:
        """Return the values as JSON text; options are those of `model_dump`."""
        import json  # noqa: PLC0415 - seldom used

        return json.dumps(self.model_dump(mode="json", **options), indent=indent)


def option(default: T, help: str, *aliases: str) -> T:
    """Declare a setting: the attribute's name and annotation are its own name and type.

    Args:
        default: The value when nothing gives one.
        help: What it does, for people.
        aliases: Further environment variables that give the value.
    """
    return cast("T", Option(default, help, aliases))


def derived(derive: Callable[[Any], T], help: str, *aliases: str) -> T:
    """Declare a setting whose default follows from other settings.

    Args:
        derive: Makes the default from the settings; at the top it may use what sections derive.
        help: What the setting does, for people.
        aliases: Further environment variables that give the value.
    """
    return cast("T", Option(None, help, aliases, derive))


def section(of: type[SectionT]) -> SectionT:
    """Declare a group of settings."""
    return cast("SectionT", of)
