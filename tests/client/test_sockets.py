"""The sockets that a client opens."""

from __future__ import annotations

import random
import warnings
from pathlib import Path

import pytest

from prefect.client.options import client_options
from prefect.client.sockets import open_socket
from prefect.exceptions import ServerUnreachable
from prefect.settings import temporary_settings
from wire import serving


@pytest.mark.processes
def test_opening_and_using_one_warns_of_nothing(tmp_path: Path) -> None:
    with serving(tmp_path) as (url, _), warnings.catch_warnings():
        warnings.simplefilter("error")
        connection = open_socket(client_options(url), "/events/in")
        try:
            assert connection.ping().wait(50)
        finally:
            connection.close()


@pytest.mark.processes
def test_its_pings_take_nothing_from_the_random_numbers_of_a_program(tmp_path: Path) -> None:
    with serving(tmp_path) as (url, _):
        connection = open_socket(client_options(url), "/events/in")
        try:
            before = random.getstate()
            assert connection.ping().wait(50)
            assert random.getstate() == before
        finally:
            connection.close()


@pytest.mark.processes
def test_who_is_not_let_in_is_told_what_to_set(tmp_path: Path) -> None:
    with serving(tmp_path, PREFECT_SERVER_API_AUTH_STRING="me:pw") as (url, _):
        with pytest.raises(
            ServerUnreachable, match="asks for a login, and there is none in PREFECT_API_AUTH"
        ):
            open_socket(client_options(url), "/events/in")
        with (
            temporary_settings({"PREFECT_API_AUTH_STRING": "me:other"}),
            pytest.raises(ServerUnreachable, match="takes another login than PREFECT_API_AUTH_STRING"),
        ):
            open_socket(client_options(url), "/events/in")
