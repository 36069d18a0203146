"""What rings where there may be runs to start."""

from __future__ import annotations

import threading

import pytest

from prefect.operations.flow_runs import set_flow_run_state
from prefect.runner.bell import Bell
from prefect.schemas.states import State, StateType

pytestmark = [pytest.mark.timeout(60), pytest.mark.embedded]

PATIENCE = 30.0


def quiet(rung: threading.Event) -> None:
    """Wait until what was written before has rung."""
    while rung.wait(0.5):
        rung.clear()


@pytest.fixture
def deployment(place):
    return place.deploy("f", "script.py:f")


@pytest.fixture
def rung(place, deployment):
    rings = threading.Event()
    with Bell(place.client, lambda: [f"prefect.deployment.{deployment}"], rings.set):
        assert rings.wait(PATIENCE)
        quiet(rings)
        yield rings


def test_a_run_that_is_made_rings(place, deployment, rung):
    place.run_of(deployment)

    assert rung.wait(PATIENCE)


def test_a_run_that_is_cancelled_rings(place, deployment, rung):
    run = place.run_of(deployment)
    place.client.call(set_flow_run_state, run.id, State(type=StateType.RUNNING))
    quiet(rung)

    place.client.call(set_flow_run_state, run.id, State(type=StateType.CANCELLING))

    assert rung.wait(PATIENCE)


def test_a_run_that_is_made_while_it_rings_rings_again(place, deployment):
    rings = threading.Semaphore(0)
    makes_another = threading.Event()

    def ring() -> None:
        if makes_another.is_set():
            makes_another.clear()
            place.run_of(deployment)
        rings.release()

    with Bell(place.client, lambda: [f"prefect.deployment.{deployment}"], ring):
        assert rings.acquire(timeout=PATIENCE)
        while rings.acquire(timeout=0.5):
            pass
        makes_another.set()
        place.run_of(deployment)

        assert rings.acquire(timeout=PATIENCE)
        assert rings.acquire(timeout=PATIENCE)


def test_it_is_silent_where_nothing_happens(rung):
    assert not rung.wait(1)
