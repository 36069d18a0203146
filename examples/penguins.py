"""A pipeline over a real data set: read, clean, aggregate per group, compare, and write a report.

The data are the Palmer penguins (see `examples/data/README.md`). Besides the `prefect` package it needs only
the standard library. Run it: `python examples/penguins.py [FOLDER FOR THE REPORT]`
"""

from __future__ import annotations

import csv
import statistics
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from prefect import flow, tags, task
from prefect.runtime import flow_run, task_run

DATA = Path(__file__).parent / "data" / "penguins.csv"


@dataclass(frozen=True)
class Penguin:
    """One bird, fully measured."""

    species: str
    island: str
    sex: str
    flipper_mm: float
    mass_g: float


@dataclass(frozen=True)
class Summary:
    """What a group of penguins has in common."""

    group: str
    count: int
    mean_mass_g: float
    spread_g: float
    flipper_mm: float


@task
def extract(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@task(log_prints=True)
def clean(rows: list[dict[str, str]]) -> list[Penguin]:
    """Turn rows into typed records; birds that were not fully measured are left out."""
    complete = [row for row in rows if "NA" not in row.values()]
    print(f"{len(complete)} of {len(rows)} penguins were fully measured")
    return [
        Penguin(
            species=row["species"],
            island=row["island"],
            sex=row["sex"],
            flipper_mm=float(row["flipper_length_mm"]),
            mass_g=float(row["body_mass_g"]),
        )
        for row in complete
    ]


@task(task_run_name="summarize {group}")
def summarize(group: str, birds: list[Penguin]) -> Summary:
    masses = [bird.mass_g for bird in birds]
    return Summary(
        group=group,
        count=len(birds),
        mean_mass_g=statistics.fmean(masses),
        spread_g=statistics.stdev(masses),
        flipper_mm=statistics.fmean(bird.flipper_mm for bird in birds),
    )


@task
def mean_mass(birds: list[Penguin], sex: str) -> float:
    return statistics.fmean(bird.mass_g for bird in birds if bird.sex == sex)


@flow(flow_run_name="males against females: {species}", log_prints=True)
def dimorphism(species: str, birds: list[Penguin]) -> float:
    """Tell how much heavier a species' males are, as a fraction of the females' mass."""
    male = mean_mass.submit(birds, "male")
    female = mean_mass.submit(birds, "female")
    heavier = male.result() / female.result() - 1
    print(f"{species}: males are {heavier:.0%} heavier")
    return heavier


@task
def render(summaries: list[Summary], heavier: dict[str, float]) -> str:
    lines = [
        f"# Penguins: {flow_run.name}",
        "",
        f"Made by flow `{flow_run.flow_name}`, task `{task_run.name}`.",
        "",
        "| group | birds | mean mass, g | spread, g | mean flipper, mm |",
        "| --- | ---: | ---: | ---: | ---: |",
        *(
            f"| {of.group} | {of.count} | {of.mean_mass_g:.0f} | {of.spread_g:.0f} | {of.flipper_mm:.0f} |"
            for of in sorted(summaries, key=lambda summary: -summary.mean_mass_g)
        ),
        "",
        *(f"- {species}: males are {share:.0%} heavier than females." for species, share in heavier.items()),
        "",
    ]
    return "\n".join(lines)


@task(retries=2, retry_delay_seconds=0.2, log_prints=True)
def publish(report: str, folder: Path) -> Path:
    """Write the report under the flow run's name; the first attempt fails on purpose, to be retried."""
    if task_run.run_count == 1:
        raise ConnectionError("the shared folder is away (on purpose; see the retry)")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{flow_run.name}.md"
    path.write_text(report, encoding="utf-8")
    print(f"attempt {task_run.run_count}: wrote {path}")
    return path


def grouped(birds: list[Penguin], *fields: str) -> dict[str, list[Penguin]]:
    """Group birds by the values of some fields."""
    groups: dict[str, list[Penguin]] = defaultdict(list)
    for bird in birds:
        groups[" on ".join(getattr(bird, field) for field in fields)].append(bird)
    return dict(groups)


@flow(name="penguins", log_prints=True)
def penguins(source: Path = DATA, folder: Path = Path("reports")) -> Path:
    print(f"run {flow_run.name} reads {source.name}")
    with tags("palmer"):
        birds = clean(extract(source))
        groups = grouped(birds, "species", "island")
        summaries = summarize.map(list(groups), list(groups.values())).result()
    heavier = {species: dimorphism(species, group) for species, group in grouped(birds, "species").items()}
    return publish(render(summaries, heavier), folder)


if __name__ == "__main__":
    written = penguins(folder=Path(sys.argv[1] if len(sys.argv) > 1 else "reports"))
    print(written.read_text(encoding="utf-8"))
