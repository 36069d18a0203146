"""The sockets that a client opens."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from prefect.client.options import client_options
from prefect.client.sockets import open_socket
from wire import serving


@pytest.mark.processes
def test_opening_and_using_one_warns_of_nothing(tmp_path: Path) -> None:
    with serving(tmp_path) as (url, _), warnings.catch_warnings():
        warnings.simplefilter("error")
        connection = open_socket(client_options(url), "/events/in")
        try:
            assert connection.ping().wait(10)
        finally:
            connection.close()
