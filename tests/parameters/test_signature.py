"""Arguments of a call, bound like Python binds them."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect.exceptions import ParameterBindError, ParameterTypeError, SignatureMismatchError
from prefect.parameters.signature import Signature


def everything(a, /, b, c=3, *args, d, e=5, **kwargs):  # type: ignore[no-untyped-def]
    return a, b, c, args, d, e, kwargs


def plain(x, y=1):  # type: ignore[no-untyped-def]
    return x, y


class Methods:
    def method(self, x: int, y: int = 1) -> tuple[int, int]:
        return x, y

    @classmethod
    def of_class(cls, x: int) -> int:
        return x

    @staticmethod
    def static(x: int) -> int:
        return x

    def __call__(self, x: int) -> int:
        return x


class TestBind:
    def test_parameters_are_in_the_order_of_the_definition(self) -> None:
        bound = Signature(everything).bind((1, 2), {"z": 9, "d": 4})
        assert bound == {"a": 1, "b": 2, "c": 3, "args": (), "d": 4, "e": 5, "kwargs": {"z": 9}}
        assert list(bound) == list(Signature(everything).names)

    def test_further_arguments_are_a_tuple_and_a_dict(self) -> None:
        bound = Signature(everything).bind((1, 2, 3, 4, 5), {"d": 0, "a": "not the first"})
        assert (bound["a"], bound["args"], bound["kwargs"]) == (1, (4, 5), {"a": "not the first"})

    def test_defaults_are_the_very_objects(self) -> None:
        default = object()

        def fn(x: object = default) -> None: ...

        assert Signature(fn).bind((), {})["x"] is default

    @pytest.mark.parametrize(
        ("fn", "names"),
        [
            (Methods().method, ("x", "y")),
            (Methods.of_class, ("x",)),
            (Methods.static, ("x",)),
            (Methods(), ("x",)),
            (functools.partial(plain, 1), ("y",)),
            (functools.partial(plain, y=2), ("x", "y")),
            (lambda x: x, ("x",)),
            (Methods.method, ("self", "x", "y")),
            (functools.wraps(plain)(lambda *args, **kwargs: plain(*args, **kwargs)), ("x", "y")),
        ],
    )
    def test_all_kinds_of_callables(self, fn: Callable[..., Any], names: tuple[str, ...]) -> None:
        assert Signature(fn).names == names

    def test_a_function_that_does_not_tell_takes_anything(self) -> None:
        bound = Signature(dict.fromkeys).bind((1, 2), {})
        assert tuple(bound.values())[:1] == (1,) or bound["args"] == (1, 2)
        assert Signature(max).bind((1, 2), {"key": abs}) == {"args": (1, 2), "kwargs": {"key": abs}}

    @pytest.mark.parametrize("name", ["default_0", "given", "bind", "unpack", "self", "args", "kwargs", "_"])
    def test_parameters_may_have_any_name(self, name: str) -> None:
        namespace: dict[str, Any] = {}
        exec(f"def fn({name}, other=2): return {name}, other", namespace)
        signature = Signature(namespace["fn"])
        bound = signature.bind((1,), {})
        assert bound == {name: 1, "other": 2}
        assert signature.to_call(bound) == ((1, 2), {})

    @pytest.mark.parametrize(
        ("fn", "args", "kwargs", "problem"),
        [
            (plain, (), {}, "missing a required argument: 'x'"),
            (plain, (1,), {"x": 2}, "multiple values for argument 'x'"),
            (plain, (1, 2, 3), {}, "too many positional arguments"),
            (plain, (1,), {"z": 2}, "got an unexpected keyword argument 'z'"),
        ],
    )
    def test_errors_say_what_was_wrong_and_what_the_function_takes(
        self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], problem: str
    ) -> None:
        with pytest.raises(ParameterBindError) as caught:
            Signature(fn).bind(args, kwargs)
        assert str(caught.value) == (
            f"Error binding parameters for function 'plain': {problem}.\n"
            f"Function 'plain' has signature 'x, y=1' but received args: {args} and kwargs: {list(kwargs)}."
        )

    def test_errors_do_not_repeat_what_is_very_large(self) -> None:
        with pytest.raises(ParameterBindError) as caught:
            Signature(plain).bind(("x" * 100_000, 1, 2), {})
        assert "x…, 1, 2) and" in str(caught.value)
        assert len(str(caught.value)) < 500

        def many(values: list[int]) -> None: ...

        with pytest.raises(ParameterTypeError) as refused:
            Signature(many).validate({"values": ["no"] * 1_000})
        assert "values.19: " in str(refused.value)
        assert " - … and 980 more\n" in str(refused.value)
        assert "values.20: " not in str(refused.value)

    def test_a_partial_is_named_in_errors(self) -> None:
        with pytest.raises(ParameterBindError, match="function 'partial'"):
            Signature(functools.partial(plain)).bind((), {})

    def test_the_signature_as_text(self) -> None:
        def fn(n: int, m: str = "x", *, k: float = 1.5) -> str:
            return m

        assert str(Signature(fn)) == "n: int, m: str = 'x', *, k: float = 1.5"
        assert str(Signature(lambda: None)) == ""


class TestPartial:
    def test_only_what_was_given(self) -> None:
        assert Signature(plain).bind_partial((), {"y": 2}) == {"y": 2}
        assert Signature(everything).bind_partial((1, 2, 3, 4), {"q": 1}) == {
            "a": 1,
            "b": 2,
            "c": 3,
            "args": (4,),
            "kwargs": {"q": 1},
        }

    def test_what_does_not_exist_is_refused(self) -> None:
        with pytest.raises(ParameterBindError, match="unexpected keyword argument 'z'"):
            Signature(plain).bind_partial((), {"z": 2})

    def test_completed_with_defaults(self) -> None:
        signature = Signature(everything)
        complete = signature.complete({"d": 4, "b": 2, "a": 1})
        assert complete == signature.bind((1, 2), {"d": 4})
        assert list(complete) == list(signature.names)
        assert list(Signature(plain).complete({"y": 2, "x": 1})) == ["x", "y"]

    def test_completing_needs_what_has_no_default(self) -> None:
        with pytest.raises(ParameterBindError, match="missing a required argument: 'x'"):
            Signature(plain).complete({"y": 2})


class TestCall:
    def test_left_out_parameters_do_not_let_others_move_up(self) -> None:
        assert Signature(everything).to_call({"a": 1, "b": 2, "args": (9,), "d": 4}) == (
            (1, 2, 3, 9),
            {"d": 4},
        )

    def test_left_out_parameters_keep_their_defaults(self) -> None:
        args, kwargs = Signature(plain).to_call({"x": 1})
        assert plain(*args, **kwargs) == (1, 1)

    @pytest.mark.parametrize("parameters", [{"x": 1, "z": 2}, {"x": 1, "y": 2, "z": 3}, {"z": 1}])
    def test_unknown_names_are_refused(self, parameters: dict[str, int]) -> None:
        with pytest.raises(SignatureMismatchError) as caught:
            Signature(plain).to_call(parameters)
        assert str(caught.value) == (
            f"Function expects parameters ['x', 'y'] but was provided with parameters {list(parameters)}"
        )


NAMES = st.sampled_from(["a", "b", "c", "d", "e", "args", "kwargs"])
KIND = inspect.Parameter


@st.composite
def signatures(draw: st.DrawFn) -> str:
    """Write the parameters of a function, each kind in its place."""
    names = draw(st.lists(NAMES, unique=True, max_size=6))
    kinds = sorted(draw(st.lists(st.integers(0, 4), min_size=len(names), max_size=len(names))))
    parameters: list[inspect.Parameter] = []
    needs_default = False
    for name, kind in zip(names, map(inspect._ParameterKind, kinds), strict=True):
        if kind in (KIND.VAR_POSITIONAL, KIND.VAR_KEYWORD):
            if parameters and parameters[-1].kind is kind:
                continue
            parameters.append(KIND(name, kind))
            continue
        has_default = draw(st.booleans()) or (needs_default and kind is not KIND.KEYWORD_ONLY)
        needs_default = has_default and kind is not KIND.KEYWORD_ONLY
        parameters.append(KIND(name, kind, default=f"default of {name}" if has_default else KIND.empty))
    return str(inspect.Signature(parameters))


def function_of(signature: str) -> Callable[..., Any]:
    namespace: dict[str, Any] = {}
    exec(f"def fn{signature}: return dict(locals())", namespace)
    return namespace["fn"]  # type: ignore[no-any-return]


@given(
    signature=signatures(),
    args=st.lists(st.integers(), max_size=5).map(tuple),
    kwargs=st.dictionaries(NAMES | st.sampled_from(["x", "y"]), st.integers(), max_size=5),
)
def test_binds_and_calls_like_python(signature: str, args: tuple[int, ...], kwargs: dict[str, int]) -> None:
    fn = function_of(signature)
    ours = Signature(fn)
    try:
        expected = fn(*args, **kwargs)
    except TypeError:
        with pytest.raises(ParameterBindError):
            ours.bind(args, kwargs)
        return

    bound = ours.bind(args, kwargs)

    assert bound == expected
    assert tuple(bound) == ours.names
    again_args, again_kwargs = ours.to_call(bound)
    assert fn(*again_args, **again_kwargs) == expected


@pytest.mark.skipif(sys.version_info[:3] == (3, 13, 0), reason="inspect binds positional-only names wrongly")
@given(
    signature=signatures(),
    args=st.lists(st.integers(), max_size=5).map(tuple),
    kwargs=st.dictionaries(NAMES, st.integers(), max_size=5),
)
def test_what_a_call_gives_is_enough_to_make_it_again(
    signature: str, args: tuple[int, ...], kwargs: dict[str, int]
) -> None:
    fn = function_of(signature)
    ours = Signature(fn)
    try:
        given_by_call = ours.bind_partial(args, kwargs)
        expected = ours.bind(args, kwargs)
    except ParameterBindError:
        return
    assert ours.complete(given_by_call) == expected
    few_args, few_kwargs = ours.to_call(given_by_call)
    assert fn(*few_args, **few_kwargs) == expected
