"""Contexts may be entered and left anywhere, any number of times."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect.context import FlowRunContext, TagsContext, TaskRunContext, get_run_context, tags
from prefect.exceptions import MissingContextError
from prefect.schemas.objects import FlowRun, TaskRun


def flow_context(name: str = "a") -> FlowRunContext:
    return FlowRunContext(flow_run=FlowRun(flow_id=uuid4(), name=name))


def test_a_context_is_current_inside_with_and_not_after():
    context = flow_context()
    assert FlowRunContext.get() is None
    with context as entered:
        assert entered is context
        assert FlowRunContext.get() is context
    assert FlowRunContext.get() is None


def test_a_context_can_be_entered_twice():
    context = flow_context()
    with context:
        with context:
            assert FlowRunContext.get() is context
        assert FlowRunContext.get() is context
    assert FlowRunContext.get() is None


def test_inner_contexts_shadow_outer_ones_field_by_field():
    with FlowRunContext(log_prints=True), FlowRunContext() as inner:
        assert FlowRunContext.get() is inner
        assert inner.log_prints is None


def test_one_context_can_be_entered_by_many_threads_at_once():
    context = flow_context()
    barrier = threading.Barrier(8)

    def work() -> list[bool]:
        seen = []
        for _ in range(200):
            with context:
                seen.append(FlowRunContext.get() is context)
            seen.append(FlowRunContext.get() is None)
        barrier.wait()
        return seen

    with ThreadPoolExecutor(8) as pool:
        assert all(all(future.result()) for future in [pool.submit(work) for _ in range(8)])


async def in_tasks(*calls):
    return await asyncio.gather(*calls)


def test_a_context_can_be_left_in_another_asyncio_task():
    context = flow_context()

    async def main() -> None:
        async def enter() -> None:
            context.__enter__()
            assert FlowRunContext.get() is context

        async def leave() -> None:
            context.__exit__(None, None, None)
            assert FlowRunContext.get() is None

        await asyncio.create_task(enter())
        await asyncio.create_task(leave())
        with context:
            assert FlowRunContext.get() is context
            await asyncio.create_task(leave())
            assert FlowRunContext.get() is context, "the child task left its own copy only"
        assert FlowRunContext.get() is None

    asyncio.run(main())


def test_a_context_can_be_left_in_a_thread_with_a_copied_context():
    context = flow_context()
    with context:
        thread = threading.Thread(
            target=contextvars.copy_context().run, args=(context.__exit__, None, None, None)
        )
        thread.start()
        thread.join()
        assert FlowRunContext.get() is context
    assert FlowRunContext.get() is None


def test_concurrent_tasks_see_their_own_contexts():
    async def one(name: str) -> bool:
        with flow_context(name) as context:
            for _ in range(5):
                await asyncio.sleep(0)
                if FlowRunContext.get() is not context:
                    return False
        return FlowRunContext.get() is None

    async def main() -> list[bool]:
        return await asyncio.gather(*(one(str(n)) for n in range(100)))

    assert all(asyncio.run(main()))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=40))
def test_whatever_the_order_the_current_context_is_the_last_entered_that_is_open(moves):
    contexts = [flow_context(str(n)) for n in range(4)]
    task_context = TaskRunContext()

    def play() -> None:
        open_ones: list[FlowRunContext] = []
        with task_context:
            for enter, which in moves:
                context = contexts[which]
                if enter:
                    context.__enter__()
                    open_ones.append(context)
                else:
                    context.__exit__(None, None, None)
                    for index in reversed(range(len(open_ones))):
                        if open_ones[index] is context:
                            del open_ones[index]
                            break
                assert FlowRunContext.get() is (open_ones[-1] if open_ones else None)
                assert TaskRunContext.get() is task_context
        assert TaskRunContext.get() is None

    contextvars.Context().run(play)


def test_leaving_keeps_a_context_that_was_set_meanwhile():
    outer, inner = flow_context("outer"), flow_context("inner")
    outer.__enter__()
    inner.__enter__()
    outer.__exit__(None, None, None)
    assert FlowRunContext.get() is inner
    inner.__exit__(None, None, None)
    assert FlowRunContext.get() is None


def test_a_context_refuses_unknown_fields():
    with pytest.raises(TypeError, match="FlowRunContext has no field colour"):
        FlowRunContext(colour="red")


def test_model_construct_and_copies():
    run = FlowRun(flow_id=uuid4())
    context = FlowRunContext.model_construct(flow_run=run)
    assert context.flow_run is run
    assert context.parameters is None
    copied = context.copy(log_prints=True)
    assert (copied.flow_run, copied.log_prints) == (run, True)
    assert context.model_copy(update={"log_prints": False}).log_prints is False
    assert context.log_prints is None


def test_get_run_context_prefers_the_task_run():
    with flow_context() as flow:
        assert get_run_context() is flow
        with TaskRunContext(task_run=TaskRun(task_key="t", dynamic_key="0")) as task:
            assert get_run_context() is task
            assert FlowRunContext.get() is flow


def test_get_run_context_without_a_run_says_what_to_do():
    with pytest.raises(MissingContextError, match="copy_context") as caught:
        get_run_context()
    assert "with_context" in str(caught.value)
    assert isinstance(caught.value, RuntimeError)


def test_tags_add_up_and_end():
    assert TagsContext.get().current_tags == set()
    with tags("a", "b") as outer:
        assert outer == {"a", "b"}
        with tags("c") as inner:
            assert inner == {"a", "b", "c"}
            assert TagsContext.get().current_tags == {"a", "b", "c"}
        assert TagsContext.get().current_tags == {"a", "b"}
    assert TagsContext.get().current_tags == set()


def test_tags_are_texts():
    with pytest.raises(TypeError, match=r"Tags must be texts, unlike 2026\."), tags("nightly", 2026):
        pass  # never reached


def test_a_context_in_an_async_generator_may_be_left_by_whoever_closes_it():
    async def tagged():
        with tags("inside"):
            yield TagsContext.get().current_tags

    async def main():
        generator = tagged()
        assert await anext(generator) == {"inside"}
        await asyncio.create_task(generator.aclose())  # in another task, so in another context
        assert await asyncio.create_task(current_tags()) in (set(), {"inside"})
        with tags("own"):
            assert "own" in TagsContext.get().current_tags

    async def current_tags():
        return TagsContext.get().current_tags

    asyncio.run(main())
    assert TagsContext.get().current_tags == set()


def test_a_context_in_a_generator_may_be_left_in_another_thread():
    def tagged():
        with tags("inside"):
            yield TagsContext.get().current_tags

    def leave_elsewhere():
        generator = tagged()
        assert next(generator) == {"inside"}
        thread = threading.Thread(target=generator.close)
        thread.start()
        thread.join()
        with tags("own"):
            assert "own" in TagsContext.get().current_tags

    contextvars.copy_context().run(leave_elsewhere)  # where the tag stays: nobody can take it back
