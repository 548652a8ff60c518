"""The incident in shared/README.md is what the command prints."""

import re

from shared.adapters.compilers.interpreters import find_installed_versions
from tests.support.readme import mask_versions, read_block, render_example


def test_the_example_is_what_the_command_prints() -> None:
    if {"3.11", "3.12"} <= set(find_installed_versions()):
        assert mask_versions(render_example()) in mask_versions(read_block("incident"))
    else:  # without those interpreters ruff decides, in other words; the decision is the same
        decision = re.compile(r"REDEPLOY [0-9a-f]{40}")
        assert decision.findall(render_example()) == decision.findall(read_block("incident")) != []
