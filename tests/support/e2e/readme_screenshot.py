"""Runs the demo's test and makes its picture the README's: `python -m tests.support.e2e.readme_screenshot`."""

import shutil
import sys

import pytest

from functions.local.server_process import CODE_ROOT

TEST = CODE_ROOT / "tests" / "e2e" / "test_demo_page.py"
PICTURE = CODE_ROOT / "build" / "page" / "demo.png"
README_PICTURE = CODE_ROOT / "tests" / "golden" / "page.png"


def main() -> int:
    """The test's own exit code where it fails."""
    failed = int(pytest.main([str(TEST), "-k", "one_click"]))
    if not failed:
        README_PICTURE.parent.mkdir(exist_ok=True)
        shutil.copyfile(PICTURE, README_PICTURE)
    return failed


if __name__ == "__main__":
    sys.exit(main())
