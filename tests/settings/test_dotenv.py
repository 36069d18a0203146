"""`.env` files, as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect.exceptions import ConfigurationError
from prefect.settings.sources import read_dotenv

line_text = st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\u2028\u2029\x85"))


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("dotenv") / ".env"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("PREFECT_A=x", "x"),
        ("  export PREFECT_A = x  ", "x"),
        ("PREFECT_A='x # y'  # comment", "x # y"),
        ("PREFECT_A=x#y # comment", "x#y"),
        ('PREFECT_A="a \\"b\\" \\n c"', 'a "b" \n c'),
        ("PREFECT_A=", ""),
        ("PREFECT_A= # nothing", ""),
        ("PREFECT_A=a=b", "a=b"),
        ("PREFECT_A=x\r", "x"),
        ("PREFECT_A=1\nPREFECT_A=2", "2"),
    ],
)
def test_lines(line, value, path):
    path.write_bytes(f"# PREFECT_A=commented\n\nOTHER=1\n{line}\nLAST".encode())

    assert read_dotenv(path) == {"PREFECT_A": value}


@given(line_text)
def test_what_is_quoted_reads_back(path, value):
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    path.write_text(f'PREFECT_A="{escaped}"\nPREFECT_B=b\n', encoding="utf-8")

    assert read_dotenv(path) == {"PREFECT_A": value, "PREFECT_B": "b"}


@given(st.text(st.characters(blacklist_categories=["Cs"])))
def test_any_file_is_read(path, text):
    path.write_text(text, encoding="utf-8")

    assert all(name.startswith("PREFECT_") for name in read_dotenv(path))


def test_files_that_are_none(path, tmp_path):
    assert read_dotenv(tmp_path / "nothing") == read_dotenv(tmp_path) == {}

    path.write_bytes(b"PREFECT_A=\xff")
    with pytest.raises(ConfigurationError, match=r"\.env cannot be read"):
        read_dotenv(path)
