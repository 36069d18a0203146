"""`ContextModel`, the base of the contexts; the tags that apply, and what a process has from its parent."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar, NamedTuple, Self

from prefect.schemas.snapshots import FlowRunSnapshot, TaskRunSnapshot
from prefect.types import call_in_forked_child

__all__ = ["ContextModel", "Inherited", "TagsContext", "inherited", "tags"]


class _Entry(NamedTuple):
    """One `with` that is open here: what it made current, and what was current before."""

    context: ContextModel
    before: Any
    below: _Entry | None


_ENTERED: ContextVar[_Entry | None] = ContextVar("entered", default=None)
"""The open `with` blocks, innermost first.

It is immutable, and belongs to the asyncio task or thread as what is current does: a context that kept its
own tokens could be entered by one of them at a time only.
"""


class ContextModel:
    """Base of the contexts: a value that is current inside `with`.

    A context may be entered several times, also by several tasks and threads at once, and may be left in
    another asyncio task than it was entered in, or in another order: leaving never raises and never brings
    back a context that was left before.
    """

    __slots__ = ("__weakref__",)
    __var__: ClassVar[ContextVar[Any]]
    _fields: ClassVar[tuple[str, ...]] = ()

    def __init__(self, **values: Any) -> None:
        for name in self._fields:
            setattr(self, name, values.pop(name, None))
        if values:
            raise TypeError(f"{type(self).__name__} has no field {', '.join(sorted(values))}")

    @classmethod
    def model_construct(cls, _fields_set: set[str] | None = None, **values: Any) -> Self:
        """Make a context from the given fields alone; the others are None."""
        return cls(**values)

    @classmethod
    def get(cls) -> Self | None:
        """Return the current context of this kind, or None."""
        found: Self | None = cls.__var__.get()
        return found

    def copy(self, **updates: Any) -> Self:
        """Return a copy with some fields changed."""
        return type(self)(**{**{name: getattr(self, name) for name in self._fields}, **updates})

    def model_copy(self, *, update: dict[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with some fields changed; the fields are live objects and are shared, not copied.

        Args:
            update: Fields to change.
            deep: Accepted for the interface's sake.
        """
        return self.copy(**(update or {}))

    @property
    def _value(self) -> Any:
        """What is current while the context is entered."""
        return self

    def __enter__(self) -> Self:
        var = self.__var__
        _ENTERED.set(_Entry(self, var.get(None), _ENTERED.get()))
        var.set(self._value)
        return self

    def __exit__(self, *_: object) -> None:
        above: list[_Entry] = []
        entry = _ENTERED.get()
        while entry is not None and entry.context is not self:
            above.append(entry)
            entry = entry.below
        if entry is None:
            return  # entered in another task, whose contexts are its own
        _close(entry, above)

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{n}={v!r}" for n in self._fields if (v := getattr(self, n)) is not None and n[0] != "_"
        )
        return f"{type(self).__name__}({shown})"


def _close(entry: _Entry, above: list[_Entry]) -> None:
    """Take an entry off the open blocks; those above it, innermost first, stay open."""
    var = entry.context.__var__
    rest = entry.below
    heir = next((other for other in reversed(above) if other.context.__var__ is var), None)
    for other in reversed(above):
        # Left out of order: the next block of this kind stays current, then hands back to what was before.
        rest = _Entry(other.context, entry.before if other is heir else other.before, rest)
    _ENTERED.set(rest)
    if heir is None and var.get(None) is entry.context._value:
        var.set(entry.before)


_TAGS: ContextVar[TagsContext | None] = ContextVar("tags", default=None)


class TagsContext(ContextModel):
    """The tags that `tags(...)` gives to runs made inside it."""

    __slots__ = ("current_tags",)
    __var__ = _TAGS
    _fields = ("current_tags",)

    current_tags: set[str]

    def __init__(self, *, current_tags: set[str] | None = None) -> None:
        super().__init__(current_tags=current_tags if current_tags is not None else set())

    @classmethod
    def get(cls) -> TagsContext:
        """Return the current tags; an empty set outside of `tags(...)`."""
        return _TAGS.get() or inherited().tags or cls()


@contextmanager
def tags(*new_tags: str) -> Generator[set[str], None, None]:
    """Give tags to all flow and task runs that are made inside the `with` block.

    Args:
        *new_tags: The tags; blocks add up when nested.

    Yields:
        All tags that are current now.

    Raises:
        TypeError: One of them is no text.
    """
    wrong = [tag for tag in new_tags if not isinstance(tag, str)]
    if wrong:
        raise TypeError(f"Tags must be texts, unlike {wrong[0]!r}.")
    with TagsContext(current_tags={*TagsContext.get().current_tags, *new_tags}) as context:
        yield context.current_tags


class Inherited(NamedTuple):
    """The run that this process was handed by the one that started it, by `child_environment`."""

    flow_run: FlowRunSnapshot | None = None
    task_run: TaskRunSnapshot | None = None
    tags: TagsContext | None = None


_inherited: Inherited | None = None


def inherited() -> Inherited:
    """Return the run that this process was handed; it is looked up once."""
    return _inherited or _inherit()


def _inherit() -> Inherited:
    # Here, since few processes were handed a run, and all load this module.
    from prefect.settings.runtime_variables import FLOW_RUN_SNAPSHOT, TASK_RUN_SNAPSHOT, run_variable  # noqa: PLC0415

    global _inherited
    found = Inherited()
    if run_variable(FLOW_RUN_SNAPSHOT) or run_variable(TASK_RUN_SNAPSHOT):
        from prefect.context.inheritance import inherited_runs  # noqa: PLC0415 - only in such a process

        flow_run, task_run, current_tags = inherited_runs()
        found = Inherited(
            flow_run, task_run, TagsContext(current_tags=current_tags) if current_tags else None
        )
    _inherited = found
    return found


def _after_fork() -> None:
    global _inherited
    _inherited = None  # a child may have been given another environment


call_in_forked_child(_after_fork)
