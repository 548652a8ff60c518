"""The wheel's list of packages: every package of the checkout, below `provenfix`."""

import tomllib

from setuptools import find_packages

from functions.local.stack.python_child import ROOT

LAUNCHER = "functions.launcher"
"""The package `provenfix` itself."""


def test_the_wheel_holds_every_package_of_the_checkout() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
    found = {*find_packages(str(ROOT), include=["functions*", "shared*"])} - {LAUNCHER}
    assert {*listed} == {"provenfix", *(f"provenfix.{name}" for name in found)}
