"""Terraform without a network: a folder of configuration comes in; verdicts, plans and states go out.

The google provider is a stand-in behind a filesystem mirror that serves the published schema of the real one. Without
`terraform` on the machine the tests skip, and fail where `CI=true`.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.deploy import google_schema
from tests.support.deploy.tools import install_programs

ROOT = Path(__file__).resolve().parents[3]
CONFIGURATION = ROOT / "terraform"
_BUILD = ROOT / "build/terraform"
_USED = re.compile(r'^\s*(resource|data) "(google_\w+)"', re.M)
_ADDRESS = re.compile(r"provider\[([\w.]+/hashicorp)/google\]")
TIME_VERSION = "0.13.1"
_ARGUMENT = {"mode": "optional", "values": []}
_TIME_SCHEMA = {
    "provider": {"attributes": {}, "blocks": {}},
    "resources": {
        "time_sleep": {
            "attributes": {
                "id": {"type": "string", "mode": "computed", "values": []},
                "create_duration": {"type": "string", **_ARGUMENT},
                "destroy_duration": {"type": "string", **_ARGUMENT},
                "triggers": {"type": ["map", "string"], **_ARGUMENT},
            },
            "blocks": {},
        }
    },
    "data": {},
}
"""Of hashicorp/time, as its documentation lists it."""
_PERSONAL = shutil.ignore_patterns(".terraform*", "*.tfstate*", "*.tfvars*", "backend.tf")
"""What a user who deploys from this folder may have in it."""
_PROGRAM = Path(__file__).with_name("provider_program.py")


def terraform_program() -> str:
    """Where `terraform` is. Skips the test where it is not, and fails it in CI."""
    program = shutil.which("terraform")
    if program is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(
            "terraform is not on PATH: needs 1.11 or newer"
        )
    return program


@dataclass(frozen=True, slots=True)
class Ran:
    """One command of Terraform."""

    code: int
    told: str
    """What it wrote, both streams."""


class TerraformFolder:
    """A working folder with its own copy of the configuration."""

    def __init__(self, folder: Path, source: Path = CONFIGURATION, google: str = google_schema.VERSION) -> None:
        """`google` is the version of the provider.

        The copy keeps its place beside `shared`, so that relative paths lead to where they lead here.
        """
        self.folder = folder / source.name
        shutil.copytree(source, self.folder, ignore=_PERSONAL)
        self._environment = dict(os.environ) | {
            "TF_CLI_CONFIG_FILE": str(mirror(self.folder, google)),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            "HOME": str(folder),
            "GOGC": "400",  # memory is collected seldom: a command lives for seconds
        }

    def run(self, *arguments: str) -> Ran:
        """Runs `terraform ARGUMENTS` and returns, whatever it says."""
        done = subprocess.run(
            [terraform_program(), *arguments],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
            check=False,
        )
        return Ran(done.returncode, done.stdout.decode("utf-8", "replace"))

    def run_checked(self, *arguments: str) -> str:
        """The same; what it wrote, where it succeeded. Fails the test otherwise."""
        ran = self.run(*arguments)
        assert ran.code == 0, f"terraform {' '.join(arguments)}:\n{ran.told}"
        return ran.told

    def init(self) -> "TerraformFolder":
        self.run_checked("init", "-backend=false", "-input=false", "-no-color")
        return self

    def show_json(self, *arguments: str) -> Any:
        """`terraform show -json`."""
        return json.loads(self.run_checked("show", "-json", *arguments))


def sources(folder: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The types that a configuration names: resources and data sources."""
    types = [match for file in sorted(folder.glob("*.tf")) for match in _USED.findall(file.read_text("utf-8"))]
    return tuple(tuple(sorted({name for kind, name in types if kind == wanted})) for wanted in ("resource", "data"))  # type: ignore[return-value]


def mirror(folder: Path, google: str = google_schema.VERSION) -> Path:
    """Terraform's own configuration file, which leads to a mirror with the stand-in for the types of `folder`."""
    schema = google_schema.render_schema(*sources(folder), google)
    told = json.dumps([google, schema, _TIME_SCHEMA], sort_keys=True)
    schema_folder = _BUILD / hashlib.sha256(told.encode()).hexdigest()[:16]
    _write_provider(schema_folder, "google", google, schema)
    _write_provider(schema_folder, "time", TIME_VERSION, _TIME_SCHEMA)
    configuration = schema_folder / "terraformrc"
    lines = f'provider_installation {{\n  filesystem_mirror {{\n    path = "{schema_folder / "mirror"}"\n  }}\n}}\n'
    _write_if_changed(configuration, lines)
    return configuration


def _write_provider(folder: Path, name: str, version: str, schema: Mapping[str, Any]) -> None:
    plugin_folder = folder / "mirror" / _address() / name / version / "linux_amd64"
    plugin_folder.mkdir(parents=True, exist_ok=True)
    described = folder / f"{name}.json"
    _write_if_changed(described, json.dumps(schema, sort_keys=True))
    python = install_programs("provider") / "python"
    script = plugin_folder / f"terraform-provider-{name}_v{version}"
    _write_if_changed(script, f'#!/bin/sh\nexec "{python}" "{_PROGRAM}" "{described}"\n')
    script.chmod(0o755)


@cache
def _address() -> str:
    """The provider's full address, as Terraform itself completes the short one: a mirror's folders are named so."""
    told = subprocess.run(
        [terraform_program(), "providers"], cwd=CONFIGURATION, capture_output=True, check=True, timeout=60
    )
    match = _ADDRESS.search(told.stdout.decode())
    assert match is not None, told.stdout
    return match[1]


def _write_if_changed(file: Path, text: str) -> None:
    """Only where it differs: a running provider's files are left alone."""
    if not file.exists() or file.read_text("utf-8") != text:
        file.write_text(text, "utf-8")
