"""What the job variables of a work pool may be."""

from __future__ import annotations

from typing import Any

import pytest

from prefect.parameters.job_schema import check_job_variables
from prefect.parameters.schema_check import SchemaError, ValueMismatch

TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
BLOCK = "{{ prefect.blocks.secret.key }}"


def an(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, **more}


def of_pool(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"job_configuration": {}, "variables": an(properties, **more)}


FITS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("nothing", of_pool({"a": TEXT}), {}),
    ("the type", of_pool({"a": TEXT}), {"a": "x"}),
    ("another name", of_pool({"a": TEXT}), {"b": 5}),
    ("null for one that need not be given", of_pool({"a": TEXT}), {"a": None}),
    ("null in the place of a default", of_pool({"a": {**TEXT, "default": "x"}}), {"a": None}),
    ("null within", of_pool({"a": an({"b": an({"c": TEXT})})}), {"a": {"b": {"c": None}}}),
    (
        "null by reference",
        of_pool({"a": {"$ref": "#/$defs/N"}}, **{"$defs": {"N": an({"b": TEXT})}}),
        {"a": {"b": None}},
    ),
    (
        "required with a default",
        of_pool({"a": {**TEXT, "default": "x"}, "b": TEXT}, required=["a"]),
        {"b": "x"},
    ),
    ("a block where an object may be", of_pool({"a": an({})}), {"a": {"$ref": {"block_document_id": "…"}}}),
    ("what a block says, of any type", of_pool({"a": NUMBER}, required=["a"]), {"a": BLOCK}),
    ("what a block says, within", of_pool({"a": {"type": "array", "items": NUMBER}}), {"a": [BLOCK]}),
    ("without a type", of_pool({"a": {}}), {"a": [1]}),
    ("a pool that takes anything", {}, {"a": 1}),
]
DIFFERS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("field 'a'", of_pool({"a": NUMBER}), {"a": "x"}),
    ("field 'a'", of_pool({"a": NUMBER}), {"a": True}),
    ("field 'a'", of_pool({"a": NUMBER}), {"a": "{{ other }}"}),
    ("field 'a'", of_pool({"a": TEXT}), {"a": {"$ref": {"block_document_id": "…"}}}),
    ("field 'a'", of_pool({"a": TEXT}, required=["a"]), {"a": None}),
    ("field 'a'", of_pool({"a": {**TEXT, "default": "x"}}, required=["a"]), {"a": None}),
    ("field 'a'", of_pool({"a": {"enum": ["x"]}}), {"a": None}),
    (r"field 'a\[1\]'", of_pool({"a": {"type": "array", "items": TEXT}}), {"a": ["x", 5]}),
    (r"field 'a\[0\].b'", of_pool({"a": {"type": "array", "items": an({"b": TEXT})}}), {"a": [{"b": None}]}),
    ("field 'a.b'", of_pool({"a": an({"b": NUMBER}, required=["b"])}), {"a": {"b": "x"}}),
    ("'b' was unexpected", of_pool({"a": TEXT}, additionalProperties=False), {"b": 1}),
]


@pytest.mark.parametrize(("template", "values"), [case[1:] for case in FITS], ids=[case[0] for case in FITS])
def test_what_fits(template: dict[str, Any], values: dict[str, Any]) -> None:
    check_job_variables(values, template)
    check_job_variables(values, template, partial=True)


@pytest.mark.parametrize(("why", "template", "values"), DIFFERS)
def test_what_does_not_fit(why: str, template: dict[str, Any], values: dict[str, Any]) -> None:
    for partial in (False, True):
        with pytest.raises(ValueMismatch, match=why):
            check_job_variables(values, template, partial=partial)


@pytest.mark.parametrize(
    ("template", "values"),
    [
        (of_pool({"a": TEXT}, required=["a"]), {}),
        (of_pool({"a": TEXT, "b": TEXT}, required=["a"]), {"b": "x"}),
        (of_pool({"a": an({"b": TEXT}, required=["b"])}), {"a": {}}),
        (of_pool({"a": an({"b": {**TEXT, "default": "x"}}, required=["b"])}), {"a": {}}),
    ],
    ids=["all", "one", "within", "within, with a default"],
)
def test_what_is_missing_may_come_later_but_not_never(
    template: dict[str, Any], values: dict[str, Any]
) -> None:
    check_job_variables(values, template, partial=True)
    with pytest.raises(ValueMismatch, match="is a required property"):
        check_job_variables(values, template)


def test_the_template_stays_as_it_is() -> None:
    template = of_pool({"a": {**TEXT, "default": "x"}, "b": dict(TEXT)}, required=["a"])
    check_job_variables({"a": "y", "b": None}, template)
    assert template == of_pool({"a": {**TEXT, "default": "x"}, "b": TEXT}, required=["a"])


def test_a_template_that_is_no_schema_is_told_and_not_met_with_a_crash() -> None:
    nested: dict[str, Any] = {}
    for _ in range(2000):
        nested = {"properties": {"a": nested}}
    bad: list[Any] = [
        {"properties": {"a": {"type": "nonsense"}}},
        nested,
        {"properties": {"a": {"$ref": "#/no"}}},
    ]
    for variables in bad:
        with pytest.raises(SchemaError, match="Invalid schema"):
            check_job_variables({"a": 1}, {"job_configuration": {}, "variables": variables})
