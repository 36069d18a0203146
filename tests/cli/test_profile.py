"""`prefect profile`."""

from __future__ import annotations

import pytest


def test_a_profile_s_life(prefect):
    assert "Created profile 'a'." in prefect("profile", "create", "a").out
    assert prefect("profile", "use", "a").out == "Profile 'a' now active.\n"
    prefect("config", "set", "PREFECT_API_URL=http://a")
    assert prefect("profile", "inspect").out == "PREFECT_API_URL='http://a'\n"

    assert "Created profile 'b' from 'a'." in prefect("profile", "create", "b", "--from", "a").out
    assert prefect("profile", "inspect", "b", "--output", "json").json() == {"PREFECT_API_URL": "http://a"}

    assert prefect("profile", "rename", "a", "c").out == "Renamed profile 'a' to 'c'.\n"
    assert prefect("profile", "ls", "-o", "json").json() == [
        {"name": "b", "active": False},
        {"name": "c", "active": True},
        {"name": "ephemeral", "active": False},
        {"name": "local", "active": False},
        {"name": "test", "active": False},
    ]
    assert prefect("profile", "delete", "b", "-y").out == "Removed profile 'b'.\n"


def test_profiles_are_listed_for_people(prefect):
    out = prefect("profile", "ls").out

    assert [name for name in ("ephemeral", "local", "test") if name in out] == ["ephemeral", "local", "test"]
    assert out.count("*") == 1


def test_an_empty_profile_says_so(prefect):
    assert prefect("profile", "inspect", "ephemeral").out == "Profile 'ephemeral' is empty.\n"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["create", "local"], "Profile 'local' already exists."),
        (["create", "x", "--from", "zz"], "Profile 'zz' not found. There are ephemeral, local, test."),
        (["create", ""], "A profile's name must hold something that can be read"),
        (["rename", "local", "a\nb"], "A profile's name must hold something that can be read"),
        (["use", "zz"], "Profile 'zz' not found."),
        (["inspect", "zz"], "Profile 'zz' not found."),
        (["rename", "zz", "x"], "Profile 'zz' not found."),
        (["rename", "local", "test"], "Profile 'test' already exists."),
        (["rename", "local", "x"], "Profile 'local' is always there"),
        (["delete", "local"], "Profile 'local' is always there"),
        (["delete", "zz"], "Profile 'zz' not found."),
    ],
)
def test_what_cannot_be_done_is_said(words, complaint, prefect, home):
    assert prefect("profile", *words, code=1).err.startswith(complaint)
    assert not home.exists()


def test_the_active_profile_is_not_deleted(prefect):
    prefect("profile", "create", "a")
    prefect("profile", "use", "a")

    assert "You must switch profiles" in prefect("profile", "delete", "a", code=1).err
