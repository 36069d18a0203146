"""Which runs an argument came from, as it is recorded."""

from __future__ import annotations

import gc
import weakref
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefect import flow, task
from prefect.engine.inputs import ResultTracker
from prefect.recorder import get_recorder
from prefect.schemas.objects import TaskRun
from prefect.types.annotations import allow_failure, quote
from recorded import task_run_of, task_runs_of, upstream_of


@task
def make(x: Any = 1) -> Any:
    return x


@task
def boom() -> None:
    raise ValueError("nope")


@task
def use(*args: Any, x: Any = None, y: Any = None) -> None: ...


class Thing:
    pass


def runs_of(body: Any) -> tuple[Any, dict[str, set[UUID]]]:
    """Run a body in a flow; return what it returned and the sources of its last task run's arguments."""
    state = flow(body)(return_state=True)
    return state.result(), upstream_of(task_runs_of(state)[-1])


def test_futures_as_arguments() -> None:
    def body() -> Any:
        first, second = make.submit(1), make.submit(2)
        use.submit(x=first, y=[second, {"k": first}]).wait()
        return first.task_run_id, second.task_run_id

    (first, second), found = runs_of(body)
    assert found == {"x": {first}, "y": {first, second}}


def test_states_as_arguments() -> None:
    def body() -> Any:
        state = make(return_state=True)
        use(x=state, y=(state,))
        return state.state_details.task_run_id

    made, found = runs_of(body)
    assert found == {"x": {made}, "y": {made}}


def test_marks_are_looked_into_and_quotes_are_not() -> None:
    def body() -> Any:
        failed, made = boom.submit(), make.submit()
        use.submit(x=allow_failure(failed), y=quote(made)).wait()
        return failed.task_run_id

    failed, found = runs_of(body)
    assert found == {"x": {failed}}


def test_plain_results_as_arguments() -> None:
    def body() -> Any:
        things = [make(Thing()), make([1, 2, 3]), make({"a": 1}), make(10**20), make("text" * 50)]
        use(*things, x=things[0], y=[things[1], things[2]])
        return None

    state = flow(body)(return_state=True)
    *made, used = task_runs_of(state)
    ids = [run.id for run in made]
    found = upstream_of(used)
    assert found["x"] == {ids[0]}
    assert found["y"] == {ids[1], ids[2]}
    assert found["args"] == set(ids)


def test_results_of_futures_as_arguments() -> None:
    def body() -> Any:
        future = make.submit(Thing())
        use(x=future.result(), y={"k": future.result()})
        return future.task_run_id

    made, found = runs_of(body)
    assert found == {"x": {made}, "y": {made}}


def test_wait_for() -> None:
    def body() -> Any:
        future, state = make.submit(1), make(return_state=True)
        use.submit(wait_for=[future, state]).wait()
        return future.task_run_id, state.state_details.task_run_id

    ids, found = runs_of(body)
    assert found == {"wait_for": set(ids)}


def test_results_passed_to_nested_flows() -> None:
    @flow
    def child(x: Any, y: Any) -> None: ...

    def body() -> Any:
        made = make(Thing())
        future = make.submit(2)
        child(made, future)
        return future.task_run_id

    state = flow(body)(return_state=True)
    first, second, stand_in = task_runs_of(state)
    assert upstream_of(stand_in) == {"x": {first.id}, "y": {second.id}}


@pytest.mark.parametrize("how", ["called", "submitted", "deferred", "in a flow of its own"])
def test_a_run_within_another_names_it(how: str) -> None:
    """Not where it goes on without the other."""

    @task
    def around() -> None:
        if how == "called":
            make(1)
        elif how == "submitted":
            make.submit(1)
        elif how == "deferred":
            kept.append(task_run_of(make.delay(1).task_run_id))
        else:
            kept.extend(
                task_runs_of(flow(lambda: make(1, return_state=True), name="child")(return_state=True))
            )

    kept: list[TaskRun] = []
    state = flow(lambda: around(return_state=True), name="parent")(return_state=True)
    runs = {run.name.partition("-")[0]: run for run in [*task_runs_of(state), *kept]}
    is_within = how in ("called", "submitted")
    assert upstream_of(runs["make"]) == ({"__parents__": {runs["around"].id}} if is_within else {})


def test_values_that_no_run_made_have_no_source() -> None:
    _, found = runs_of(lambda: use(x=Thing(), y=[1, 2, "a"]))
    assert found == {}


def test_constants_are_nobodys_result() -> None:
    def body() -> None:
        make(True)
        make(None)
        use(x=True, y=None)

    assert runs_of(body)[1] == {}


def test_data_is_not_walked() -> None:
    class Frame:
        def __iter__(self) -> Any:
            raise AssertionError("walked")

        def __len__(self) -> int:
            raise AssertionError("walked")

        def __eq__(self, other: object) -> bool:
            raise AssertionError("compared")

        __hash__ = None  # type: ignore[assignment]

    def body() -> Any:
        frame = make(Frame())
        use(x=frame, y=[frame])

    state = flow(body)(return_state=True)
    made, used = task_runs_of(state)
    assert upstream_of(used) == {"x": {made.id}, "y": {made.id}}


def test_a_result_is_let_go_when_the_user_lets_it_go() -> None:
    refs = []

    @flow
    def around() -> None:
        thing = make(Thing())
        refs.append(weakref.ref(thing))
        assert refs[0]() is thing
        del thing
        get_recorder().flush()
        gc.collect()
        refs.append(refs[0]())

    around()
    assert refs[1] is None


def test_results_of_futures_are_let_go_with_the_future() -> None:
    refs = []

    @flow
    def around() -> None:
        future = make.submit(Thing())
        refs.append(weakref.ref(future.result()))
        del future
        same_pool = make.submit(0)  # whoever ran the first is done with it now
        same_pool.wait()
        get_recorder().flush()
        gc.collect()
        refs.append(refs[0]())

    around()
    assert refs[1] is None


def test_lists_do_not_pile_up() -> None:
    tracker = ResultTracker()
    for number in range(5_000):
        tracker.note([number], uuid4())
    assert len(tracker._held) < 600


def test_a_held_object_is_found_after_thousands_of_others() -> None:
    tracker, kept, run = ResultTracker(), [0], uuid4()
    tracker.note(kept, run)
    for number in range(5_000):
        tracker.note([number], uuid4())
    assert tracker.find(kept) == run


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["list", "thing", "drop", "text", "sweep"]), st.integers(0, 5))))
def test_no_object_is_ever_taken_for_another(steps: list[tuple[str, int]]) -> None:
    """Objects come and go, ids are used again; what is found is right, and what is held is found."""
    tracker = ResultTracker()
    held: dict[int, tuple[Any, UUID]] = {}
    for what, slot in steps:
        if what == "drop":
            held.pop(slot, None)
        elif what == "sweep":
            tracker._sweep()
        else:
            value: Any = (
                Thing() if what == "thing" else [slot] if what == "list" else f"text-{slot}-{len(held)}"
            )
            run = uuid4()
            tracker.note(value, run)
            held[slot] = (value, run)
            del value
        assert tracker.find([slot]) is None
        assert tracker.find(Thing()) is None
        for value, run in held.values():
            assert tracker.find(value) == run
        value = None
