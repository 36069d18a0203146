"""Checks of a flow's parameters by their annotations; pydantic is imported when it must be asked."""

from __future__ import annotations

import functools
import inspect
import types
import typing
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from prefect.parameters.fitting import Fits, fits_for

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = ["Validator", "resolved_annotations", "validators_for"]

_SHOWN_LENGTH = 60


class Validator:
    """Checks and coerces the values of one parameter.

    Args:
        name: The parameter.
        annotation: Its annotation, without forward references.
        default: Its default, if it has one.
        flow: The flow, as messages name it.
    """

    __slots__ = ("_adapter", "_annotation", "_default", "_fits", "_flow", "_name")

    def __init__(self, name: str, annotation: Any, default: Any, flow: str) -> None:
        self._name = name
        self._annotation = annotation
        self._default = default
        self._flow = flow
        self._fits: Fits | None = fits_for(annotation)
        self._adapter: TypeAdapter[Any] | None = None

    def validate(self, value: Any, problems: list[str]) -> Any:
        """Return the value that the function is to get.

        Args:
            value: The value given, or the default.
            problems: Gets a line for each thing that does not fit.
        """
        if self._fits is not None and self._fits(value):
            # A list that is a default must not be filled by one call and found full by the next.
            is_shared = value is self._default and isinstance(value, list | dict | set)
            return value.copy() if is_shared else value
        from pydantic import ValidationError  # noqa: PLC0415 - costs more than a small flow

        adapter = self._adapter or self._make_adapter()
        if adapter is None:
            return value
        if value is self._default and hasattr(value, "get_default"):
            value = value.get_default(
                call_default_factory=True
            )  # the default was written as pydantic's Field()
        try:
            return adapter.validate_python(value)
        except ValidationError as error:
            problems += [self._line(problem) for problem in error.errors(include_url=False)]
            return value

    def _make_adapter(self) -> TypeAdapter[Any] | None:
        from pydantic.errors import PydanticUserError  # noqa: PLC0415 - costs more than a small flow

        try:
            self._adapter = type_adapter(self._annotation)
        except PydanticUserError as error:
            _warn_unchecked(self._flow, self._name, f"{self._annotation!r}: {error.message}")
            self._fits = lambda _: True
        return self._adapter

    def _line(self, problem: Mapping[str, Any]) -> str:
        where = ".".join(str(part) for part in (self._name, *problem["loc"]))
        return f" - {where}: {problem['msg']}{self._shown(problem['input'])}"

    def _shown(self, value: Any) -> str:
        kind = type(value).__name__
        is_plain = value is None or isinstance(value, bool | int | float | str)
        # What a secret parameter was given must not get into logs.
        if not is_plain or "secret" in f"{self._name} {self._annotation!r}".lower():
            return f" (got a value of type {kind})"
        text = repr(value)
        if len(text) > _SHOWN_LENGTH:
            text = f"{text[:_SHOWN_LENGTH]}…"
        return f" (got {text})"


def type_adapter(annotation: Any) -> TypeAdapter[Any]:
    """Make what pydantic validates an annotation with; classes that it does not know are allowed.

    Raises:
        pydantic.errors.PydanticUserError: It is nothing that values could be validated by.
    """
    from pydantic import ConfigDict, TypeAdapter  # noqa: PLC0415 - costs more than a small flow
    from pydantic.errors import PydanticUserError  # noqa: PLC0415 - the same

    try:
        adapter = TypeAdapter(annotation, config=ConfigDict(arbitrary_types_allowed=True))
    except PydanticUserError as error:
        if error.code != "type-adapter-config-unused":
            raise
        # Models and dataclasses have a configuration of their own.
        adapter = TypeAdapter(annotation)
    adapter.rebuild(raise_errors=True)
    return adapter


def validators_for(fn: Callable[..., Any], signature: inspect.Signature, flow: str) -> dict[str, Validator]:
    """Return validators for the parameters that are annotated, without those that take anything.

    Args:
        fn: The function.
        signature: Its signature.
        flow: The flow, as messages name it.
    """
    annotations = resolved_annotations(fn, signature, flow)
    return {
        name: Validator(name, annotation, signature.parameters[name].default, flow)
        for name, annotation in annotations.items()
        if annotation is not Any
    }


def resolved_annotations(fn: Callable[..., Any], signature: inspect.Signature, flow: str) -> dict[str, Any]:
    """Return the annotations of parameters, forward references resolved.

    What cannot be resolved, because it is misspelled or imported for type checkers only, becomes Any with a
    warning.
    What `*args` and `**kwargs` are annotated with is left out.

    Args:
        fn: The function.
        signature: Its signature.
        flow: The flow, as the warning names it.
    """
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    written = {
        name: parameter.annotation
        for name, parameter in signature.parameters.items()
        if parameter.annotation is not inspect.Parameter.empty and parameter.kind not in variadic
    }
    names = _names_around(fn)
    try:
        return _resolved(written, names)
    except Exception:  # noqa: BLE001 - any expression may stand in an annotation; each is tried by itself below
        return {name: _resolved_alone(name, hint, names, flow) for name, hint in written.items()}


def _resolved(written: dict[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    def holder() -> None: ...

    holder.__annotations__ = written
    return typing.get_type_hints(holder, names, include_extras=True)


def _resolved_alone(name: str, annotation: Any, names: dict[str, Any], flow: str) -> Any:
    try:
        return _resolved({name: annotation}, names)[name]
    except Exception as error:  # noqa: BLE001 - see above
        _warn_unchecked(flow, name, f"{annotation!r}: {error}")
        return Any


def _warn_unchecked(flow: str, name: str, problem: str) -> None:
    warnings.warn(
        f"Parameter {name!r} of flow {flow!r} is not validated, because its annotation cannot be used: "
        f"{problem}. Import at run time what the annotation names, or leave it out.",
        UserWarning,
        stacklevel=2,
    )


def _names_around(fn: Callable[..., Any]) -> dict[str, Any]:
    """Return what annotations of a function may name: globals of its module, its closure, type parameters."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    if not inspect.isroutine(fn) and not isinstance(fn, type):
        fn = type(fn).__call__
    fn = inspect.unwrap(fn)
    if isinstance(fn, types.MethodType):
        fn = fn.__func__
    code, cells = getattr(fn, "__code__", None), getattr(fn, "__closure__", None) or ()
    names = dict(getattr(fn, "__globals__", {}))
    for name, cell in zip(code.co_freevars if code else (), cells, strict=False):
        try:
            names[name] = cell.cell_contents
        except ValueError:
            continue  # a variable that is not set yet
    # Those of `def fn[T](...)`, which Python has from 3.12 on.
    names.update((each.__name__, each) for each in getattr(fn, "__type_params__", ()))
    return names
