"""Directories for results, kept under a name."""

from __future__ import annotations

import asyncio

import pytest

from prefect import flow
from prefect.filesystems import LocalFileSystem


def test_a_directory_is_kept_under_a_name(tmp_path):
    directory = LocalFileSystem(basepath=tmp_path / "results")
    directory.save("results")

    assert LocalFileSystem.load("results") == directory
    assert asyncio.run(LocalFileSystem.aload("results")) == directory
    with pytest.raises(ValueError, match="`overwrite=True`"):
        directory.save("results")
    LocalFileSystem(basepath=tmp_path).save("results", overwrite=True)
    assert LocalFileSystem.load("results").basepath == str(tmp_path)


def test_results_go_to_a_directory_by_its_name(tmp_path):
    LocalFileSystem(basepath=tmp_path / "results").save("results")

    @flow(persist_result=True, result_storage="local-file-system/results")
    def answer() -> int:
        return 42

    assert answer() == 42
    assert len(list((tmp_path / "results").rglob("*"))) == 1


def test_what_is_no_directory_is_refused():
    for name in ("s3-bucket/mine", "local-file-system/nope"):
        with pytest.raises(ValueError, match=r"is supported yet|Unable to find"):

            @flow(persist_result=True, result_storage=name)
            def answer() -> int:
                return 42

            answer()
