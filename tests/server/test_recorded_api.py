"""What the server describes of itself, held against what was recorded of the interface."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from prefect.server.app import PREFIX
from prefect.server.openapi import describe
from prefect.server.routes import ROUTES

Described = dict[str, Any]

RECORDED: dict[str, Described] = json.loads(Path(__file__).with_name("recorded_api.json").read_text())


@cache
def _document() -> Described:
    return describe(ROUTES, PREFIX)


def _key(method: str, path: str) -> str:
    """Name an operation whatever the values in its path are called."""
    return f"{method.upper()} {re.sub(r'{[^}]+}', '{}', path)}"


def _served() -> dict[str, Described]:
    return {
        _key(method, path.removeprefix(PREFIX)): described
        for path, methods in _document()["paths"].items()
        for method, described in methods.items()
    }


def _resolved(schema: Described) -> Described:
    """Follow references, and what is there besides null."""
    while True:
        if "$ref" in schema:
            schema = _document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        elif len(some := [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]) == 1:
            schema = some[0]
        else:
            return schema


def _fields(schema: Described) -> tuple[bool, Described]:
    """Return whether there is a list of objects, and their schema."""
    found = _resolved(schema)
    return (True, _resolved(found["items"])) if found.get("type") == "array" else (False, found)


def _content(part: Described) -> Described:
    content: Described = part["content"]["application/json"]["schema"]
    return content


# What these answer depends on what is installed and set; it is looked at elsewhere.
FREE_FORM = {"GET /admin/settings", "GET /admin/storage"}

SHARED = sorted({_key(*name.split(" ", 1)) for name in RECORDED} & set(_served()))
BY_KEY = {_key(*name.split(" ", 1)): recorded for name, recorded in RECORDED.items()}


@pytest.mark.parametrize("name", SHARED)
def test_an_operation_is_as_recorded(name: str) -> None:
    recorded, ours = BY_KEY[name], _served()[name]
    body, parameters = recorded.get("body"), ours.get("parameters", ())

    asked = {each["name"] for each in parameters if each["in"] == "query"}
    assert asked >= set(recorded.get("query", ())), "query parameters are missing"
    if body is not None and "fields" in body:
        is_list, schema = _fields(_content(ours["requestBody"]))
        assert is_list == body.get("list", False)
        assert set(schema["properties"]) >= set(body["fields"]), "fields of the body are missing"
        assert set(schema.get("required", ())) <= set(body["required"]), "the body asks for more"
    if name not in FREE_FORM and isinstance(recorded.get("answer"), list):
        answer = next(each for status, each in ours["responses"].items() if status.startswith("2"))
        is_list, schema = _fields(_content(answer))
        assert is_list == recorded.get("list", False)
        assert set(schema["properties"]) >= set(recorded["answer"]), "fields of the answer are missing"
    if not {"200"} & set(recorded["status"]):
        assert set(recorded["status"]) & set(ours["responses"]), "another status"
