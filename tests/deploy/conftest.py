"""Deployments that several tests look at, made once."""

from pathlib import Path

import pytest

from tests.deploy.deployment import ONE, THREE, Resource, applied, state, working
from tests.deploy.terraform import Working


@pytest.fixture(scope="session")
def one(tmp_path_factory: pytest.TempPathFactory) -> Working:
    """One service in one project, deployed."""
    return _deployed(tmp_path_factory.mktemp("one"), ONE)


@pytest.fixture(scope="session")
def three(tmp_path_factory: pytest.TempPathFactory) -> Working:
    """Three services in two projects, deployed."""
    return _deployed(tmp_path_factory.mktemp("three"), THREE)


@pytest.fixture(scope="session")
def one_state(one: Working) -> list[Resource]:
    return state(one)


@pytest.fixture(scope="session")
def three_state(three: Working) -> list[Resource]:
    return state(three)


def _deployed(folder: Path, config: str) -> Working:
    here = working(folder, config, alert_emails=["oncall@acme.example"])
    applied(here)
    return here
