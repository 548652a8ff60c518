"""The configuration on later versions of the google provider, each by its published schema: the same comes to be."""

from pathlib import Path

import pytest

from tests.support.deploy.deployment import THREE_SERVICES, apply_deployment, prepare_deployment
from tests.support.deploy.google_schema import WHEELS
from tests.support.deploy.inventory import EXPECTED, inventory_lines


@pytest.mark.parametrize("version", WHEELS)
def test_the_same_comes_to_be_on_another_version_of_the_provider(tmp_path: Path, version: str) -> None:
    here = prepare_deployment(tmp_path, THREE_SERVICES, google=version, alert_emails=["oncall@acme.example"])
    here.run_checked("validate", "-no-color")
    assert f"v{version}" in here.run_checked("version", "-no-color")
    state = inventory_lines(apply_deployment(here))
    assert state == (EXPECTED / "three.txt").read_text("utf-8").splitlines()
