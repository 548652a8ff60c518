"""Deployments that several tests look at, made once."""

from pathlib import Path

import pytest

from tests.support.deploy.deployment import (
    ONE_SERVICE,
    THREE_SERVICES,
    Resource,
    apply_deployment,
    prepare_deployment,
    read_state,
)
from tests.support.deploy.terraform import TerraformFolder


@pytest.fixture(scope="session")
def one(tmp_path_factory: pytest.TempPathFactory) -> TerraformFolder:
    """One service in one project, deployed."""
    return _deployed(tmp_path_factory.mktemp("one"), ONE_SERVICE)


@pytest.fixture(scope="session")
def three(tmp_path_factory: pytest.TempPathFactory) -> TerraformFolder:
    """Three services in two projects, deployed."""
    return _deployed(tmp_path_factory.mktemp("three"), THREE_SERVICES)


@pytest.fixture(scope="session")
def one_state(one: TerraformFolder) -> list[Resource]:
    return read_state(one)


@pytest.fixture(scope="session")
def three_state(three: TerraformFolder) -> list[Resource]:
    return read_state(three)


def _deployed(folder: Path, config: str) -> TerraformFolder:
    here = prepare_deployment(folder, config, alert_emails=["oncall@acme.example"])
    apply_deployment(here)
    return here
