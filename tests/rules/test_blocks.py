"""What is the same of blocks for every client."""

from __future__ import annotations

from typing import Any

import pytest

from prefect.rules.blocks import checksum_of

PART = {"properties": {"a": {"title": "A", "type": "integer"}}, "title": "Part", "type": "object"}
INNER = {"block_schema_references": {}, "block_type_slug": "inner", "properties": {}, "title": "Inner"}


@pytest.mark.parametrize(
    ("definitions", "same_as"),
    [
        ({"JsonValue": {}}, None),
        ({"Inner": INNER}, None),
        ({"Inner": INNER, "JsonValue": {}}, None),
        ({"Part": PART, "Inner": INNER, "JsonValue": {}}, {"Part": PART}),
    ],
)
def test_definitions_of_blocks_and_of_nothing_do_not_count(
    definitions: dict[str, Any], same_as: dict[str, Any] | None
) -> None:
    fields = {"title": "Outer", "type": "object", "properties": {"x": {"type": "integer"}}}
    other = fields if same_as is None else {**fields, "definitions": same_as}

    assert checksum_of({**fields, "definitions": definitions}) == checksum_of(other)


def test_definitions_of_other_types_count() -> None:
    fields = {"title": "Outer", "type": "object"}

    assert checksum_of({**fields, "definitions": {"Part": PART}}) != checksum_of(fields)


def test_a_checksum_that_was_recorded() -> None:
    fields = {
        "block_schema_references": {},
        "block_type_slug": "secret",
        "definitions": {"JsonValue": {}},
        "description": (
            "A block that represents a secret value. The value stored in this block will be obfuscated when "
            "this block is viewed or edited in the UI."
        ),
        "properties": {
            "value": {
                "anyOf": [
                    {"format": "password", "type": "string", "writeOnly": True},
                    {"title": "string", "type": "string"},
                    {"$ref": "#/definitions/JsonValue", "title": "JSON"},
                ],
                "description": "A value that should be kept secret.",
                "examples": ["sk-1234567890", {"password": "s3cr3t", "username": "johndoe"}],
                "format": "password",
                "position": 0,
                "title": "Value",
                "writeOnly": True,
            }
        },
        "required": ["value"],
        "secret_fields": ["value", "value"],
        "title": "Secret",
        "type": "object",
    }

    assert checksum_of(fields) == "sha256:c078ed9c1e813e224c0b353d7ad4564a11d51d3198d9ac0686478165a1911c78"
