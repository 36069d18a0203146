"""Whole pipelines, as data teams write them."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import random
import sqlite3
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pydantic

from prefect import allow_failure, flow, get_run_logger, tags, task, unmapped
from prefect.cache_policies import INPUTS
from prefect.futures import as_completed, wait
from prefect.runtime import flow_run, task_run
from prefect.states import Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.tasks import exponential_backoff

SALES = """day,shop,amount
2024-01-01,rome,10.5
2024-01-01,oslo,20
2024-01-02,rome,oops
2024-01-02,oslo,7.25
2024-01-03,rome,3
"""


class Hyper(pydantic.BaseModel):
    rate: float = 0.05
    epochs: int = pydantic.Field(default=20, gt=0)


def program_etl() -> None:
    @task(retries=2, retry_delay_seconds=0)
    def extract(path: Path) -> list[dict[str, str]]:
        with path.open() as file:
            return list(csv.DictReader(file))

    @task
    def clean(rows: list[dict[str, str]]) -> list[dict[str, Any]]:
        logger = get_run_logger()
        good = []
        for row in rows:
            try:
                good.append({**row, "amount": float(row["amount"]), "day": date.fromisoformat(row["day"])})
            except ValueError:
                logger.warning("Dropped %s", row)
        return good

    @task
    def total(rows: list[dict[str, Any]], shop: str) -> tuple[str, float]:
        return shop, sum(row["amount"] for row in rows if row["shop"] == shop)

    @task
    def load(totals: list[tuple[str, float]], database: Path) -> int:
        with sqlite3.connect(database) as connection:
            connection.execute("CREATE TABLE totals (shop TEXT, amount REAL)")
            connection.executemany("INSERT INTO totals VALUES (?, ?)", sorted(totals))
            count = connection.execute("SELECT count(*) FROM totals").fetchone()[0]
        connection.close()
        return int(count)

    @flow(name="Sales ETL", log_prints=True)
    def etl(source: Path, database: Path = Path("sales.db")) -> int:
        rows = clean(extract(source))
        shops = sorted({row["shop"] for row in rows})
        totals = total.map(unmapped(rows), shops)
        return load(totals, database)  # type: ignore[arg-type]

    Path("sales.csv").write_text(SALES)
    print(etl("sales.csv"))  # type: ignore[arg-type]
    connection = sqlite3.connect("sales.db")
    print(connection.execute("SELECT * FROM totals ORDER BY shop").fetchall())
    connection.close()


def program_api_pages() -> None:
    class Response:
        def __init__(self, status: int, data: Any) -> None:
            self.status_code, self.data = status, data

        def raise_for_status(self) -> None:
            if self.status_code >= 400:
                raise RuntimeError(f"HTTP {self.status_code}")

        def json(self) -> Any:
            return self.data

    class Client:
        """Answers 503 to the first request for each page."""

        def __init__(self) -> None:
            self.asked: Counter[int] = Counter()

        def get(self, page: int) -> Response:
            self.asked[page] += 1
            if self.asked[page] == 1 and page % 2:
                return Response(503, None)
            return Response(
                200, {"items": [page * 10 + i for i in range(3)], "next": page + 1 if page < 3 else None}
            )

    client = Client()

    @task(retries=3, retry_delay_seconds=0, task_run_name="page-{page}")
    def fetch(page: int) -> dict[str, Any]:
        response = client.get(page)
        response.raise_for_status()
        return response.json()  # type: ignore[no-any-return]

    @flow
    def crawl() -> list[int]:
        items: list[int] = []
        page: int | None = 0
        while page is not None:
            body = fetch(page)
            items += body["items"]
            page = body["next"]
        return items

    print(crawl(), dict(client.asked))


def program_async_scraper() -> None:
    pages = {"/": ["/a", "/b"], "/a": ["/c"], "/b": ["/c", "/missing"], "/c": []}

    @task(retries=1, tags=["http"])
    async def fetch(url: str) -> list[str]:
        await asyncio.sleep(0.001)
        if url not in pages:
            raise LookupError(f"404 {url}")
        return pages[url]

    @flow
    async def scrape(start: str = "/") -> dict[str, Any]:
        seen, queue, broken = {start}, [start], []
        while queue:
            states = await asyncio.gather(*[fetch(url, return_state=True) for url in queue])
            found = []
            for url, state in zip(queue, states, strict=True):
                if state.is_failed():
                    broken.append(url)
                else:
                    found += await state.aresult() if hasattr(state, "aresult") else state.result()
            queue = [url for url in dict.fromkeys(found) if url not in seen]
            seen.update(queue)
        return {"seen": sorted(seen), "broken": broken}

    print(asyncio.run(scrape()))


def program_training_loop() -> None:
    @dataclass
    class Model:
        weight: float = 0.0

        def step(self, data: list[tuple[float, float]], rate: float) -> float:
            gradient = sum(2 * x * (self.weight * x - y) for x, y in data) / len(data)
            self.weight -= rate * gradient
            return sum((self.weight * x - y) ** 2 for x, y in data) / len(data)

    @task
    def make_data(seed: int) -> list[tuple[float, float]]:
        numbers = random.Random(seed)
        return [(x := numbers.uniform(-1, 1), 3 * x) for _ in range(20)]

    @task(task_run_name="epoch-{epoch:02d}")
    def epoch(model: Model, data: list[tuple[float, float]], rate: float, epoch: int) -> float:
        return model.step(data, rate)

    @flow(flow_run_name="train-{hyper.rate}-{hyper.epochs}")
    def train(hyper: Hyper, seed: int = 1) -> tuple[str | None, float, bool]:
        model, data = Model(), make_data(seed)
        losses = [epoch(model, data, hyper.rate, i) for i in range(hyper.epochs)]
        return flow_run.name, round(model.weight, 3), losses[-1] < losses[0]

    @flow
    def search(rates: list[float]) -> float:
        results = {rate: train({"rate": rate, "epochs": 30}) for rate in rates}  # type: ignore[arg-type]
        for name, weight, better in results.values():
            print(name, weight, better)
        return min(results, key=lambda rate: abs(results[rate][1] - 3))

    print(search([0.05, 0.5]))


def program_map_reduce_words() -> None:
    @task
    def count(text: str) -> Counter[str]:
        return Counter(text.split())

    @task
    def merge(counters: list[Counter[str]]) -> dict[str, int]:
        total: Counter[str] = Counter()
        for counter in counters:
            total.update(counter)
        return dict(sorted(total.items()))

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=3))
    def words(texts: list[str]) -> dict[str, int]:
        return merge.submit(count.map(texts)).result()  # type: ignore[arg-type]

    print(words(["a b a", "b c", "a"]))


def program_partial_failures() -> None:
    @task
    def process(n: int) -> int:
        if n % 3 == 0:
            raise ValueError(f"{n} is bad")
        return n

    @task
    def summarize(results: list[Any]) -> dict[str, Any]:
        return {
            "good": [r for r in results if isinstance(r, int)],
            "bad": sum(isinstance(r, Exception) for r in results),
        }

    @flow
    def run() -> Any:
        futures = process.map(range(1, 7))
        summary = summarize([allow_failure(future) for future in futures])
        good, bad = [], []
        for future in futures:
            state = future.state
            (good if state.is_completed() else bad).append(state.result(raise_on_failure=False))
        if bad:
            return Completed(
                message=f"{len(bad)} of {len(futures)} failed", data=(summary, good, list(map(str, bad)))
            )
        return summary

    state = run(return_state=True)
    print(state.name, state.message, state.result())


def program_quality_gate() -> None:
    @task
    def check(name: str, value: float, limit: float) -> Any:
        if value > limit:
            return Failed(message=f"{name} is {value}, above {limit}")
        return Completed(message=f"{name} is fine")

    @flow
    def gate(values: dict[str, float]) -> Any:
        return [check(name, value, 1.0, return_state=True) for name, value in values.items()]

    for values in ({"a": 0.5}, {"a": 0.5, "b": 2.0}):
        state = gate(values, return_state=True)
        print(state.name, state.message)


def program_backfill() -> None:
    @task(cache_policy=INPUTS, task_run_name="load-{day:%Y-%m-%d}")
    def load(day: date) -> str:
        return f"{task_run.name}"

    @flow
    def backfill(start: date, days: int = 3) -> list[str]:
        return load.map([start + timedelta(days=i) for i in range(days)]).result()

    print(backfill("2024-02-28"))  # type: ignore[arg-type]


def program_subflow_fan_out() -> None:
    @task
    def score(customer: str) -> int:
        return len(customer)

    @flow(flow_run_name="customer-{customer}")
    def handle(customer: str) -> dict[str, Any]:
        return {"name": flow_run.name, "score": score(customer)}

    @flow
    def everybody(customers: list[str]) -> list[dict[str, Any]]:
        return [handle(customer) for customer in customers]

    print(everybody(["ann", "robert"]))


def program_poll_until_ready() -> None:
    answers = iter(["pending", "running", "done"])

    class NotReady(Exception):
        pass

    @task(retries=5, retry_delay_seconds=exponential_backoff(backoff_factor=0))
    def poll(job: str) -> str:
        status = next(answers)
        if status != "done":
            raise NotReady(status)
        return f"{job} took {task_run.run_count} looks"

    @flow
    def run() -> str:
        return poll("export")

    print(run())


def program_report_with_hooks() -> None:
    def notify(flow: Any, run: Any, state: Any) -> None:
        Path("alerts.jsonl").open("a").write(
            json.dumps({"flow": flow.name, "run": run.name, "state": state.name}) + "\n"
        )

    @flow(flow_run_name="{kind}-report", on_completion=[notify], on_failure=[notify])
    def report(kind: str) -> str:
        if kind == "broken":
            raise RuntimeError("no data")
        Path(f"{flow_run.name}.md").write_text(f"# {kind}\n")
        return f"{flow_run.name}.md"

    print(report("weekly"))
    try:
        report("broken")
    except RuntimeError as error:
        print("failed:", error)
    print(Path("alerts.jsonl").read_text(), sorted(path.name for path in Path().iterdir()))


def program_streaming_batches() -> None:
    @task
    def read(n: int, size: int) -> Any:
        batch = []
        for i in range(n):
            batch.append(i)
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch

    @task
    def write(batch: list[int]) -> int:
        return sum(batch)

    @flow
    def stream() -> list[int]:
        return [write(batch) for batch in read(7, 3)]

    print(stream())


def program_first_finished_wins() -> None:
    @task
    def ask(mirror: str, delay: float) -> str:
        time.sleep(delay)
        return mirror

    @flow
    def run() -> str:
        futures = ask.map(["slow", "fast"], [0.5, 0.01])
        return next(iter(as_completed(futures))).result()

    print(run())


def program_batches_with_wait() -> None:
    @task
    def work(i: int) -> int:
        return i * i

    @flow
    def run(n: int = 7, batch: int = 3) -> list[int]:
        results = []
        for start in range(0, n, batch):
            futures = [work.submit(i) for i in range(start, min(start + batch, n))]
            done, not_done = wait(futures)
            assert not not_done and len(done) == len(futures)
            results += [future.result() for future in futures]
        return results

    print(run())


def program_records_with_dates() -> None:
    class Order(pydantic.BaseModel):
        id: int
        at: datetime
        lines: list[dict[str, float]] = []

        @property
        def total(self) -> float:
            return sum(line["price"] for line in self.lines)

    @task
    def parse(raw: str) -> list[Order]:
        return [Order.model_validate(order) for order in json.loads(raw)]

    @task
    def by_month(orders: list[Order]) -> dict[str, float]:
        months: defaultdict[str, float] = defaultdict(float)
        for order in orders:
            months[f"{order.at.astimezone(UTC):%Y-%m}"] += order.total
        return dict(months)

    @flow
    def run(raw: str) -> dict[str, float]:
        return by_month(parse(raw))

    print(run('[{"id": 1, "at": "2024-01-31T23:30:00-02:00", "lines": [{"price": 5}]}, {"id": 2, "at": 0}]'))


def program_class_based_pipeline() -> None:
    class Pipeline:
        """Steps as methods that share a connection."""

        def __init__(self, rows: list[int]) -> None:
            self.rows = rows
            self.written = io.StringIO()

        @task(retries=1)
        def extract(self) -> list[int]:
            return self.rows

        @task
        def transform(self, rows: list[int], by: int = 2) -> list[int]:
            return [row * by for row in rows]

        @task
        def load(self, rows: list[int]) -> None:
            self.written.write(json.dumps(rows))

        @flow(name="class pipeline")
        def run(self, by: int = 2) -> str:
            with tags("pipeline"):
                rows = self.extract.submit()
                changed = self.transform.submit(rows, by=by)
                self.load(changed, wait_for=[changed])  # type: ignore[arg-type]
            return self.written.getvalue()

    print(Pipeline([1, 2]).run(), Pipeline([3]).run(by=5))


def program_retry_whole_flow_with_cache() -> None:
    calls: Counter[str] = Counter()

    @task(persist_result=True)
    def expensive(n: int) -> int:
        calls["expensive"] += 1
        return n * 100

    @task
    def flaky() -> str:
        calls["flaky"] += 1
        if calls["flaky"] == 1:
            raise ConnectionError("lost")
        return "sent"

    @flow(retries=1)
    def run() -> Any:
        value = expensive(2)
        return value, flaky()

    print(run(), dict(calls))
