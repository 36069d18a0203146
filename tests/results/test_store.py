"""The result store: results are kept, found again, and never half."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
import pickle
import threading
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prefect.cache_policies import INPUTS
from prefect.exceptions import MissingResult, SerializationError, StoreUnavailable
from prefect.filesystems import LocalFileSystem, WritableFileSystem
from prefect.results import (
    ResultRecord,
    ResultRecordMetadata,
    ResultStore,
    get_default_persist_setting,
    get_default_persist_setting_for_tasks,
    get_default_result_storage,
    get_result_store,
    resolve_result_storage,
    should_persist_result,
)
from prefect.results.storage_key import render_storage_key
from prefect.schemas.states import State, StateDetails, StateType
from prefect.serializers import JSONSerializer, PickleSerializer, Serializer
from prefect.settings import (
    PREFECT_DEFAULT_RESULT_STORAGE_BLOCK,
    PREFECT_LOCAL_STORAGE_PATH,
    PREFECT_RESULTS_DEFAULT_SERIALIZER,
    PREFECT_RESULTS_PERSIST_BY_DEFAULT,
    PREFECT_TASKS_DEFAULT_PERSIST_RESULT,
    temporary_settings,
)
from prefect.types import now, uuid7


@pytest.fixture
def store(tmp_path: Path) -> ResultStore:
    return ResultStore(result_storage=tmp_path / "results")


def fresh(store: ResultStore) -> ResultStore:
    """The same store as another process sees it: nothing in memory."""
    return ResultStore(result_storage=store.result_storage, metadata_storage=store.metadata_storage)


class Memory(WritableFileSystem):
    """A storage that is no directory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def read_path(self, path: str) -> bytes:
        if path not in self.files:
            raise ValueError(f"Path {path} does not exist.")
        return self.files[path]

    def write_path(self, path: str, content: bytes) -> None:
        self.files[path] = content


@pytest.mark.parametrize("value", [None, 0, {"a": [1, (2,)]}, {"f": len}, ValueError("x")], ids=repr)
def test_what_is_written_is_read(store: ResultStore, value: Any) -> None:
    record = store.write(value, key="some/key")
    assert record.result is value
    assert store.exists("some/key") and not store.exists("other")
    for reader in (store, fresh(store)):
        assert repr(reader.read("some/key").result) == repr(value)
    assert fresh(store).read("some/key").metadata == record.metadata


def test_the_record_says_where_and_how(store: ResultStore, tmp_path: Path) -> None:
    metadata = store.write({"a": 1}, key="k").metadata
    assert metadata is not None and metadata.storage_key == str(tmp_path / "results" / "k")
    assert metadata.serializer == {"type": "json"} and metadata.prefect_version
    assert store.write(print).metadata.serializer == {"type": "pickle"}
    assert store.read(metadata.storage_key).result == {"a": 1}


def test_the_file_of_a_json_result_is_readable(store: ResultStore, tmp_path: Path) -> None:
    store.write({"a": "é"}, key="k")
    first, payload = (tmp_path / "results" / "k").read_bytes().split(b"\n")
    assert json.loads(first)["metadata"]["serializer"] == {"type": "json"}
    assert json.loads(payload) == {"a": "é"}


def test_a_result_without_a_key_gets_one_of_its_own(store: ResultStore) -> None:
    keys = {store.write(n).metadata.storage_key for n in range(3)}
    assert len(keys) == 3
    assert {store.read(key).result for key in keys} == {0, 1, 2}


def test_a_record_is_kept_when_it_is_persisted(store: ResultStore) -> None:
    record = store.create_result_record([1], key="k")
    assert not store.exists("k")
    store.persist_result_record(record)
    assert fresh(store).read("k") == record
    with pytest.raises(ValueError, match="create_result_record"):
        store.persist_result_record(ResultRecord(result=1))


def test_an_expired_result_is_read_but_not_used(store: ResultStore) -> None:
    store.write(1, key="old", expiration=now() - timedelta(seconds=1))
    store.write(2, key="new", expiration=now() + timedelta(hours=1))
    for reader in (store, fresh(store)):
        assert not reader.exists("old") and reader.find("old") is None
        assert reader.read("old").result == 1
        assert reader.exists("new") and reader.find("new").result == 2
    assert store.find("never") is None


def test_memory_saves_reading(store: ResultStore) -> None:
    value = {"a": 1}
    store.write(value, key="k")
    assert store.read("k").result is value
    forgetful = ResultStore(result_storage=store.result_storage, cache_result_in_memory=False)
    assert forgetful.read("k").result is not forgetful.read("k").result
    assert len(forgetful.cache) == 0


def test_memory_is_bounded(store: ResultStore) -> None:
    store.cache.size = 2
    for n in range(5):
        store.write(n, key=str(n))
    assert len(store.cache) == 2
    assert [store.read(str(n)).result for n in range(5)] == list(range(5))


def test_a_missing_result_is_said_with_its_path(store: ResultStore, tmp_path: Path) -> None:
    with pytest.raises(MissingResult, match=str(tmp_path / "results" / "nope")):
        store.read("nope")


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_is_an_error_with_its_path(store: ResultStore, data: st.DataObject) -> None:
    path = store.write({"a": "text " * 10}, key="k").metadata.storage_key
    whole = Path(path).read_bytes()
    cut = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        damaged = whole[:cut]
    else:
        damaged = whole[:cut] + bytes([whole[cut] ^ data.draw(st.integers(1, 255))]) + whole[cut + 1 :]
    Path(path).write_bytes(damaged)
    try:
        read = fresh(store).read("k")
    except (SerializationError, MissingResult) as error:
        assert path in str(error)
    else:  # a change inside the metadata that is valid in itself
        assert read.result == {"a": "text " * 10}


def test_a_damaged_result_is_not_used_and_the_log_says_why(
    store: ResultStore, caplog: pytest.LogCaptureFixture
) -> None:
    path = store.write([1], key="k").metadata.storage_key
    Path(path).write_bytes(b"nonsense")
    with caplog.at_level(logging.WARNING, "prefect.results"):
        assert fresh(store).find("k") is None
    assert "'k' is not used" in caplog.text and path in caplog.text
    assert store.write([2], key="k") and fresh(store).find("k").result == [2]


def test_a_file_of_another_implementation_is_read(store: ResultStore, tmp_path: Path) -> None:
    blob = base64.encodebytes(pickle.dumps({"a": 1})).decode()
    foreign = {
        "metadata": {
            "storage_key": "k",
            "expiration": None,
            "serializer": {"type": "pickle", "picklelib": "cloudpickle", "picklelib_version": None},
            "prefect_version": "3.0.0",
            "storage_block_id": None,
        },
        "result": blob,
    }
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "k").write_text(json.dumps(foreign))
    assert store.exists("k") and store.read("k").result == {"a": 1}


def test_writers_at_once_leave_a_whole_file(store: ResultStore) -> None:
    barrier = threading.Barrier(8)
    seen: list[Any] = []

    def work(n: int) -> None:
        barrier.wait()
        for _ in range(20):
            store.write([n] * 1000, key="k")
            seen.append(fresh(store).read("k").result)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 160 and all(len(set(value)) == 1 and len(value) == 1000 for value in seen)
    assert os.listdir(store.storage.basepath) == ["k"]


def test_a_storage_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        StoreUnavailable, match=r"Cannot write .*file/k: Not a directory.*PREFECT_LOCAL_STORAGE_PATH"
    ):
        ResultStore(result_storage=tmp_path / "file").write(1, key="k")


@pytest.mark.parametrize("key", ["../k", "/elsewhere/k", "a/../../k"])
def test_a_key_cannot_leave_its_storage(store: ResultStore, key: str) -> None:
    with pytest.raises(ValueError, match="outside of the base path"):
        store.write(1, key=key)


def test_the_default_storage_is_that_of_the_settings(home: Path, tmp_path: Path) -> None:
    assert get_default_result_storage() == LocalFileSystem(basepath=home / "storage")
    assert ResultStore().write(1, key="k").metadata.storage_key == str(home / "storage" / "k")
    with temporary_settings({PREFECT_LOCAL_STORAGE_PATH: tmp_path / "there"}):
        ResultStore().write(2, key="k")
    assert (tmp_path / "there" / "k").exists()
    with (
        temporary_settings({PREFECT_DEFAULT_RESULT_STORAGE_BLOCK: "s3-bucket/mine"}),
        pytest.raises(ValueError, match="storage block"),
    ):
        ResultStore().write(3)


def test_settings_give_the_defaults() -> None:
    assert (get_default_persist_setting(), get_default_persist_setting_for_tasks()) == (False, False)
    with temporary_settings(
        {PREFECT_RESULTS_PERSIST_BY_DEFAULT: True, PREFECT_RESULTS_DEFAULT_SERIALIZER: "pickle"}
    ):
        assert (get_default_persist_setting(), get_default_persist_setting_for_tasks()) == (True, True)
        assert should_persist_result()
        assert ResultStore().serializer == PickleSerializer()
        with temporary_settings({PREFECT_TASKS_DEFAULT_PERSIST_RESULT: False}):
            assert (get_default_persist_setting(), get_default_persist_setting_for_tasks()) == (True, False)


def test_storages_are_given_as_users_like(tmp_path: Path) -> None:
    expected = LocalFileSystem(basepath="/data/results")
    for given_ in ("/data/results", Path("/data/results"), "file:///data/results", expected):
        assert resolve_result_storage(given_) == expected
    assert resolve_result_storage("~/x").resolve("k") == os.path.expanduser("~/x/k")
    memory = Memory()
    assert resolve_result_storage(memory) is memory
    with pytest.raises(ValueError, match="name of a storage block"):
        resolve_result_storage("s3-bucket/mine")
    with pytest.raises(TypeError, match="no read_path"):
        resolve_result_storage(object())


def test_a_storage_that_is_no_directory() -> None:
    memory = Memory()
    store = ResultStore(result_storage=memory)
    assert not store.exists("k")
    store.write((1, 2), key="k")
    other = ResultStore(result_storage=memory)
    assert other.exists("k") and other.read("k").result == (1, 2) and list(memory.files) == ["k"]
    with pytest.raises(MissingResult, match="nope"):
        other.read("nope")


def test_storages_and_serializers_of_users_may_fail(store: ResultStore) -> None:
    class Full(Memory):
        def write_path(self, path: str, content: bytes) -> None:
            raise RuntimeError("quota")

    class Async(Memory):
        async def read_path(self, path: str) -> bytes:  # type: ignore[override]
            return b""

    class Odd(Serializer[Any]):
        type: str = "odd"

        def dumps(self, obj: Any) -> bytes:
            return str(obj["a"]).encode()

        def loads(self, blob: bytes) -> Any:
            raise LookupError("gone")

    with pytest.raises(StoreUnavailable, match="quota"):
        ResultStore(result_storage=Full()).write(1)
    with pytest.raises(TypeError, match="must not be async"):
        ResultStore(result_storage=Async())
    odd = ResultStore(result_storage=store.result_storage, serializer=Odd(), cache_result_in_memory=False)
    with pytest.raises(SerializationError, match=r"'odd' failed: KeyError\('a'\)"):
        odd.write({})
    odd.write({"a": 1}, key="k")
    assert odd.exists("k") and odd.find("k") is None
    with pytest.raises(SerializationError, match="gone"):
        odd.read("k")


def test_keys_may_be_kept_apart_from_results(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    store = ResultStore(result_storage=tmp_path / "a", metadata_storage=keys)
    store.write([1], key="sub/k")
    assert (keys / "sub" / "k").is_file() and b"[1]" not in (keys / "sub" / "k").read_bytes()
    # Another task, whose results are kept elsewhere, finds it by its key.
    other = ResultStore(result_storage=tmp_path / "b", metadata_storage=keys)
    assert other.exists("sub/k") and other.find("sub/k").result == [1]
    (tmp_path / "a" / "sub" / "k").unlink()
    assert ResultStore(result_storage=tmp_path / "b", metadata_storage=keys).find("sub/k") is None


def task_like(**options: Any) -> Any:
    names = ("result_storage", "result_serializer", "result_storage_key", "persist_result", "cache_policy")
    return SimpleNamespace(**{**dict.fromkeys(names), "cache_result_in_memory": True, **options})


def test_a_task_overrides_what_it_says_and_no_more(store: ResultStore, tmp_path: Path) -> None:
    same = store.update_for_task(task_like())
    assert same.storage == store.storage and same.serializer == store.serializer and same is not store
    changed = store.update_for_task(
        task_like(
            result_storage=tmp_path / "mine",
            result_serializer="json",
            persist_result=True,
            cache_result_in_memory=False,
            cache_policy=INPUTS.configure(key_storage=tmp_path / "keys"),
        )
    )
    assert changed.storage == LocalFileSystem(basepath=tmp_path / "mine")
    assert changed.serializer == JSONSerializer() and changed.persist_result is True
    assert changed.cache_result_in_memory is False
    assert changed.metadata_storage == LocalFileSystem(basepath=tmp_path / "keys")
    flow = store.update_for_flow(
        SimpleNamespace(**{**vars(task_like()), "result_storage": tmp_path / "flows"})
    )
    assert flow.storage == LocalFileSystem(basepath=tmp_path / "flows")


def test_keys_from_templates(store: ResultStore) -> None:
    names = {"flow_run": SimpleNamespace(name="calm-fox"), "parameters": {"day": 3}, "task_run": None}
    assert render_storage_key("{flow_run.name}/{parameters[day]}.json", names) == "calm-fox/3.json"
    for wrong in ("{nothing}", "{flow_run.nothing}", "{parameters[nothing]}", "{task_run.name}", "{", "{}"):
        with pytest.raises(ValueError, match=r"cannot be filled in: .* may refer to flow_run, parameters\."):
            render_storage_key(wrong, names)
    updated = store.update_for_task(task_like(result_storage_key="{flow_run.name}"))
    with pytest.raises(ValueError, match="nothing, as no run is active"):
        updated.write(1)


def test_without_a_run_the_settings_give_the_store() -> None:
    assert get_result_store().storage == get_default_result_storage()
    assert should_persist_result() is False


def test_a_state_reads_its_result_from_where_it_is_kept(store: ResultStore) -> None:
    metadata = store.write({"a": (1,)}, key="k").metadata
    details = StateDetails(task_run_id=uuid7())
    kept = State(type=StateType.COMPLETED, data=metadata, state_details=details)
    assert kept.result() == {"a": (1,)}
    wire = State(type=StateType.COMPLETED, data=metadata.model_dump(mode="json"), state_details=details)
    assert wire.result() == {"a": (1,)}
    Path(metadata.storage_key).unlink()
    with pytest.raises(MissingResult, match=r"any more"):
        kept.result()
    lost = State(type=StateType.COMPLETED, data=ResultRecordMetadata(), state_details=details)
    with pytest.raises(MissingResult, match="does not say where"):
        lost.result()


def test_async_code(store: ResultStore) -> None:
    async def work() -> Any:
        await store.awrite(3, key="k")
        return await store.aexists("k"), (await store.aread("k")).result

    assert asyncio.run(work()) == (True, 3)


def test_a_store_travels_to_another_process(store: ResultStore) -> None:
    store.write(1, key="k")
    travelled = pickle.loads(pickle.dumps(store.update_for_task(task_like(result_storage_key="x"))))
    assert len(travelled.cache) == 0 and travelled.read("k").result == 1


def test_a_local_file_system(tmp_path: Path) -> None:
    files = LocalFileSystem(basepath=tmp_path)
    assert files.write_path("a/b", b"x") == str(tmp_path / "a" / "b")
    assert files.read_path("a/b") == b"x" and files.exists("a/b") and not files.exists("a")
    with pytest.raises(ValueError, match="nope does not exist"):
        files.read_path("nope")
    with pytest.raises(ValueError, match="is not a file"):
        files.read_path("a")
    assert asyncio.run(files.aread_path("a/b")) == b"x"
    assert LocalFileSystem().read_path(str(tmp_path / "a" / "b")) == b"x"
