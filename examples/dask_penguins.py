"""A fan-out over Dask on a real data set: how sure are the mean masses of the Palmer penguins?

Each task draws samples of one species again and again (a bootstrap). It needs
`pip install "proconsul[dask]"`. Run it: `python examples/dask_penguins.py [FOLDER FOR THE REPORT]`
"""

from __future__ import annotations

import csv
import random
import statistics
import sys
from collections import defaultdict
from pathlib import Path

from prefect import flow, task
from prefect.futures import as_completed
from prefect.runtime import flow_run, task_run
from prefect.task_runners import DaskTaskRunner

DATA = Path(__file__).parent / "data" / "penguins.csv"


@task
def masses(path: Path) -> dict[str, list[float]]:
    """Read the masses of all birds that were weighed, by species."""
    found = defaultdict(list)
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["body_mass_g"] != "NA":
                found[row["species"]].append(float(row["body_mass_g"]))
    return dict(found)


@task(task_run_name="{species}-{part}")
def draw(species: str, part: int, weighed: dict[str, list[float]]) -> tuple[str, list[float]]:
    """Return the mean masses of samples that are drawn from the birds of a species."""
    chance, birds = random.Random(task_run.name), weighed[species]
    return species, [statistics.fmean(chance.choices(birds, k=len(birds))) for _ in range(200)]


@flow(
    task_runner=DaskTaskRunner(cluster_kwargs={"n_workers": 2, "threads_per_worker": 1}),
    log_prints=True,
)
def bootstrap(output: Path) -> Path:
    weighed = masses.submit(DATA)
    species = ["Adelie", "Chinstrap", "Gentoo"]
    futures = [draw.submit(name, part, weighed) for name in species for part in range(5)]
    means = defaultdict(list)
    for done, future in enumerate(as_completed(futures), 1):
        name, drawn = future.result()
        means[name] += drawn
        print(f"{done} of {len(futures)} parts are done")
    lines = [f"# Penguins: {flow_run.name}", "", "| species | mean mass, 95 % sure (g) |", "| --- | --- |"]
    for name in species:
        cuts = statistics.quantiles(means[name], n=40)
        lines.append(f"| {name} | {cuts[0]:.0f} to {cuts[-1]:.0f} |")
    output.mkdir(parents=True, exist_ok=True)
    report = output / f"{flow_run.name}.md"
    report.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return report


if __name__ == "__main__":
    print(f"The report is at {bootstrap(Path(sys.argv[1] if len(sys.argv) > 1 else 'reports'))}")
