"""Reading in several threads at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MANY = """
import sys
import threading

import msgspec

from prefect.schemas import automations, deployments, objects, responses, work_pools
from prefect.schemas.base import Schema

sys.setswitchinterval(1e-6)
kinds = [
    kind
    for module in (automations, deployments, objects, responses, work_pools)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Schema) and kind is not Schema
]
together = threading.Barrier(8)


def read_all() -> None:
    for kind in kinds:
        text = msgspec.json.encode(dict.fromkeys(kind.__struct_fields__))
        together.wait()
        try:
            kind.model_validate_json(text)
        except msgspec.ValidationError:
            pass


threads = [threading.Thread(target=read_all) for _ in range(8)]
for each in threads:
    each.start()
for each in threads:
    each.join()
print(len(kinds) > 50)
"""


def test_threads_that_read_the_first_of_a_kind_at_once_do_not_end_the_process(
    run_python: Callable[..., Any],
) -> None:
    assert run_python("-c", MANY).stdout.strip() == "True"
