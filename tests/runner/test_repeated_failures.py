"""What a runner or worker says of failures."""

from __future__ import annotations

import logging

from prefect.runner.outage import Outage


def test_a_failure_that_comes_again_and_again_is_told_once(caplog):
    outage = Outage(logging.getLogger("test_outage"))

    for _ in range(3):
        assert not outage.failed(ValueError("no such queue"))
        outage.succeeded()
    outage.failed(ValueError("something else"))

    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
        "no such queue",
        "something else",
    ]
