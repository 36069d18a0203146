"""How a runtime module answers for an attribute: a mock, when there is one, else its getter."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from prefect.runtime.mocks import cast_mock, kind_of
from prefect.settings.runtime_variables import mock_finder

__all__ = ["Getters", "answer_attributes"]

Getters = dict[str, Callable[[], Any]]


class _Attribute:
    """Asks for an attribute's value each time it is read. What a test sets on the module goes before it."""

    __slots__ = ("name", "read")

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name = name
        self.read = read

    def __get__(self, module: object, owner: object = None) -> Any:
        return self.read(self.name)


class _RuntimeModule(ModuleType):
    """Lets cloudpickle send functions that use the module: it knows only plain modules by itself."""

    def __reduce__(self) -> tuple[Any, ...]:
        return import_module, (self.__name__,)


def answer_attributes(module_name: str, kinds: Mapping[str, type]) -> Callable[[str], Any]:
    """Let a runtime module answer for the attributes in its `FIELDS`, and for mocks.

    Args:
        module_name: The module's `__name__`.
        kinds: The types of attributes that are not `str`.

    Returns:
        The module's `__getattr__`, for names that are not in its `FIELDS` yet.
    """
    section = module_name.rpartition(".")[2]
    module = sys.modules[module_name]
    namespace = vars(module)
    declared: Getters = dict(namespace["FIELDS"])
    find_mock = mock_finder(section)

    def read(name: str) -> Any:
        text = find_mock(name)
        if text is not None:
            return replaced(name, text)
        getters: Getters = namespace["FIELDS"]
        getter = getters.get(name)
        if getter is not None:
            return getter()
        if name.startswith("get_") and name[4:] in getters:
            return getters[name[4:]]
        raise AttributeError(f"{module_name} has no attribute {name!r}")

    def replaced(name: str, text: str) -> Any:
        getter = namespace["FIELDS"].get(name)
        if getter is None:
            return text
        if getter is declared.get(name):
            return cast_mock(section, name, text, kinds.get(name, str))
        return cast_mock(
            section, name, text, kind_of(getter())
        )  # a test's own getter: its value says the type

    # Python asks a module's `__getattr__` only after it has made an AttributeError, which takes longer than
    # all the rest of a read. Attributes of the module's class are found at once.
    attributes = {name: _Attribute(name, read) for name in declared}
    module.__class__ = type("RuntimeModule", (_RuntimeModule,), attributes)
    return read
