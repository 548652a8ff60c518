"""All traffic with GitHub held to its own description, whoever causes it."""

from collections.abc import Iterator

import pytest

from tests.support.github.described import Described, described


@pytest.fixture(scope="session", autouse=True)
def github_described() -> Iterator[Described]:
    with described() as held:
        yield held
