"""Tasks that tests have run on workers: in a module that workers can import, as users' tasks mostly are."""

from __future__ import annotations

import gc
import os
import re
import signal
import threading
import time
from pathlib import Path
from typing import Any

from prefect import get_run_logger, runtime, task
from prefect.context import FlowRunContext, TagsContext, TaskRunContext, get_run_context

__all__ = ["Picky", "Traced", "facts", "wait_until"]


def wait_until(condition: Any, seconds: float = 90.0) -> None:
    """Return as soon as a condition holds: late, on a machine that has much else to do."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.01)


@task
def same(x: Any = None) -> Any:
    return x


@task
async def aside(x: Any) -> Any:
    return x


@task
def add(x: Any, y: Any) -> Any:
    return x + y


@task
def parts(count: int) -> Any:
    yield from range(count)


@task
def pid(_: Any = None) -> int:
    return os.getpid()


@task
def zeros(count: int) -> Any:
    import numpy

    return numpy.zeros(count)


@task
def size_of(array: Any) -> int:
    return int(array.nbytes)


@task
def nested(x: float) -> float:
    return same(x * 1.5) + same.submit(x * 2.5).result()


@task
def nested_map(count: int) -> list[int]:
    return [sum(inner.result()) for inner in [same.map(range(n)) for n in range(count)]]


class Picky(Exception):
    """Cannot be made again of its arguments."""

    def __init__(self, a: int, b: int) -> None:
        super().__init__(f"{a} and {b}")


@task
def fail(text: str = "on the worker") -> None:
    raise KeyError(text)


@task
def fail_pickily() -> None:
    raise Picky(1, b=2)


class TooLarge(ValueError):
    """Holds what it was about."""

    def __init__(self, text: str, about: bytes = b"") -> None:
        super().__init__(text)
        self.about = about


@task
def fail_at_length(text: str, about: bytes) -> None:
    raise TooLarge(text, about)


@task
def lock() -> Any:
    return threading.Lock()


@task(retries=2)
def flaky() -> int:
    if runtime.task_run.run_count < 3:
        raise ValueError("again")
    return runtime.task_run.run_count


@task(retries=1, retry_delay_seconds=0.05)
def flaky_with_delay() -> int:
    if runtime.task_run.run_count < 2:
        raise ValueError("again")
    return runtime.task_run.run_count


@task(timeout_seconds=0.1)
def slow() -> None:
    time.sleep(30)


@task(timeout_seconds=0.1)
async def slow_aside() -> None:
    import asyncio

    await asyncio.sleep(30)


@task
def hold(begun: str, until: str) -> str:
    """Create one file, which names the process, and return when another is there."""
    get_run_logger().info("holding")
    Path(begun).write_text(str(os.getpid()))
    wait_until(Path(until).exists, 60)
    return "held"


@task(retries=1)
def hold_within(folder: str) -> int | None:
    """Have a task held, within this one; at the second time, have one that ends."""
    if (Path(folder) / "within").exists():
        return same(1)
    hold(str(Path(folder) / "within"), str(Path(folder) / "never"))
    return None


@task
def touch(path: str) -> str:
    Path(path).touch()
    return path


@task
def die(begun: str = "") -> None:
    if begun:
        Path(begun).touch()
    os.kill(os.getpid(), signal.SIGKILL)


@task(retries=1)
def die_once(mark: str) -> int:
    path = Path(mark)
    if not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    with path.open("a") as file:
        file.write("again\n")
    return runtime.task_run.run_count


class Traced:
    """Remembers the processes that it came through: in each that unpickles it, its number is added."""

    def __init__(self, seen: tuple[int, ...] = ()) -> None:
        self.seen = seen

    def __reduce__(self) -> Any:
        return _arrive, (self.seen,)


def _arrive(seen: tuple[int, ...]) -> Traced:
    return Traced((*seen, os.getpid()))


@task
def traced() -> Traced:
    return Traced()


@task
def way_of(value: Traced) -> tuple[int, ...]:
    return value.seen


def facts() -> dict[str, Any]:
    """Every fact of the runs here that does not change while they run."""
    flow_facts = {name: getattr(runtime.flow_run, name) for name in dir(runtime.flow_run)}
    del flow_facts["state_name"]
    return {
        "flow_run": flow_facts,
        "task_run": {name: getattr(runtime.task_run, name) for name in dir(runtime.task_run)},
        "deployment": {name: getattr(runtime.deployment, name) for name in dir(runtime.deployment)},
    }


@task(tags=["own"])
def see(x: int) -> dict[str, Any]:
    context = TaskRunContext.get()
    assert context is not None
    assert context.task_run is not None
    assert get_run_context() is context
    return {
        **facts(),
        "context": str(context.task_run.id),
        "flow context": FlowRunContext.get() is not None,
        "pid": os.getpid(),
        "x": x,
    }


@task(task_run_name="task-{number}-{step}")
def attributed(number: int, step: int, flow_run_id: str) -> tuple[str, list[str]]:
    """Log, and tell the id of this run, and what is wrong here for a task of the run with a number."""
    get_run_logger().info("from %s", number)
    wrong = []
    for what, found, wanted in (
        ("flow run", runtime.flow_run.id, flow_run_id),
        ("its name", runtime.flow_run.name, f"run-{number}"),
        ("its parameters", runtime.flow_run.parameters, {"number": number}),
        ("its tags", runtime.flow_run.tags, [f"n-{number}"]),
        ("tags here", sorted(TagsContext.get().current_tags), [f"n-{number}"]),
        ("name", runtime.task_run.name, f"task-{number}-{step}"),
        ("flow of the run", runtime.task_run.flow_run_id, flow_run_id),
        ("tags", runtime.task_run.tags, [f"n-{number}"]),
        ("step", runtime.task_run.parameters["step"], step),
    ):
        if found != wanted:
            wrong.append(f"{what} in step {step} of run {number}: {found!r}")
    return runtime.task_run.id, wrong


@task(log_prints=True)
def speak(x: object) -> None:
    get_run_logger().info("a record of %s", x)
    print("a print of", x)


@task
def setting(path: str) -> Any:
    from prefect.settings import get_current_settings

    value: Any = get_current_settings()
    for name in path.split("."):
        value = getattr(value, name)
    return value


@task
def is_in_memory(reversed_text: str) -> bool:
    """Tell whether a text is anywhere in what this process has written to its memory."""
    gc.collect()
    # As classes of one character each, since the text itself would be found.
    text = re.compile("".join(f"[{character}]" for character in reversed(reversed_text)).encode())
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps:
            addresses, rights, _, _, inode, *_ = line.split()
            if not rights.startswith("rw-p") or inode != "0":
                continue
            begin, end = (int(address, 16) for address in addresses.split("-"))
            for at in range(begin, end, 1 << 24):
                try:
                    memory.seek(at)
                    found = text.search(memory.read(min(end - at, 1 << 24)))
                except (OSError, ValueError):
                    break
                if found:
                    return True
    return False


class Unusual(BaseException):
    pass


@task
def exit_with(name: str) -> None:
    raise {"SystemExit": SystemExit, "KeyboardInterrupt": KeyboardInterrupt, "Unusual": Unusual}[name]()


@task
def fork(path: str) -> int:
    """Fork; the child calls a task, writes a line, and returns too: the parent returns its status."""
    child = os.fork()
    if not child:
        same(1)
        with Path(path).open("a") as file:
            file.write("child\n")
        return 5
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class Unreadable:
    """Can be pickled; in this shape it cannot be made again."""

    def __reduce__(self) -> Any:
        return _read, ()


def _read() -> None:
    raise RuntimeError("not here")


@task
def unreadable() -> Any:
    return Unreadable()


@task
def speak_late(_: int) -> None:
    """Log when it is time for a message, just before the end."""
    time.sleep(0.21)
    get_run_logger().info("late")


@task
def count_and_die(path: str) -> None:
    with Path(path).open("a") as file:
        file.write("begun\n")
    os.kill(os.getpid(), signal.SIGKILL)
