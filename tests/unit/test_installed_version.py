"""The version that a folder's name tells is the one of the metadata."""

import importlib.metadata
import sys
from pathlib import Path

import pytest

from shared.installed_version import find_installed_version


@pytest.mark.parametrize("name", ["ruff", "ty", "provenfix", "typer"])
def test_it_is_the_version_of_the_metadata(name: str) -> None:
    assert find_installed_version(name) == importlib.metadata.version(name)


def test_what_is_not_installed_has_none() -> None:
    assert find_installed_version("no-such-harbour") == ""


def test_a_name_that_begins_alike_is_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "harbour_tides-2.0.dist-info").mkdir()
    (tmp_path / "harbour-1.4.dist-info").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path / "gone"), str(tmp_path)])
    assert find_installed_version("harbour") == "1.4"
