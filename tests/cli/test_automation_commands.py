"""`prefect automation`."""

from __future__ import annotations

import json

import pytest

from prefect.blocks.notifications import SlackWebhook

ACTION = {"type": "send-notification", "block_document_id": "slack-webhook/alerts", "body": "b"}
TRIGGER = {"type": "event", "posture": "Reactive", "expect": ["prefect.flow-run.Failed"]}
WANTED = {"name": "tell us", "trigger": TRIGGER, "actions": [ACTION]}


def test_an_automation_is_made_shown_changed_and_deleted(prefect, tmp_path):
    assert prefect("automation", "create", "-j", json.dumps(WANTED), code=1).err == (
        "Block slack-webhook/alerts not found.\n"
    )
    document_id = SlackWebhook(url="https://example.com/s3cret").save("alerts")

    assert prefect("automation", "create", "-j", json.dumps(WANTED)).out.startswith(
        "Created automation 'tell us' with id "
    )
    [listed] = prefect("automation", "ls", "-o", "json").json()
    assert listed["actions"][0]["block_document_id"] == str(document_id)
    shown = prefect("automation", "ls").out
    assert "Reactive: prefect.flow-run.Failed" in shown
    assert listed["id"] in shown

    for words, enabled in (("pause", False), ("resume", True), ("disable", False), ("enable", True)):
        prefect("automation", words, "tell us")
        assert (
            prefect("automation", "inspect", "--id", listed["id"], "-o", "json").json()["enabled"] is enabled
        )
    file = tmp_path / "one.yaml"
    file.write_text(json.dumps({**WANTED, "name": "other", "description": "d"}))
    prefect("automation", "update", "--id", listed["id"], "--from-file", str(file))
    assert "send-notification" in prefect("automation", "inspect", "other").out
    assert prefect("automation", "delete", "other", "-y").out == "Deleted automation 'other'.\n"
    assert prefect("automation", "inspect", "other", code=1).err == "Automation 'other' not found.\n"


def test_several_are_made_of_a_file_or_none(prefect, tmp_path):
    file = tmp_path / "all.yaml"
    each = "- name: {}\n  trigger: {{type: event, posture: Reactive}}\n  actions: [{{type: {}}}]\n"
    file.write_text(each.format("a", "do-nothing") + each.format("b", "nope"))
    assert "nope" in prefect("automation", "create", "-f", str(file), code=1).err
    assert prefect("automation", "ls", "-o", "json").json() == []

    file.write_text(each.format("a", "do-nothing") + each.format("b", "do-nothing"))
    prefect("automation", "create", "-f", str(file))
    assert [one["name"] for one in prefect("automation", "ls", "-o", "json").json()] == ["a", "b"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("create",), "Give either --from-file or --from-json."),
        (("create", "-j", "3"), "It says no automation"),
        (("create", "-j", "{"), "It is neither YAML nor JSON"),
        (("create", "-f", "/nope.yaml"), "'/nope.yaml' cannot be read: No such file"),
        (("update", "--id", "x", "-j", "[{}, {}]"), "not 2"),
        (("pause",), "Give either an automation's name, or --id."),
    ],
    ids=["nothing", "number", "text", "file", "several", "which"],
)
def test_what_is_wrong_is_said(prefect, words, said):
    assert said in prefect("automation", *words, code=1).err
