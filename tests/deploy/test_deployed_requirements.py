"""What the deployed functions install: pinned as everywhere else, with hashes, and enough for all that they import."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
PIN = re.compile(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==(\S+) \\$", re.MULTILINE)
OWN = {"functions", "shared", "pipe"}
"""`pipe` lies beside the `compile` function in its zip."""


def pins(name: str) -> dict[str, str]:
    return dict(PIN.findall((ROOT / name).read_text("utf-8")))


def shipped() -> Iterator[Path]:
    yield from (ROOT / "functions").glob("*.py")
    yield from (ROOT / "functions/http").glob("*.py")
    yield from (ROOT / "shared").rglob("*.py")


EXTRA = {"sigstore"}
"""In the zip only where provenfix.yaml names a signer by its identity: functions/signatures.txt."""
COMMANDS_ONLY = {"google.cloud.pubsub_v1"}
"""Imported by what only commands use (`provenfix dlq`): functions publish over REST."""


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level and node.module not in COMMANDS_ONLY:
            yield node.module.partition(".")[0]


def test_the_deployed_pins_are_those_of_everybody() -> None:
    everywhere, deployed = pins("requirements.txt"), pins("functions/requirements.txt")
    assert "functions-framework" in deployed
    assert {name: everywhere.get(name) for name in deployed} == deployed


def test_every_pin_has_hashes_and_no_address_is_named() -> None:
    text = (ROOT / "functions" / "requirements.txt").read_text("utf-8")
    hashed = re.findall(r"^([a-z0-9-]+)==\S+ \\\n    --hash=sha256:", text, re.MULTILINE)
    assert hashed == list(pins("functions/requirements.txt"))
    assert "://" not in text
    assert not re.search(r"^\s*--(?!hash)", text, re.MULTILINE)


def test_whatever_the_functions_import_is_installed_with_them() -> None:
    distributions, deployed = packages_distributions(), pins("functions/requirements.txt")
    names = {name for path in shipped() for name in imported(path)} - OWN - EXTRA - set(sys.stdlib_module_names)
    missing = {
        name
        for name in names
        if not any(each.lower().replace("_", "-") in deployed for each in distributions.get(name, []))
    }
    assert missing == set()


def test_the_command_line_is_not_deployed() -> None:
    assert {"typer", "rich", "pytest"} & set(pins("functions/requirements.txt")) == set()


def test_sigstores_library_is_in_the_zip_only_where_an_identity_signs() -> None:
    without, more = pins("functions/requirements.txt"), pins("functions/signatures.txt")
    assert "sigstore" in more
    assert "sigstore" not in without
    everywhere = pins("requirements.txt")
    assert {name: everywhere.get(name) for name in more} == more
    importing = {path.relative_to(ROOT).as_posix() for path in shipped() for name in imported(path) if name in EXTRA}
    assert importing == {"shared/adapters/signatures/keyless.py"}


def test_a_client_that_no_function_calls_is_not_deployed() -> None:
    assert "google-cloud-pubsub" not in pins("functions/requirements.txt")
    using = {
        path.relative_to(ROOT).as_posix()
        for path in shipped()
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.ImportFrom) and node.module in COMMANDS_ONLY
    }
    assert using == {"shared/adapters/google/dead_letters.py"}
    callers = [path for path in (ROOT / "functions").glob("*.py") if "dead_letters" in path.read_text("utf-8")]
    assert callers == []
