"""All traffic with GitHub held to its own description, whoever causes it."""

from collections.abc import Iterator

import pytest

from tests.support.github.api_description import DescriptionChecker, check_traffic


@pytest.fixture(scope="session", autouse=True)
def github_described() -> Iterator[DescriptionChecker]:
    with check_traffic() as held:
        yield held
