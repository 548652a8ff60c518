"""The fixtures of the steps."""

import pytest

from tests.support.harness import Harness


@pytest.fixture
def harness() -> Harness:
    """Every port as a fake, with one service."""
    return Harness()
