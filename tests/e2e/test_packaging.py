"""The wheel's list of packages: every package of the checkout, below `provenfix`."""

import tomllib

from setuptools import find_packages

from functions.cli.access import ACCESS_FILE
from functions.local.server_process import CODE_ROOT

LAUNCHER = "functions.launcher"
"""The package `provenfix` itself."""


def test_the_wheel_holds_every_package_of_the_checkout() -> None:
    listed = tomllib.loads((CODE_ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
    found = {*find_packages(str(CODE_ROOT), include=["functions*", "shared*"])} - {LAUNCHER}
    assert {*listed} == {"provenfix", "provenfix.terraform", *(f"provenfix.{name}" for name in found)}


def test_the_wheel_holds_what_the_commands_read_beside_the_code() -> None:
    """Below `provenfix` it lies as far from the code as in the checkout."""
    setuptools = tomllib.loads((CODE_ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    assert setuptools["package-dir"]["provenfix.terraform"] == ACCESS_FILE.parent.relative_to(CODE_ROOT).as_posix()
    assert {"*.tf", "manifests/*"} <= {*setuptools["package-data"]["provenfix.terraform"]}
    assert {"requirements.txt", "signatures.txt"} <= {*setuptools["package-data"]["provenfix.functions"]}
    assert ACCESS_FILE.name in setuptools["package-data"]["provenfix.terraform"]
