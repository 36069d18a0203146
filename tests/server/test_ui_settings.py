"""What a page asks for first is answered as by a server of Prefect 3 that serves no page."""

from __future__ import annotations

from litestar.testing import TestClient

from prefect.server.app import make_app
from prefect.settings.context import temporary_settings

PASSWORD = {"PREFECT_SERVER_API_AUTH_STRING": "admin:pass"}


def ui_settings(store, given, **request):
    with temporary_settings(given), TestClient(make_app(store), base_url="http://127.0.0.1") as client:
        return client.get("/ui-settings", **request)


def test_it_says_that_there_is_no_page(store):
    answer = ui_settings(store, {"PREFECT_SERVER_UI_API_URL": "http://127.0.0.1:4200/api"})

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == {
        "api_url": "http://127.0.0.1:4200/api",
        "csrf_enabled": False,
        "auth": None,
        "flags": [],
        "default_ui": "v2",
        "available_uis": [],
        "v1_base_url": None,
        "v2_base_url": None,
    }


def test_it_says_what_the_settings_ask_for(store):
    given = PASSWORD | {
        "PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED": "true",
        "PREFECT_SERVER_UI_API_URL": "https://ui:secret@prefect.example/api",
    }
    said = ui_settings(store, given, auth=("admin", "pass")).json()

    assert (said["auth"], said["csrf_enabled"]) == ("BASIC", True)
    assert said["api_url"] == "https://prefect.example/api"


def test_it_is_only_said_to_who_may_come_in(store):
    assert ui_settings(store, PASSWORD).status_code == 401
