"""A parameter sweep on Ray: each run computes one combination, and writes a file that has its run's name.

It needs `pip install "proconsul[ray]"`. Run it: `python examples/ray_sweep.py [FOLDER FOR THE OUTPUT]`
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path

from prefect import flow, task
from prefect.futures import as_completed
from prefect.runtime import flow_run, task_run
from prefect.task_runners import RayTaskRunner


@task(task_run_name="growth-{growth}-start-{start}", retries=1)
def simulate(growth: float, start: float, folder: Path) -> tuple[str, float]:
    """Follow the logistic map, and write down where it ends."""
    value, last = start, []
    for step in range(20_000):
        value = growth * value * (1 - value)
        if step >= 19_000:
            last.append(value)
    spread = max(last) - min(last)
    name = task_run.name  # known on the worker too
    (folder / f"{name}.txt").write_text(f"{flow_run.name} {name}: {spread:.6f}\n", encoding="utf-8")
    return name, spread


@flow(task_runner=RayTaskRunner(init_kwargs={"num_cpus": 2}), log_prints=True)
def sweep(output: Path) -> str:
    folder = output / flow_run.name
    folder.mkdir(parents=True)
    growths, starts = zip(*product([2.8, 3.2, 3.5, 3.9], [0.2, 0.4, 0.6]), strict=True)
    futures = simulate.map(growths, starts, folder=folder)
    found = {}
    for done, future in enumerate(as_completed(futures), 1):
        name, spread = future.result()
        found[name] = spread
        print(f"{done} of {len(futures)}: {name} ends within {spread:.3f}")
    calm = sorted(name for name, spread in found.items() if spread < 1e-6)
    (folder / "calm.txt").write_text("\n".join(calm) + "\n", encoding="utf-8")
    return f"{len(calm)} of {len(found)} come to rest; see {folder}"


if __name__ == "__main__":
    print(sweep(Path(sys.argv[1] if len(sys.argv) > 1 else "sweeps")))
