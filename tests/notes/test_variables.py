"""`prefect.variables`, as users call it."""

from __future__ import annotations

import asyncio

import pytest

from prefect import flow, task
from prefect.variables import Variable


def test_a_variable_is_set_read_and_unset():
    made = Variable.set("region", {"eu": [1, 2]}, tags=["a"])

    assert repr(made) == "Variable(name='region', value={'eu': [1, 2]}, tags=['a'])"
    assert Variable.get("region") == {"eu": [1, 2]}
    assert (Variable.unset("region"), Variable.unset("region")) == (True, False)
    assert (Variable.get("region"), Variable.get("region", default=5)) == (None, 5)


def test_a_value_is_overwritten_only_when_that_is_asked():
    Variable.set("limit", 1)

    with pytest.raises(ValueError, match=r"Variable .limit. already exists\. Use `overwrite=True`"):
        Variable.set("limit", 2)
    assert Variable.set("limit", 3, overwrite=True).value == Variable.get("limit") == 3


def test_async_code_awaits():
    async def main() -> object:
        await Variable.set("a", 1)
        await Variable.aset("b", 2)
        found = [await Variable.get("a"), await Variable.aget("b"), await Variable.aget("c", 3)]
        assert await Variable.aunset("a") is True
        return found

    assert asyncio.run(main()) == [1, 2, 3]


def test_runs_read_variables():
    Variable.set("factor", 10)

    @task
    def multiply(x: int) -> int:
        return x * Variable.get("factor")

    @flow
    def plain() -> int:
        return multiply(2)

    @flow
    async def awaiting() -> int:
        return await Variable.get("factor")

    assert (plain(), asyncio.run(awaiting())) == (20, 10)


@pytest.mark.parametrize(("name", "value"), [("Upper", 1), ("a", "x" * 5000), ("a", object())])
def test_what_cannot_be_kept_is_refused(name, value):
    with pytest.raises(ValueError, match=r"Variable (name|value) must"):
        Variable.set(name, value)
