"""All traffic with GitHub held to its own description, whatever causes it; and a process that has run for long."""

from collections.abc import Iterator

import pytest

from shared.adapters.google import errors
from tests.support.github.api_description import DescriptionChecker, check_traffic


@pytest.fixture(scope="session", autouse=True)
def github_described() -> Iterator[DescriptionChecker]:
    with check_traffic() as held:
        yield held


@pytest.fixture(autouse=True)
def process_has_run_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a missing permission is final, as it is ten minutes after the start."""
    monkeypatch.setattr(errors, "PROCESS_START", float("-inf"))
