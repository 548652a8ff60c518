"""Terraform itself on the configuration: its form, its validity, its own tests; and a second plan changes nothing."""

import json
import re
import subprocess
from pathlib import Path

from tests.support.deploy.deployment import ONE_SERVICE, prepare_deployment
from tests.support.deploy.terraform import CONFIGURATION, ROOT, TerraformFolder, terraform_program


def test_the_files_have_terraforms_own_form() -> None:
    done = subprocess.run(
        [terraform_program(), "fmt", "-check", "-recursive", "-diff"],
        cwd=CONFIGURATION,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout.decode()


def test_it_is_valid_and_its_plan_adds_and_destroys_nothing_else(three: TerraformFolder) -> None:
    """After an apply there is nothing left to change: no argument is one that the provider would say otherwise."""
    assert json.loads(three.run_checked("validate", "-json")) | {"format_version": ""} == {
        "format_version": "",
        "valid": True,
        "error_count": 0,
        "warning_count": 0,
        "diagnostics": [],
    }
    assert "No changes" in three.run_checked("plan", "-input=false", "-detailed-exitcode", "-no-color")


def test_terraforms_own_tests_pass(tmp_path: Path) -> None:
    here = prepare_deployment(tmp_path, ONE_SERVICE)
    told = here.run_checked("test", "-no-color")
    runs = re.search(r"(\d+) passed, 0 failed", told)
    declared = sum(file.read_text("utf-8").count('\nrun "') for file in (CONFIGURATION / "tests").glob("*.tftest.hcl"))
    assert runs is not None, told
    assert int(runs[1]) == declared > 5


def test_nothing_in_the_repository_names_a_registry() -> None:
    """The lock file of the provider would: it stays outside of git, and the short source address stands for it."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, timeout=60).stdout
    names = [Path(name.decode()) for name in listed.split(b"\0") if name]
    assert not [name for name in names if name.name == ".terraform.lock.hcl" or name.suffix == ".tfstate"]
    files = [name for name in names if name.parts[0] == "terraform"]
    assert files
    for name in files:
        assert not re.search(r"\bregistry\.[a-z]+\.(io|org|com)\b", (ROOT / name).read_text("utf-8")), name


def test_data_is_kept_unless_somebody_says_otherwise(one: TerraformFolder) -> None:
    """`terraform destroy` alone cannot delete the ledger; README.md tells the two steps of an uninstall."""
    plan = one.run_checked("plan", "-input=false", "-no-color", "-var", "keep_data=false")
    assert 'delete_protection_state           = "DELETE_PROTECTION_ENABLED" -> "DELETE_PROTECTION_DISABLED"' in plan
    assert 'deletion_policy                   = "ABANDON" -> "DELETE"' in plan
    assert "0 to add, 1 to change, 0 to destroy" in plan
