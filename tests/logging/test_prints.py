"""`log_prints`."""

from __future__ import annotations

import builtins
import io
import sys
import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

import pytest

from prefect.logging.loggers import patch_print
from prefect.schemas.objects import Log

Stored = Callable[[], list[Log]]
Enter = Callable[..., Any]


@pytest.fixture(autouse=True)
def patched() -> None:
    with patch_print():
        pass


def test_what_a_run_prints_is_logged_as_it_would_be_printed(
    in_flow: Enter, stored: Stored, capsys: pytest.CaptureFixture[str]
) -> None:
    with in_flow(log_prints=True):
        print("a", 1, None, sep="-", end="!\n", flush=True)
        print()
        print("two\nlines")
        print("100%", "%s")
        print("by name", file=sys.stdout)
    assert [log.message for log in stored()] == ["a-1-None!", "", "two\nlines", "100% %s", "by name"]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("log_prints", [False, None])
def test_prints_stay_prints_where_logging_them_is_not_wanted(
    in_flow: Enter, stored: Stored, capsys: pytest.CaptureFixture[str], log_prints: bool | None
) -> None:
    with in_flow(log_prints=log_prints):
        print("to the console")
    print("outside")
    assert stored() == []
    assert capsys.readouterr().out == "to the console\noutside\n"


def test_what_is_printed_to_a_file_goes_there(in_flow: Enter, stored: Stored) -> None:
    file = io.StringIO()
    with in_flow(log_prints=True):
        print("to a file", file=file)
    assert file.getvalue() == "to a file\n"
    assert stored() == []


def test_the_innermost_run_decides(
    in_flow: Enter, in_task: Enter, stored: Stored, capsys: pytest.CaptureFixture[str]
) -> None:
    with in_flow(log_prints=True):
        with in_task(log_prints=False):
            print("task")
        with in_flow("inner", log_prints=False):
            print("inner")
        print("outer")
    assert [log.message for log in stored()] == ["outer"]
    assert capsys.readouterr().out == "task\ninner\n"


def test_print_refuses_what_it_always_refuses(in_flow: Enter) -> None:
    with in_flow(log_prints=True), pytest.raises(TypeError):
        print("x", colour="red")  # type: ignore[call-overload]


def test_runs_at_the_same_time_do_not_get_each_others_prints(in_flow: Enter, stored: Stored) -> None:
    barrier = threading.Barrier(8)

    def run(number: int) -> None:
        with in_flow(f"run-{number}", log_prints=True) as context:
            barrier.wait()
            for _ in range(20):
                print(context.flow_run.id)

    threads = [threading.Thread(target=copy_context().run, args=(run, number)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    logs = stored()
    assert len(logs) == 160
    assert all(log.message == str(log.flow_run_id) for log in logs)


def test_another_library_may_replace_print_too(
    in_flow: Enter, stored: Stored, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = builtins.print

    def theirs(*args: Any, **kwargs: Any) -> None:
        ours(*args, **kwargs)

    monkeypatch.setattr(builtins, "print", theirs)
    with patch_print():
        print("outside")
        with in_flow(log_prints=True):
            print("inside")
    assert [log.message for log in stored()] == ["inside"]
    assert capsys.readouterr().out == "outside\n"
