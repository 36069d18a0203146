"""Flows, flow runs, task runs and logs over HTTP, as clients of the interface use them."""

from __future__ import annotations

from uuid import uuid4

import pytest


def propose(client, run, kind, **values):
    state = {"type": kind, **values.pop("state", {})}
    return client.post(f"/api/flow_runs/{run['id']}/set_state", json={"state": state, **values})


def test_a_flow_is_made_once(client):
    made = client.post("/api/flows/", json={"name": "etl", "tags": ["a"], "labels": {}})
    found = client.post("/api/flows/", json={"name": "etl"})

    assert (made.status_code, found.status_code) == (201, 200)
    assert found.json() == made.json()
    assert client.get(f"/api/flows/{made.json()['id']}").json() == made.json()
    assert client.get("/api/flows/name/etl").json() == made.json()


def test_a_flow_run_goes_from_pending_to_completed(client, make_run):
    run = make_run(state={"type": "PENDING"}, parameters={"x": [1, None]}, tags=["t"])

    running = propose(client, run, "RUNNING")
    completed = propose(client, run, "COMPLETED", state={"message": "done", "data": {"storage_key": "k"}})

    assert (running.status_code, completed.status_code) == (201, 201)
    assert completed.json()["status"] == "ACCEPT"
    assert completed.json()["details"] == {"type": "accept_details"}
    read = client.get(f"/api/flow_runs/{run['id']}").json()
    assert (read["state_type"], read["run_count"], read["parameters"]) == ("COMPLETED", 1, {"x": [1, None]})
    assert read["state"] == completed.json()["state"]
    assert read["state"]["state_details"]["flow_run_id"] == run["id"]
    assert len(read["state"]["state_details"]) == 18
    states = client.get("/api/flow_run_states/", params={"flow_run_id": run["id"]}).json()
    assert [state["type"] for state in states] == ["PENDING", "RUNNING", "COMPLETED"]


def test_states_get_their_id_and_time_from_the_server(client, make_run):
    mine = {"type": "PENDING", "id": str(uuid4()), "timestamp": "1999-01-01T00:00:00Z"}

    run = make_run(state=mine)

    assert run["state"]["id"] != mine["id"]
    assert run["state"]["timestamp"] > "2026"


def test_a_flow_run_is_made_once_for_its_key(client, flow_id):
    body = {"flow_id": flow_id, "idempotency_key": "k"}

    made, found = client.post("/api/flow_runs/", json=body), client.post("/api/flow_runs/", json=body)

    assert (made.status_code, found.status_code) == (201, 200)
    assert found.json()["id"] == made.json()["id"]


@pytest.mark.parametrize("kind", ["flow_runs", "task_runs"])
def test_a_run_that_is_scheduled_without_a_time_is_due_now(client, flow_id, kind):
    body = {"flow_id": flow_id} if kind == "flow_runs" else {"task_key": "t", "dynamic_key": "0"}

    run = client.post(f"/api/{kind}/", json={**body, "state": {"type": "SCHEDULED"}}).json()

    assert run["next_scheduled_start_time"] == run["state"]["state_details"]["scheduled_time"] is not None


@pytest.mark.parametrize(("value", "status"), [("x", 201), (1.5, 201), (True, 201), (None, 422), ([1], 422)])
def test_labels_are_texts_numbers_and_truth_values(client, flow_id, value, status):
    body = {"flow_id": flow_id, "labels": {"kind": value}}

    made = client.post("/api/flow_runs/", json=body)

    assert made.status_code == status
    assert made.json().get("labels", {}).get("kind", None) == (value if status == 201 else None)


def test_a_failed_run_with_retries_left_is_to_wait_and_run_again(client, make_run):
    run = make_run(empirical_policy={"retries": 1, "retry_delay": 60})
    propose(client, run, "RUNNING")

    failed, running = propose(client, run, "FAILED"), propose(client, run, "RUNNING")

    assert (failed.status_code, failed.json()["status"]) == (201, "REJECT")
    assert failed.json()["state"]["name"] == "AwaitingRetry"
    assert (running.status_code, running.json()["status"]) == (200, "WAIT")
    assert 0 < running.json()["details"]["delay_seconds"] <= 60


def test_a_transition_that_is_sent_again_changes_nothing(client, make_run):
    run, mark = make_run(), {"state_details": {"transition_id": str(uuid4())}}

    first, again = propose(client, run, "RUNNING", state=mark), propose(client, run, "RUNNING", state=mark)

    assert (again.status_code, again.json()["status"]) == (200, "REJECT")
    assert again.json()["state"] == first.json()["state"]


def test_a_forced_state_is_entered(client, make_run):
    run = make_run()
    propose(client, run, "COMPLETED")

    assert propose(client, run, "CRASHED").json()["status"] == "ABORT"
    assert propose(client, run, "CRASHED", force=True).json()["status"] == "ACCEPT"


@pytest.mark.parametrize(
    "keys", [{}, {"schema": "s"}, {"response": "r"}, {"schema": "a/b", "response": "r"}], ids=str
)
def test_a_pause_that_does_not_say_where_its_input_is_stays(client, make_run, keys):
    run = make_run(state={"type": "RUNNING"})
    propose(client, run, "PAUSED", state={"state_details": {"run_input_keyset": keys}})

    answer = client.post(f"/api/flow_runs/{run['id']}/resume", json={"run_input": {"n": 1}}).json()

    assert (answer["status"], answer["state"]["type"]) == ("REJECT", "PAUSED")


def test_times_without_a_zone_are_in_utc(client, make_run):
    run = make_run(state={"type": "SCHEDULED", "state_details": {"scheduled_time": "2199-01-01T00:00:00"}})
    assert propose(client, run, "RUNNING").json()["status"] == "WAIT"
    run = make_run(state={"type": "SCHEDULED", "state_details": {"scheduled_time": "2001-01-01T00:00:00"}})
    assert propose(client, run, "RUNNING").json()["status"] == "ACCEPT"
    propose(client, run, "PAUSED", state={"state_details": {"pause_timeout": "2001-01-01T00:00:00"}})
    refused = propose(client, run, "RUNNING").json()
    assert (refused["status"], refused["state"]["type"]) == ("REJECT", "FAILED")


def test_a_paused_run_is_resumed_in_its_attempt(client, make_run):
    run = make_run()
    propose(client, run, "RUNNING")
    propose(client, run, "PAUSED", state={"state_details": {"pause_key": "1"}})

    resumed = client.post(f"/api/flow_runs/{run['id']}/resume", json={})

    assert (resumed.status_code, resumed.json()["status"]) == (201, "ACCEPT")
    assert client.get(f"/api/flow_runs/{run['id']}").json()["run_count"] == 1
    again = client.post(f"/api/flow_runs/{run['id']}/resume")
    assert (again.status_code, again.json()["status"], again.json()["state"]) == (200, "ABORT", None)


def test_a_flow_run_is_renamed_and_deleted(client, make_run):
    run = make_run()
    path = f"/api/flow_runs/{run['id']}"

    renamed = client.patch(path, json={"name": "other"})

    assert (renamed.status_code, renamed.content) == (204, b"")
    assert client.get(path).json()["name"] == "other"
    late = client.patch(path, json={"job_variables": {"a": 1}})
    assert (late.status_code, "cannot be updated" in late.json()["detail"]) == (400, True)
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
    assert client.delete(path).status_code == 404


def test_a_list_says_of_each_run_what_the_run_itself_says(client, make_run):
    ended, running, waiting = (make_run(parameters={"x": [1.5, None]}, tags=["ü"]) for _ in range(3))
    propose(client, running, "RUNNING")
    for kind in ("RUNNING", "FAILED"):
        propose(client, ended, kind, state={"message": '"why"', "data": {"storage_key": "k"}})

    for change in ({}, {"name": "renamed"}, {"tags": []}):
        client.patch(f"/api/flow_runs/{ended['id']}", json=change)
        listed = client.post("/api/flow_runs/filter", json={"sort": "ID_DESC"}).json()

        assert [run["id"] for run in listed] == [waiting["id"], running["id"], ended["id"]]
        for run in listed:
            read = client.get(f"/api/flow_runs/{run['id']}").json()
            if run["id"] != ended["id"]:
                # The clock goes on.
                for each in (run, read):
                    assert each.pop("estimated_run_time") + each.pop("estimated_start_time_delta") >= 0
            assert run == read


def test_runs_are_filtered_and_counted(client, make_run, flow_id):
    runs = [make_run(name=f"run-{number}", tags=["odd"] if number % 2 else []) for number in range(5)]
    tagged = {"flow_runs": {"tags": {"all_": ["odd"]}}, "flows": {"id": {"any_": [flow_id]}}}

    found = client.post("/api/flow_runs/filter", json={**tagged, "sort": "NAME_DESC"}).json()

    assert [run["name"] for run in found] == ["run-3", "run-1"]
    assert client.post("/api/flow_runs/count", json=tagged).json() == 2
    assert len(client.post("/api/flow_runs/filter").json()) == len(runs)
    page = client.post("/api/flow_runs/filter", json={"sort": "NAME_ASC", "limit": 2, "offset": 1}).json()
    assert [run["name"] for run in page] == ["run-1", "run-2"]
    assert client.post("/api/flow_runs/filter", json={"limit": None, "unheard_of": 1}).status_code == 200


def test_a_subflow_tells_its_states_to_the_task_run_that_stands_for_it(client, make_run):
    parent = make_run()
    propose(client, parent, "RUNNING")
    body = {"flow_run_id": parent["id"], "task_key": "child", "dynamic_key": "0", "name": "child-0"}

    made, found = client.post("/api/task_runs/", json=body), client.post("/api/task_runs/", json=body)
    assert (made.status_code, found.status_code) == (201, 200)
    assert found.json()["id"] == made.json()["id"]
    assert made.json()["state_type"] == "PENDING"

    child = make_run(parent_task_run_id=made.json()["id"])
    propose(client, child, "RUNNING")
    propose(client, child, "COMPLETED")

    stand_in = client.get(f"/api/task_runs/{made.json()['id']}").json()
    assert (stand_in["state_type"], stand_in["run_count"]) == ("COMPLETED", 1)
    assert stand_in["state"]["state_details"]["child_flow_run_id"] == child["id"]
    assert stand_in["state"]["state_details"]["flow_run_id"] == parent["id"]
    by_parent = {"flow_runs": {"parent_task_run_id": {"any_": [stand_in["id"]]}}, "limit": 1}
    assert [run["id"] for run in client.post("/api/flow_runs/filter", json=by_parent).json()] == [child["id"]]


def test_a_task_run_without_a_flow_run_is_made_changed_and_deleted(client):
    made = client.post("/api/task_runs/", json={"task_key": "t", "dynamic_key": "1"}).json()
    path = f"/api/task_runs/{made['id']}"

    assert client.patch(path, json={"name": "renamed"}).status_code == 204
    running = client.post(f"{path}/set_state", json={"state": {"type": "RUNNING"}})
    assert (running.status_code, running.json()["status"]) == (201, "ACCEPT")
    states = client.get("/api/task_run_states/", params={"task_run_id": made["id"]}).json()
    assert [state["type"] for state in states] == ["PENDING", "RUNNING"]
    assert client.get(path).json()["name"] == "renamed"
    assert client.post("/api/task_runs/count").json() == 1
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404


def test_a_cache_key_is_of_2000_characters_at_most(client):
    for length, status in ((2000, 201), (2001, 422)):
        body = {"task_key": "t", "dynamic_key": "1", "cache_key": "k" * length}
        assert client.post("/api/task_runs/", json=body).status_code == status


def test_a_task_run_of_no_flow_run_is_refused(client):
    body = {"task_key": "t", "dynamic_key": "1", "flow_run_id": str(uuid4())}

    assert client.post("/api/task_runs/", json=body).status_code == 404


def test_logs_are_written_and_filtered(client, make_run):
    run = make_run()
    logs = [
        {"name": "n", "level": level, "message": f"m{level}", "timestamp": "2026-03-01T12:00:00Z"}
        | {"flow_run_id": run["id"], "task_run_id": None}
        for level in (10, 20, 30)
    ]

    written = client.post("/api/logs/", json=logs)

    assert (written.status_code, written.json()) == (201, None)
    asked = {"logs": {"flow_run_id": {"any_": [run["id"]]}, "level": {"ge_": 20}}}
    assert {log["message"] for log in client.post("/api/logs/filter", json=asked).json()} == {"m20", "m30"}


def test_a_run_of_no_flow_is_refused(client):
    refused = client.post("/api/flow_runs/", json={"flow_id": str(uuid4())})

    assert refused.status_code == 404
    assert "Flow with id" in refused.json()["detail"]


@pytest.mark.parametrize("path", ["flows", "flow_runs", "task_runs", "deployments", "logs", "variables"])
def test_a_window_that_is_left_to_the_server_may_be_null(client, make_run, path):
    make_run()
    asked = {"sort": None, "limit": None, "offset": 0}

    found = client.post(f"/api/{path}/filter", json=asked).json()

    assert [one["id"] for one in found] == [one["id"] for one in client.post(f"/api/{path}/filter").json()]
    assert client.post(f"/api/{path}/filter", json={**asked, "sort": "upwards"}).status_code == 422
