"""What the end of a process says of its run."""

from __future__ import annotations

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect.rules.exits import exit_text, state_of_exit
from prefect.schemas.states import TERMINAL_STATES, State, StateType


@pytest.mark.parametrize("code", [-signal.SIGKILL, 128 + signal.SIGKILL])
def test_a_killed_process_is_explained_by_memory(code):
    text = exit_text(code)

    assert "SIGKILL" in text
    assert "memory" in text


def test_a_code_without_a_meaning_is_told_as_it_is():
    assert exit_text(3) == "The process of this run ended with exit code 3."


@given(code=st.integers(-200, 300), kind=st.sampled_from([*StateType]))
def test_a_run_that_has_ended_or_waits_keeps_its_state(code, kind):
    found = state_of_exit(code, State(type=kind))

    if kind in TERMINAL_STATES or kind in (StateType.PAUSED, StateType.SCHEDULED):
        assert found is None
    elif kind is StateType.CANCELLING:
        assert found is not None
        assert found.type is StateType.CANCELLED
    elif code or kind is StateType.RUNNING:
        assert found is not None
        assert found.type is StateType.CRASHED
        assert exit_text(code) in str(found.message)


def test_a_process_that_left_a_run_to_others_changes_nothing():
    assert state_of_exit(0, State(type=StateType.PENDING)) is None
    assert state_of_exit(1, None) is None


def test_a_process_that_ends_well_without_beginning_its_run_has_failed_it():
    pending = State(type=StateType.PENDING)

    found = state_of_exit(0, pending, claim=pending.id)

    assert found is not None
    assert found.type is StateType.CRASHED
    assert state_of_exit(0, pending, claim=State(type=StateType.PENDING).id) is None
