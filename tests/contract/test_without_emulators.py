"""On a machine without the emulators a test that needs them says what to install: it skips, and in CI it fails."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ONE_TEST = "tests/contract/test_store.py::test_a_document_reads_as_it_was_written[firestore]"
COMMAND = "gcloud components install pubsub-emulator cloud-firestore-emulator"


@pytest.mark.parametrize(("ci", "counted"), [("true", "1 error"), ("", "1 skipped")], ids=["CI", "elsewhere"])
def test_a_missing_emulator_skips_a_test_but_fails_it_in_ci(tmp_path: Path, ci: str, counted: str) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs", ONE_TEST]
    environment = {"PATH": str(tmp_path), "CI": ci}
    ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert counted in ended.stdout
    assert COMMAND in " ".join(ended.stdout.split())
    assert ended.returncode == (1 if ci else 0)
