"""Data frames and arrays between tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prefect import flow, tags, task, unmapped
from prefect.cache_policies import INPUTS
from prefect.runtime import task_run
from prefect.settings import PREFECT_LOCAL_STORAGE_PATH, temporary_settings


def sales() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "day": pd.to_datetime(["2024-01-01", "2024-01-01", "2024-01-02", "2024-01-02"]),
            "shop": ["rome", "oslo", "rome", "oslo"],
            "amount": [10.5, 20.0, np.nan, 7.25],
        }
    )


def program_frames_between_tasks() -> None:
    @task
    def extract() -> pd.DataFrame:
        return sales()

    @task
    def clean(frame: pd.DataFrame, column: str = "amount") -> pd.DataFrame:
        return frame.dropna(subset=[column])

    @task
    def total(frame: pd.DataFrame) -> dict[str, float]:
        return frame.groupby("shop")["amount"].sum().to_dict()

    @flow
    def run() -> dict[str, float]:
        frame = clean(extract())
        return total(frame)

    print(run())


def program_frames_through_futures() -> None:
    @task
    def extract(n: int) -> pd.DataFrame:
        return pd.DataFrame({"n": range(n)})

    @task
    def concat(frames: list[pd.DataFrame]) -> pd.DataFrame:
        return pd.concat(frames, ignore_index=True)

    @flow
    def run() -> Any:
        parts = extract.map([1, 2, 3])
        whole = concat.submit(parts)
        return (
            whole.result()["n"].tolist(),
            concat(parts).shape,
            concat([extract.submit(2), extract(1)]).shape,
        )

    print(run())


def program_maps_over_groups() -> None:
    @task(task_run_name="group-{name}")
    def largest(name: str, group: pd.DataFrame) -> tuple[str, float]:
        return task_run.name, group["amount"].max()

    @flow
    def run() -> Any:
        groups = list(sales().groupby("shop"))
        names, frames = [name for name, _ in groups], [group for _, group in groups]
        return largest.map(names, frames).result()

    print(run())


def program_maps_over_arrays_and_series() -> None:
    @task
    def double(x: Any) -> Any:
        return x * 2

    @flow
    def run() -> Any:
        array = double.map(np.array([1, 2, 3])).result()
        series = double.map(pd.Series([1.5, 2.5])).result()
        rows = [list(row) for row in double.map(np.ones((2, 2))).result()]
        return [int(x) for x in array], [float(x) for x in series], [[float(x) for x in row] for row in rows]

    print(run())


def program_maps_with_an_unmapped_frame() -> None:
    @task
    def at(frame: pd.DataFrame, shop: str) -> int:
        return int((frame["shop"] == shop).sum())

    @flow
    def run() -> Any:
        return at.map(unmapped(sales()), ["rome", "oslo", "paris"]).result()

    print(run())


def program_maps_over_a_frame() -> None:
    @task
    def look(column: Any) -> Any:
        return column

    @flow
    def run() -> Any:
        return look.map(sales()).result()

    print(run())


def program_frames_as_flow_parameters() -> None:
    @flow
    def run(frame: pd.DataFrame, array: np.ndarray, limit: float = 10) -> Any:
        return int((frame["amount"] > limit).sum()), array.sum(), type(frame).__name__

    print(run(sales(), np.array([1, 2])), run(sales(), array=np.zeros(2), limit="7"))  # type: ignore[arg-type]
    try:
        run([1, 2], np.zeros(1))  # type: ignore[arg-type]
    except Exception as error:
        print(type(error).__name__)


def program_frames_are_not_copied() -> None:
    @task
    def add_column(frame: pd.DataFrame) -> pd.DataFrame:
        frame["new"] = 1
        return frame

    @flow
    def run(frame: pd.DataFrame) -> Any:
        returned = add_column(frame)
        submitted = add_column.submit(frame).result()
        return returned is frame, submitted is frame, list(frame.columns)

    print(run(sales()))


def program_flows_return_frames() -> None:
    @flow
    def run() -> pd.DataFrame:
        return sales()

    @flow
    def several() -> tuple[pd.DataFrame, pd.Series]:
        return sales(), sales()["amount"]

    state = run(return_state=True)
    print(run().shape, state.result().shape, state.name, [part.shape for part in several()])


def program_frames_in_names_and_tags() -> None:
    @task(task_run_name="rows-{frame.shape[0]}-{config[name]}")
    def named(frame: pd.DataFrame, config: dict[str, str]) -> Any:
        return task_run.name, task_run.tags

    @flow
    def run() -> Any:
        with tags("frames"):
            return named(sales(), {"name": "acme"})

    print(run())


def program_caching_by_frames() -> None:
    calls: list[int] = []

    @task(cache_policy=INPUTS)
    def total(frame: pd.DataFrame, array: np.ndarray) -> float:
        calls.append(len(frame))
        return float(frame["amount"].sum() + array.sum())

    @flow
    def run() -> Any:
        other = sales()
        other.loc[0, "amount"] = 0
        return [
            total(frame, array) for frame in (sales(), sales(), other) for array in (np.zeros(2), np.ones(2))
        ]

    with temporary_settings({PREFECT_LOCAL_STORAGE_PATH: Path("results").resolve()}):
        print(run(), len(calls))


def program_persisted_frames() -> None:
    @task(persist_result=True)
    def make() -> pd.DataFrame:
        return sales()

    @flow
    def run() -> Any:
        first, second = make(return_state=True), make(return_state=True)
        return first.name, second.name, first.result().equals(second.result())

    with temporary_settings({PREFECT_LOCAL_STORAGE_PATH: Path("results").resolve()}):
        print(run())


def program_reports_from_frames() -> None:
    @task
    def extract(path: str) -> pd.DataFrame:
        return pd.read_csv(path, parse_dates=["day"])

    @task(retries=1)
    def report(frame: pd.DataFrame, path: Path) -> Path:
        frame.pivot_table(index="day", columns="shop", values="amount").to_csv(path)
        return path

    @flow(flow_run_name="report-of-{source}")
    def run(source: str, target: Path = Path("report.csv")) -> Path:
        return report(extract(source), target)

    sales().to_csv("sales.csv", index=False)
    print(run("sales.csv").read_text())


def program_truth_values_and_comparisons() -> None:
    @task
    def make() -> pd.DataFrame:
        return sales()

    @task
    def check(frame: pd.DataFrame, expected: Any = None) -> bool:
        return frame.equals(expected)

    @flow
    def run() -> Any:
        future = make.submit()
        return (
            check(future, future),
            check.submit(make(), expected=future).result(),
            check({"a": 1} and make(), make()),
        )

    print(run())
