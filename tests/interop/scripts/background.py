"""Tasks that run in the background. `python background.py serve` runs them, `… ask` asks for them."""

from __future__ import annotations

import sys

from prefect import task
from prefect.task_worker import serve


@task(log_prints=True)
def background(x: int) -> int:
    print("in the background", x)
    return x + 1


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(background)
    else:
        for number in range(3):
            print(background.delay(number).task_run_id)
