"""Options that do not fit are refused where they are given, in words that name them."""

from __future__ import annotations

import pytest

from prefect import flow, task


def body() -> int:
    return 1


@pytest.mark.parametrize(
    ("option", "value", "error", "text"),
    [
        ("name", 3, TypeError, "Expected string for .* parameter 'name'; got int instead"),
        ("tags", [1], TypeError, r"'tags' of .* 'body' must be texts, unlike 1"),
        ("tags", "nightly", TypeError, "must be an iterable of texts, not one text: 'nightly'"),
        ("timeout_seconds", "soon", ValueError, "must be seconds, 0 or more, not 'soon'"),
        ("timeout_seconds", -1, ValueError, "must be seconds, 0 or more, not -1"),
        ("timeout_seconds", float("nan"), ValueError, "must be seconds, 0 or more, not nan"),
        ("retries", -1, ValueError, "'retries' of .* 'body' must be a whole number, 0 or more, not -1"),
        ("retries", True, ValueError, "must be a whole number"),
        ("on_failure", 3, TypeError, r"Expected iterable for 'on_failure'; got int.*\n\n@.*\[hook1, hook2\]"),
        ("on_failure", [3], TypeError, "Expected callables in 'on_failure'; got int"),
    ],
)
@pytest.mark.parametrize("decorator", [flow, task])
def test_an_option_that_does_not_fit_is_refused(decorator, option, value, error, text):
    with pytest.raises(error, match=text):
        decorator(**{option: value})(body)


@pytest.mark.parametrize(
    ("decorator", "option", "value", "error", "text"),
    [
        (flow, "flow_run_name", 3, TypeError, "Expected string or callable for 'flow_run_name'; got int"),
        (task, "task_run_name", 3, TypeError, "Expected string or callable for 'task_run_name'; got int"),
        (
            flow,
            "task_runner",
            "threads",
            TypeError,
            r"such as ThreadPoolTaskRunner\(max_workers=4\), not 'thr",
        ),
        (task, "retry_jitter_factor", -0.5, ValueError, "`retry_jitter_factor` must be >= 0"),
        (task, "cache_policy", "INPUTS", TypeError, "must be a policy of prefect.cache_policies"),
    ],
)
def test_an_option_of_one_kind_that_does_not_fit_is_refused(decorator, option, value, error, text):
    with pytest.raises(error, match=text):
        decorator(**{option: value})(body)


@pytest.mark.parametrize("decorator", [flow, task])
def test_a_timeout_of_0_is_none(decorator):
    assert decorator(timeout_seconds=0)(body).timeout_seconds is None
    assert decorator(timeout_seconds=2)(body).timeout_seconds == 2.0


@pytest.mark.parametrize("decorator", [flow, task])
def test_who_gives_the_name_by_place_is_shown_how(decorator):
    with pytest.raises(TypeError, match=r"was given 'load'\. Give options by name: @\w+\(name='load'\)"):
        decorator("load")
