"""checkov's policies for Terraform hold, and each that does not apply says why beside the resource."""

import json
import re
import subprocess

from tests.support.deploy.terraform import CONFIGURATION
from tests.support.deploy.tools import install_programs

_SKIP = re.compile(r"#\s*checkov:skip=(CKV_\w+):(.*)")


def test_every_policy_holds_or_says_why_not() -> None:
    done = subprocess.run(
        [
            *(install_programs("checkov") / "python", install_programs("checkov") / "checkov"),
            *(
                "--directory",
                str(CONFIGURATION),
                "--framework",
                "terraform",
                "--skip-download",
                "--skip-path",
                "examples",
                "--output",
                "json",
            ),
        ],
        capture_output=True,
        check=False,
        timeout=300,
    )
    found = json.loads(done.stdout)
    results, summary = found["results"], found["summary"]
    assert [(one["check_id"], one["resource"]) for one in results["failed_checks"]] == []
    assert summary["parsing_errors"] == 0
    assert summary["passed"] > 20
    reasons = sorted(
        (f"/{file.name}", check, why)
        for file in CONFIGURATION.glob("*.tf")
        for check, why in _SKIP.findall(file.read_text("utf-8"))
    )
    skipped = sorted((one["file_path"], one["check_id"]) for one in results["skipped_checks"])
    assert [(file, check) for file, check, _ in reasons] == skipped, "a reason for a policy that would hold anyway"
    assert all(len(why.split()) > 3 for _, _, why in reasons), reasons
