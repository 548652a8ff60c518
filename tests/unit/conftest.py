"""Compilers for all tests of a run: interpreters are started once."""

from collections.abc import Iterator

import pytest

from shared.adapters.compilers.found import FoundCompilers


@pytest.fixture(scope="session")
def compilers() -> Iterator[FoundCompilers]:
    with FoundCompilers() as found:
        yield found
