"""The smallest real thing: a flow that calls a task.

Run it: `python examples/hello.py`
"""

from __future__ import annotations

from prefect import flow, task


@task
def greet(name: str) -> str:
    return f"Hello, {name}!"


@flow(log_prints=True)
def hello(name: str = "world") -> str:
    greeting = greet(name)
    print(greeting)
    return greeting


if __name__ == "__main__":
    hello()
