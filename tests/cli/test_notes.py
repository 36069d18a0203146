"""`prefect variable`, `block` and `artifact`."""

from __future__ import annotations

import pytest

from prefect.artifacts import create_markdown_artifact
from prefect.blocks.system import Secret
from prefect.variables import Variable


def test_a_variable_is_set_shown_and_unset(prefect):
    assert prefect("variable", "set", "region", '{"eu": 1}', "--tag", "x").out == "Set variable 'region'.\n"

    assert prefect("variable", "get", "region").out == '{"eu": 1}\n'
    assert prefect("variable", "inspect", "region", "-o", "json").json()["tags"] == ["x"]
    assert '{"eu": 1}' in prefect("variable", "ls").out
    assert "'region' already exists. Use --overwrite" in prefect("variable", "set", "region", "5", code=1).err
    prefect("variable", "set", "region", "plain text", "--overwrite")
    assert prefect("variable", "get", "region").out == "plain text\n"
    prefect("variable", "unset", "region", "--yes")
    for words in (("get", "region"), ("inspect", "region"), ("unset", "region")):
        assert prefect("variable", *words, code=1).err == "Variable 'region' not found.\n"
    assert Variable.get("region") is None


def test_the_types_of_blocks_are_listed_before_there_are_any(prefect):
    listed = prefect("block", "type", "ls", "-o", "json").json()
    assert {"secret", "webhook", "slack-webhook"} <= {each["slug"] for each in listed}
    assert prefect("block", "type", "ls", "-o", "json").json() == listed


def test_blocks_are_listed_shown_without_secrets_and_deleted(prefect):
    prefect("variable", "ls")
    Secret(value="canary").save("token")

    [listed] = prefect("block", "ls", "-o", "json").json()
    assert listed["name"] == "token"
    for words in (("ls",), ("inspect", "secret/token"), ("inspect", listed["id"]), ("type", "ls")):
        shown = prefect("block", *words).out
        assert "ecret" in shown and "canary" not in shown
    assert "Protected:" in prefect("block", "type", "inspect", "secret").out
    assert "cannot be deleted" in prefect("block", "type", "delete", "secret", "-y", code=1).err
    assert prefect("block", "delete", "secret/token", "-y").out == "Deleted block 'secret/token'.\n"
    assert prefect("block", "delete", "secret/token", code=1).err == "Block 'secret/token' not found.\n"
    assert "secret/token" in prefect("block", "inspect", "token", code=1).err


def test_block_types_of_a_file_are_registered(prefect, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("from prefect.blocks.core import Block\nclass Mine(Block):\n    a: int\n")

    assert "mine" in prefect("block", "register", "--file", str(file)).out
    assert [each["slug"] for each in prefect("block", "type", "ls", "-o", "json").json()] == ["mine"]
    prefect("block", "type", "delete", "mine", "-y")
    prefect("block", "register", "--module", "prefect.blocks.system")
    for words in ((), ("--file", str(tmp_path / "nope.py")), ("--module", "json")):
        assert prefect("block", "register", *words, code=1).err


def test_artifacts_are_listed_shown_and_deleted(prefect):
    prefect("artifact", "ls")
    create_markdown_artifact("one", key="report")
    latest = create_markdown_artifact("two", key="report")

    assert [each["latest_id"] for each in prefect("artifact", "ls", "-o", "json").json()] == [str(latest)]
    assert len(prefect("artifact", "ls", "--all", "-o", "json").json()) == 2
    assert str(latest) in prefect("artifact", "ls").out
    assert [each["data"] for each in prefect("artifact", "inspect", "report").json()] == ["two", "one"]
    assert [each["data"] for each in prefect("artifact", "inspect", str(latest)).json()] == ["two"]
    assert prefect("artifact", "delete", "report", "-y").out == "Deleted 2 artifacts of 'report'.\n"
    assert "no artifact with key or id 'report'" in prefect("artifact", "inspect", "report", code=1).err


@pytest.mark.parametrize("group", ["variable", "block", "artifact"])
def test_help_is_there(prefect, group):
    assert "ls" in prefect(group, "--help").out
