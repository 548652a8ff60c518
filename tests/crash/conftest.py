"""Compilers for the tests that prove for real."""

from collections.abc import Iterator

import pytest

from shared.adapters.compilers.found import FoundCompilers


@pytest.fixture(scope="session")
def compilers() -> Iterator[FoundCompilers]:
    with FoundCompilers() as found:
        yield found
