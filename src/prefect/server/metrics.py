"""What the server tells of itself to Prometheus."""

from __future__ import annotations

import time
from collections.abc import Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from prefect.exceptions import StoreError
from prefect.operations.unfinished import count_unfinished_flow_runs
from prefect.server.inbox import Inbox
from prefect.server.messages import ASGIApp, Message, Receive, Send
from prefect.server.workroom import Workroom
from prefect.store.base import Store

__all__ = ["Metrics"]

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_METHODS = frozenset(("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS"))


class Metrics:
    """Counts what the server does.

    Requests are counted by the route that they went to, as the description of the API writes it, so that
    there are as many series as routes whatever clients ask for.

    Args:
        store: Where runs are kept.
        workroom: Where operations are carried out.
        inbox: Where events wait.
    """

    media_type = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self, store: Store, workroom: Workroom, inbox: Inbox) -> None:
        # When each series began would double their number, and nobody asks for it.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "prefect_server_requests",
            "Requests that were answered.",
            ("method", "route", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "prefect_server_request_seconds",
            "Seconds from a request to its answer.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._in_flight = Gauge(
            "prefect_server_requests_in_flight", "Requests that are under way.", registry=registry
        )
        ProcessCollector(registry=registry)
        registry.register(_State(store, workroom, inbox))

    async def measure(self, app: ASGIApp, scope: Message, receive: Receive, send: Send) -> None:
        """Serve a request, and count it.

        Args:
            app: What serves it.
            scope: The request.
            receive: Gives its body.
            send: Takes the answer.
        """
        status = "none"  # the client went away before there was an answer

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        began = time.perf_counter()
        self._in_flight.inc()
        try:
            await app(scope, receive, send_on)
        finally:
            self._in_flight.dec()
            method = scope["method"] if scope["method"] in _METHODS else "other"
            route = scope.get("path_template", "none")
            self._requests.labels(method, route, status).inc()
            self._seconds.labels(method, route).observe(time.perf_counter() - began)

    def text(self) -> bytes:
        """Return everything in Prometheus' own format."""
        return generate_latest(self._registry)


class _State(Collector):
    """What is only looked at when it is asked for."""

    def __init__(self, store: Store, workroom: Workroom, inbox: Inbox) -> None:
        self._store = store
        self._workroom = workroom
        self._inbox = inbox

    def describe(self) -> list[GaugeMetricFamily]:
        # Nothing has to be looked at to find that no name is used twice.
        return []

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        inbox = self._inbox
        yield _gauge("prefect_server_calls_under_way", "Operations that run or wait.", self._workroom.busy)
        yield _counter("prefect_server_events_received", "Events that came by sockets.", inbox.received)
        yield _counter("prefect_server_events_written", "Those that are in the store.", inbox.written)
        yield _counter("prefect_server_events_refused", "Those that no store takes.", inbox.refused)
        yield _gauge("prefect_server_events_waiting", "Those that wait.", inbox.waiting)
        try:
            runs = count_unfinished_flow_runs(self._store)
        except StoreError:
            # That the store is away must not keep the rest from being seen.
            return
        family = GaugeMetricFamily(
            "prefect_server_flow_runs", "Flow runs that have not finished, by state.", labels=("state",)
        )
        for state, count in runs.items():
            family.add_metric([state], count)
        yield family


def _gauge(name: str, help: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, help, value=value)


def _counter(name: str, help: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(name, help, value=value)
