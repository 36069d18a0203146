"""How a call's arguments become a run's parameters, and parameters a call again.

Python itself binds the arguments: for each function a small one with the same signature is compiled, which
returns its parameters as a dict. That costs a tenth of `inspect.Signature.bind`, and follows Python's rules
because they are Python's. `inspect` is asked when a call fails, for the text of the error.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from keyword import iskeyword
from typing import Any

from prefect.exceptions import ParameterBindError, ParameterTypeError, SignatureMismatchError
from prefect.parameters.validation import Validator, validators_for

__all__ = ["Signature"]

_EMPTY = inspect.Parameter.empty
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_ANYTHING = inspect.Signature(
    [
        inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL),
        inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD),
    ]
)


class _Written(str):
    """An annotation as a module with `from __future__ import annotations` has it, shown without quotes."""

    __slots__ = ()
    __repr__ = str.__str__


class Signature:
    """The parameters of a function: found out once, used for each call.

    Args:
        fn: The function: a plain one, a method, a `functools.partial` or an object that can be called.
        name: The flow or task, as errors name it; None for the function's own name.
    """

    __slots__ = (
        "_bind",
        "_defaults",
        "_signature",
        "_unpack",
        "_validators",
        "fn",
        "keywords",
        "name",
        "names",
    )

    def __init__(self, fn: Callable[..., Any], name: str | None = None) -> None:
        try:
            self._signature = inspect.signature(fn)
        except ValueError:
            # Some functions written in C do not tell what they take.
            self._signature = _ANYTHING
        self.fn = fn
        self.name: str = getattr(fn, "__name__", type(fn).__name__) if name is None else name
        parameters = self._signature.parameters.values()
        self.names: tuple[str, ...] = tuple(parameter.name for parameter in parameters)
        """The names of the parameters, in order."""
        self.keywords: str | None = next((p.name for p in parameters if p.kind is p.VAR_KEYWORD), None)
        """The name of the parameter that takes `**kwargs`, where there is one."""
        self._defaults = {p.name: p.default for p in parameters if p.default is not _EMPTY}
        self._bind, self._unpack = _compiled(self._signature)
        self._validators: dict[str, Validator] | None = None

    def __str__(self) -> str:
        """Write the parameters as in a definition, without parentheses."""
        parameters = [
            p.replace(annotation=_Written(p.annotation)) if isinstance(p.annotation, str) else p
            for p in self._signature.parameters.values()
        ]
        return str(inspect.Signature(parameters))[1:-1]

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the parameters of a call by name, in the order of the definition, defaults included.

        Args:
            args: The positional arguments; those that `*args` takes become a tuple.
            kwargs: The keyword arguments; those that `**kwargs` takes become a dict.

        Raises:
            prefect.exceptions.ParameterBindError: The function cannot be called like this.
        """
        try:
            return self._bind(*args, **kwargs)
        except TypeError as error:
            raise self._bind_failure(args, kwargs, error) from None

    def bind_partial(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the parameters that a call gives, without those that it leaves out.

        Args:
            args: The positional arguments.
            kwargs: The keyword arguments.

        Raises:
            prefect.exceptions.ParameterBindError: The function cannot be called like this.
        """
        try:
            return self._signature.bind_partial(*args, **kwargs).arguments
        except TypeError as error:
            raise ParameterBindError.from_bind_failure(self.fn, error, args, kwargs, str(self)) from None

    def complete(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return parameters together with the defaults of those that are left out.

        Args:
            parameters: Values by name; `*args` as a tuple and `**kwargs` as a dict, each under its own name.

        Raises:
            prefect.exceptions.ParameterBindError: One that has no default is left out.
            prefect.exceptions.SignatureMismatchError: A name is not one of the function's.
        """
        if len(parameters) == len(self.names) and all(name in parameters for name in self.names):
            return {name: parameters[name] for name in self.names}
        args, kwargs = self.to_call(parameters)
        return self.bind(args, kwargs)

    def to_call(self, parameters: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments that call the function with these parameters.

        Args:
            parameters: Values by name; parameters that are left out keep their defaults.

        Returns:
            The positional and the keyword arguments.

        Raises:
            prefect.exceptions.SignatureMismatchError: A name is not one of the function's.
        """
        if len(parameters) == len(self.names):
            try:
                return self._unpack(parameters)
            except KeyError:
                pass  # some are left out, and others are too many: told below
        return self._unpack_some(parameters)

    def validate(self, parameters: Mapping[str, Any], what: str = "Flow") -> dict[str, Any]:
        """Check parameters by their annotations, and coerce those that can be: `"5"` to `5` for an `int`.

        A value that already is what its annotation says stays the same object. What `*args` and `**kwargs`
        take is not checked.

        Args:
            parameters: Values by name; parameters that are left out get their defaults.
            what: What is run, as errors say it.

        Raises:
            prefect.exceptions.ParameterTypeError: Values do not fit; the text has a line for each.
            prefect.exceptions.SignatureMismatchError: A name is not one of the function's.
        """
        if not parameters.keys() <= set(self.names):
            raise SignatureMismatchError.from_bad_params(self.names, parameters)
        if self._validators is None:
            self._validators = validators_for(self.fn, self._signature, self.name)
        valid: dict[str, Any] = {}
        problems: list[str] = []
        for name, parameter in self._signature.parameters.items():
            validator = self._validators.get(name)
            if name in parameters:
                valid[name] = parameters[name]
            elif name in self._defaults:
                valid[name] = self._defaults[name]
            elif parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
                valid[name] = () if parameter.kind is inspect.Parameter.VAR_POSITIONAL else {}
            else:
                problems.append(f" - {name}: Field required")
                continue
            if validator is not None:
                valid[name] = validator.validate(valid[name], problems)
        if problems:
            raise ParameterTypeError(
                f"{what} run received invalid parameters:\n" + "\n".join(_first(problems)) + "\n"
                f"{what} {self.name!r} takes ({self})."
            )
        return valid

    def fitting(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return parameters for the record of a run whose `validate` failed.

        Those that fit are coerced; of the others only the types are said: a text that was to become a secret
        is not one yet, and must not be kept.

        Args:
            parameters: Values by name.
        """
        found: dict[str, Any] = {}
        for name, value in parameters.items():
            problems: list[str] = []
            validator = (self._validators or {}).get(name)
            checked = value if validator is None else validator.validate(value, problems)
            found[name] = f"<{type(value).__name__}: does not fit>" if problems else checked
        return found

    def _bind_failure(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], error: TypeError
    ) -> ParameterBindError:
        try:
            self._signature.bind(*args, **kwargs)
        except TypeError as in_words:
            error = in_words
        return ParameterBindError.from_bind_failure(self.fn, error, args, kwargs, str(self))

    def _unpack_some(self, parameters: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if not parameters.keys() <= set(self.names):
            raise SignatureMismatchError.from_bad_params(self.names, parameters)
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        is_gap = False
        for name, parameter in self._signature.parameters.items():
            if name not in parameters:
                # What comes after must not move up into its place.
                if parameter.kind in _POSITIONAL and name in self._defaults and not is_gap:
                    args.append(self._defaults[name])
                else:
                    is_gap = True
            elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
                kwargs.update(parameters[name])
            elif parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                args.extend(parameters[name])
            elif parameter.kind in _POSITIONAL and not is_gap:
                args.append(parameters[name])
            else:
                kwargs[name] = parameters[name]
        return tuple(args), kwargs


def _compiled(
    signature: inspect.Signature,
) -> tuple[
    Callable[..., dict[str, Any]], Callable[[Mapping[str, Any]], tuple[tuple[Any, ...], dict[str, Any]]]
]:
    """Compile the function that binds and the one that unpacks."""
    parameters = list(signature.parameters.values())
    if not all(p.name.isidentifier() and not iskeyword(p.name) for p in parameters):
        raise TypeError(
            f"The parameters of a function must have names that Python allows, unlike {signature}."
        )
    defaults = {f"default_{n}": p.default for n, p in enumerate(parameters)}
    names = ", ".join(f"{p.name!r}: {p.name}" for p in parameters)
    args = "".join(_taken_from(p) + ", " for p in parameters if _is_positional(p))
    kwargs = ", ".join(_taken_from(p) for p in parameters if not _is_positional(p))
    source = (
        f"def bind({_definition(parameters)}): return {{{names}}}\n"
        f"def unpack(given): return ({args}), {{{kwargs}}}\n"
    )
    exec(source, defaults)
    return defaults["bind"], defaults["unpack"]


def _is_positional(parameter: inspect.Parameter) -> bool:
    return parameter.kind in _POSITIONAL or parameter.kind is inspect.Parameter.VAR_POSITIONAL


def _taken_from(parameter: inspect.Parameter) -> str:
    value = f"given[{parameter.name!r}]"
    if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        return f"*{value}"
    if parameter.kind is inspect.Parameter.VAR_KEYWORD:
        return f"**{value}"
    return f"{parameter.name!r}: {value}" if parameter.kind is inspect.Parameter.KEYWORD_ONLY else value


def _definition(parameters: list[inspect.Parameter]) -> str:
    """Write the parameters with placeholders for their defaults, and without annotations."""
    bare = [p.replace(annotation=_EMPTY, default=_EMPTY) for p in parameters]
    endings = {
        str(text): f"=default_{n}"
        for n, (text, parameter) in enumerate(zip(bare, parameters, strict=True))
        if parameter.default is not _EMPTY
    }
    # `inspect` knows where `/` and `*` belong; a placeholder is put behind each name afterwards.
    plain = str(inspect.Signature(bare))[1:-1]
    return ", ".join(part + endings.get(part, "") for part in plain.split(", "))


def _first(problems: list[str]) -> list[str]:
    """Leave out the most of very many: a list may have a million values that do not fit."""
    if len(problems) <= _SHOWN:
        return problems
    return [*problems[:_SHOWN], f" - … and {len(problems) - _SHOWN:,} more"]


_SHOWN = 20
