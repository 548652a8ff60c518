"""Compilers for all tests of a run; and all traffic with GitHub held to its own description, whoever causes it."""

from collections.abc import Iterator

import pytest

from tests.fakes.github.described import Described, described
from tests.unit.conftest import compilers

__all__ = ["compilers"]


@pytest.fixture(scope="session", autouse=True)
def github_described() -> Iterator[Described]:
    with described() as held:
        yield held
