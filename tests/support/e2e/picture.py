"""`python -m tests.support.e2e.picture`: the demo's test is run, and the picture that it takes becomes the README's."""

import shutil
import sys

import pytest

from tests.e2e import test_demo_page as taken


def main() -> int:
    """The test's own exit code where it fails."""
    failed = int(pytest.main([taken.__file__, "-k", "one_click"]))
    if not failed:
        taken.README_PICTURE.parent.mkdir(exist_ok=True)
        shutil.copyfile(taken.PICTURE, taken.README_PICTURE)
    return failed


if __name__ == "__main__":
    sys.exit(main())
