from __future__ import annotations

import gc
import logging
import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from prefect.exceptions import StoreUnavailable
from prefect.recorder.recorder import BATCH, Recorder
from prefect.rules.bookkeeping import enter_state
from prefect.schemas.objects import Log, TaskRun, TaskRunRecord
from prefect.schemas.states import State, StateType
from prefect.types import now

SECONDS = 20.0
"""How long a test waits for another thread before it fails."""


class MemorySink:
    """A sink that keeps what it gets, and can be told to fail or to wait."""

    name = "memory"
    delay = 0.1
    patience = 0.0
    has_leases = True

    def __init__(self) -> None:
        self.batches: list[list[TaskRunRecord]] = []
        self.logs: list[Log] = []
        self.leases: list[tuple[str, tuple[UUID, ...]]] = []
        self.error: Exception | None = None
        self.poison: Callable[[object], bool] = lambda item: False
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.wrote = threading.Event()
        self.attempts = 0

    def _enter(self, items: Sequence[object]) -> None:
        self.attempts += 1
        self.entered.set()
        assert self.gate.wait(SECONDS)
        if self.error is not None:
            raise self.error
        if any(self.poison(item) for item in items):
            raise ValueError("cannot be encoded")

    def record_task_runs(self, records: Sequence[TaskRunRecord]) -> None:
        self._enter(records)
        self.batches.append(list(records))
        self.wrote.set()

    def create_logs(self, logs: Sequence[Log]) -> None:
        self._enter(logs)
        self.logs.extend(logs)
        self.wrote.set()

    def hold(self, flow_run_id: UUID) -> None:
        self._enter(())
        self.leases.append(("hold", (flow_run_id,)))

    def keep(self, items: Sequence[object]) -> str | None:
        return None

    def finish(self) -> None:
        self.finished = True

    def forget(self) -> None:
        self.batches.clear()

    def renew(self, flow_run_ids: Sequence[UUID]) -> None:
        self.leases.append(("renew", tuple(flow_run_ids)))

    def release(self, flow_run_id: UUID) -> None:
        self.leases.append(("release", (flow_run_id,)))

    @property
    def records(self) -> list[TaskRunRecord]:
        return [record for batch in self.batches for record in batch]


def line(message: str = "hello") -> Log:
    return Log(name="prefect.flow_runs", level=20, message=message, timestamp=now(), flow_run_id=uuid4())


def task_run(name: str = "t-0") -> TaskRunRecord:
    return TaskRunRecord(run=TaskRun(task_key="t", dynamic_key="0", name=name), states=[])


@pytest.fixture
def sink() -> MemorySink:
    return MemorySink()


@pytest.fixture
def recorder(sink: MemorySink) -> Iterator[Recorder]:
    made = Recorder(sink)
    yield made
    sink.gate.set()
    sink.error = None
    made.close()


def test_a_record_is_written_without_anyone_asking(recorder: Recorder, sink: MemorySink) -> None:
    recorder.log(line())
    assert sink.wrote.wait(SECONDS)
    assert [log.message for log in sink.logs] == ["hello"]


def test_no_thread_runs_before_the_first_record(recorder: Recorder) -> None:
    before = threading.active_count()
    assert recorder.flush()
    assert threading.active_count() == before


def test_flush_writes_all_that_was_appended_in_order(recorder: Recorder, sink: MemorySink) -> None:
    for number in range(3 * BATCH + 7):
        recorder.log(line(str(number)))
    assert recorder.flush()
    assert [log.message for log in sink.logs] == [str(number) for number in range(3 * BATCH + 7)]


def test_a_record_that_changed_while_it_waited_is_written_once_with_its_newest_content(
    recorder: Recorder, sink: MemorySink
) -> None:
    sink.gate.clear()
    recorder.log(line("keeps the writer busy"))
    assert sink.entered.wait(SECONDS)
    record = task_run()
    for name in ("Pending", "Running", "Completed"):
        record.run.state_name = name
        recorder.task_run(record)
    sink.gate.set()
    assert recorder.flush()
    assert [record.run.state_name for record in sink.records] == ["Completed"]


def test_a_record_that_changes_after_it_was_written_is_written_again(
    recorder: Recorder, sink: MemorySink
) -> None:
    record = task_run()
    recorder.task_run(record)
    recorder.flush()
    recorder.task_run(record)
    recorder.flush()
    assert sink.records == [record, record]


def submitted(age: timedelta = timedelta(0)) -> TaskRunRecord:
    record = task_run()
    enter_state(record.run, State(type=StateType.PENDING, timestamp=now() - age))
    return record


def let_write(recorder: Recorder, sink: MemorySink) -> None:
    """Return once the writer has seen what was appended before."""
    sink.wrote.clear()
    recorder.log(line())
    assert sink.wrote.wait(SECONDS)


@pytest.fixture
def patient() -> Iterator[Recorder]:
    sink = MemorySink()
    sink.patience = 600.0
    made = Recorder(sink)
    yield made
    made.close()


def test_a_run_that_ends_soon_after_it_was_submitted_is_written_once(patient: Recorder) -> None:
    record, sink = submitted(), patient.sink
    patient.task_run(record)
    let_write(patient, sink)
    assert sink.records == []
    enter_state(record.run, State(type=StateType.COMPLETED))
    patient.task_run(record)
    let_write(patient, sink)
    assert sink.records == [record]
    assert patient.flush()
    assert sink.records == [record]


@pytest.mark.parametrize("end", [Recorder.flush, Recorder.close])
def test_a_run_that_was_only_submitted_is_written_when_all_is(patient: Recorder, end) -> None:
    record = submitted()
    patient.task_run(record)
    let_write(patient, patient.sink)
    assert end(patient)
    assert patient.sink.records == [record]


def test_a_run_that_was_only_submitted_waits_no_longer_than_it_may(sink: MemorySink) -> None:
    sink.patience = 0.2
    recorder, record = Recorder(sink), submitted()
    recorder.task_run(record)
    assert sink.wrote.wait(SECONDS)
    assert sink.records == [record]
    recorder.close()


class Watched:
    """A record that is looked at by the recorder."""

    def __init__(self, record: TaskRunRecord, looked_at: Callable[[], object]) -> None:
        self.record = record
        self.looked_at = looked_at

    @property
    def run(self) -> TaskRun:
        self.looked_at()
        return self.record.run


def test_no_flush_overlooks_a_run_that_has_waited_long_enough_just_now(sink: MemorySink) -> None:
    sink.patience = 0.2
    recorder, answers = Recorder(sink), []

    def flush_elsewhere() -> None:
        if threading.current_thread().name == "prefect-recorder":
            thread = threading.Thread(target=lambda: answers.append(recorder.flush(0.0)))
            thread.start()
            thread.join()

    recorder.task_run(Watched(submitted(), flush_elsewhere))
    assert sink.wrote.wait(SECONDS)
    assert answers
    assert not any(answers)
    recorder.close()


@pytest.mark.parametrize("age", [timedelta(hours=1), timedelta(hours=-1)])
def test_a_clock_that_is_set_makes_no_run_wait(patient: Recorder, age: timedelta) -> None:
    record = submitted(age)
    patient.task_run(record)
    let_write(patient, patient.sink)
    assert patient.sink.records == [record]


def test_in_an_outage_the_store_is_tried_with_what_there_is(patient: Recorder) -> None:
    patient.learn_of_outage(sqlite3.OperationalError("disk I/O error"))
    record = submitted()
    patient.task_run(record)
    patient.learn_of_recovery()
    assert patient.sink.wrote.wait(SECONDS)
    assert patient.sink.records == [record]


def test_records_from_many_threads_all_arrive(recorder: Recorder, sink: MemorySink) -> None:
    def work(start: int) -> None:
        for number in range(start, start + 2_500):
            recorder.log(line(str(number)))

    threads = [threading.Thread(target=work, args=(start,)) for start in range(0, 20_000, 2_500)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert recorder.flush()
    assert sorted(int(log.message) for log in sink.logs) == list(range(20_000))


def test_a_full_queue_slows_the_producer_and_drops_nothing(recorder: Recorder, sink: MemorySink) -> None:
    sink.gate.clear()
    recorder.log(line())
    assert sink.entered.wait(SECONDS)
    appended: list[int] = []

    def produce() -> None:
        for number in range(3 * BATCH):
            recorder.log(line(str(number)))
            appended.append(number)

    producer = threading.Thread(target=produce)
    producer.start()
    producer.join(0.5)
    assert producer.is_alive()
    assert len(appended) < 2 * BATCH
    sink.gate.set()
    producer.join(SECONDS)
    assert recorder.flush()
    assert len(sink.logs) == 3 * BATCH + 1


def test_written_records_are_let_go(recorder: Recorder, sink: MemorySink) -> None:
    record = task_run()
    gone = weakref.ref(record.run)
    recorder.task_run(record)
    assert recorder.flush()
    sink.batches.clear()
    del record
    gc.collect()
    assert gone() is None


def test_an_outage_is_said_once_and_nothing_is_lost(
    recorder: Recorder, sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="prefect")
    sink.error = StoreUnavailable("The disk is full. Free some space.")
    recorder.log(line("one"))
    assert recorder.flush() is False
    recorder.log(line("two"))
    assert recorder.flush() is False
    (said,) = caplog.records
    assert said.levelno == logging.ERROR
    assert "memory" in said.getMessage()
    assert "Free some space" in said.getMessage()
    sink.error = None
    assert sink.wrote.wait(SECONDS)
    assert recorder.close()
    assert [log.message for log in sink.logs] == ["one", "two"]
    assert "Nothing was lost" in caplog.records[-1].getMessage()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("503 Service Unavailable", "StoreUnavailable: 503 Service Unavailable. Your"),
        ("The disk is full.", "StoreUnavailable: The disk is full. Your"),
        ("", "StoreUnavailable. Your"),
    ],
)
def test_what_an_outage_says_is_whole_sentences(
    recorder: Recorder, sink: MemorySink, caplog: pytest.LogCaptureFixture, said: str, told: str
) -> None:
    sink.error = StoreUnavailable(said)
    recorder.log(line("one"))
    assert recorder.flush() is False
    assert told in caplog.text
    sink.error = None
    assert recorder.close()


def test_an_outage_that_somebody_else_told_is_not_told_again(
    recorder: Recorder, sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    recorder.learn_of_outage(StoreUnavailable("The disk is full."))
    recorder.log(line("one"))
    assert caplog.messages == []
    assert sink.wrote.wait(SECONDS)
    assert recorder.close()
    assert [log.message for log in sink.logs] == ["one"]


def test_an_outage_keeps_the_newest_and_counts_the_rest(
    sink: MemorySink, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prefect.recorder.recorder.KEEP", 100)
    recorder = Recorder(sink)
    sink.error = sqlite3.OperationalError("disk I/O error")
    recorder.log(line("first"))
    recorder.flush()
    for number in range(500):
        recorder.log(line(str(number)))
    assert recorder.close() is False
    assert "disk I/O error" in caplog.text
    assert "501 records" in caplog.records[-1].getMessage()
    caplog.clear()
    assert recorder.close() is False
    assert caplog.messages == []


def test_a_record_that_cannot_be_encoded_is_named_and_the_others_are_written(
    recorder: Recorder, sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    bad = task_run("bad-7")
    sink.gate.clear()
    sink.poison = lambda item: item is bad
    for number in range(50):
        recorder.task_run(task_run(str(number)))
        if number == 30:
            recorder.task_run(bad)
    sink.gate.set()
    assert recorder.flush()
    assert sorted(int(record.run.name) for record in sink.records) == list(range(50))
    assert "bad-7" in caplog.text
    assert "cannot be encoded" in caplog.text


def test_a_log_line_made_while_writing_does_not_block(recorder: Recorder, sink: MemorySink) -> None:
    def log_too(item: object) -> bool:
        if isinstance(item, TaskRunRecord):
            for _ in range(2 * BATCH):
                recorder.log(line("from within"))
            assert recorder.flush() is False
        return False

    sink.poison = log_too
    recorder.task_run(task_run())
    assert recorder.flush()
    assert recorder.flush()
    assert len(sink.logs) == 2 * BATCH


def test_a_flush_waits_no_longer_than_it_was_told(recorder: Recorder, sink: MemorySink) -> None:
    sink.gate.clear()
    recorder.log(line())
    assert sink.entered.wait(SECONDS)
    assert recorder.flush(timeout=0.01) is False


def test_closing_a_store_that_hangs_ends(sink: MemorySink, caplog: pytest.LogCaptureFixture) -> None:
    recorder = Recorder(sink)
    sink.gate.clear()
    recorder.log(line())
    assert sink.entered.wait(SECONDS)
    assert recorder.close(timeout=0.05) is False
    sink.gate.set()
    assert "1 records" in caplog.text


def test_a_closed_recorder_still_writes_what_comes_late(sink: MemorySink) -> None:
    recorder = Recorder(sink)
    recorder.log(line("early"))
    assert recorder.close()
    recorder.log(line("late"))
    assert [log.message for log in sink.logs] == ["early", "late"]


def test_a_handler_that_raises_does_not_stop_the_writing(
    recorder: Recorder, sink: MemorySink, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(record: logging.LogRecord) -> bool:
        raise ArithmeticError("a filter of the program's")

    logger = logging.getLogger("prefect.recorder")
    logger.addFilter(refuse)
    try:
        sink.error = StoreUnavailable("The disk is full.")
        recorder.log(line("one"))
        assert recorder.flush() is False
        sink.error = None
        assert sink.wrote.wait(SECONDS)
        assert recorder.flush()
    finally:
        logger.removeFilter(refuse)
    assert [log.message for log in sink.logs] == ["one"]
    assert "ArithmeticError" in capsys.readouterr().err


def test_at_the_end_of_the_interpreter_records_are_written_at_once(
    sink: MemorySink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    recorder = Recorder(sink)
    recorder.log(line("last words"))
    assert [log.message for log in sink.logs] == ["last words"]


def test_leases_are_taken_at_once_renewed_and_given_back(
    recorder: Recorder, sink: MemorySink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prefect.recorder.leases.RENEW", 0.01)
    run = uuid4()
    recorder.hold(run)
    assert sink.leases[0] == ("hold", (run,))
    renewed = threading.Event()
    monkeypatch.setattr(sink, "renew", lambda runs: renewed.set() if runs == (run,) else None)
    assert renewed.wait(SECONDS)
    recorder.release(run, ended=False)
    recorder.release(run, ended=False)
    assert sink.leases.count(("release", (run,))) == 1


def test_a_lease_that_cannot_be_taken_is_no_error_of_the_users(
    recorder: Recorder, sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    sink.error = StoreUnavailable("The disk is full.")
    run = uuid4()
    recorder.hold(run)
    assert "The disk is full." in caplog.text
    sink.error = None
    sink.entered.clear()
    assert sink.entered.wait(SECONDS)
    assert sink.leases[0] == ("hold", (run,))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_begins_empty_and_can_write(recorder: Recorder, sink: MemorySink) -> None:
    sink.gate.clear()
    recorder.log(line("parent"))
    assert sink.entered.wait(SECONDS)
    child = os.fork()
    if child == 0:
        sink.gate = threading.Event()
        sink.gate.set()
        recorder.forget()
        recorder.log(line("child"))
        good = recorder.flush(SECONDS) and [log.message for log in sink.logs] == ["child"]
        os._exit(0 if good else 1)
    _, status = os.waitpid(child, 0)
    sink.gate.set()
    assert recorder.flush()
    assert os.waitstatus_to_exitcode(status) == 0
    assert [log.message for log in sink.logs] == ["parent"]
