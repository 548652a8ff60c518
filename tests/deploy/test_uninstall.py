"""An uninstall in the two steps of terraform/README.md takes away all that an apply made."""

from pathlib import Path

from tests.support.deploy.deployment import ONE_SERVICE, apply_deployment, prepare_deployment


def test_everything_goes_and_data_only_when_it_was_said(tmp_path: Path) -> None:
    here = prepare_deployment(tmp_path, ONE_SERVICE)
    before = apply_deployment(here)
    assert len(before) > 100
    here.run_checked("apply", "-auto-approve", "-input=false", "-no-color", "-var", "keep_data=false")
    told = here.run_checked("destroy", "-auto-approve", "-input=false", "-no-color", "-var", "keep_data=false")
    assert f"{len(before)} destroyed" in told
    assert "resources" not in here.show_json().get("values", {}).get("root_module", {})
