"""The README shows what the product does today."""

import re
from pathlib import Path

from shared.adapters.compilers.interpreters import installed_versions
from tests.support.readme import README, mask_versions, read_readme, render_example


def test_the_example_is_what_the_command_prints() -> None:
    if {"3.11", "3.12"} <= set(installed_versions()):
        assert mask_versions(render_example()) in mask_versions(read_readme())
    else:  # without those interpreters ruff decides, in other words; the decision is the same
        decision = re.compile(r"REDEPLOY [0-9a-f]{40}")
        assert decision.findall(render_example()) == decision.findall(read_readme()) != []


def test_every_linked_file_is_there() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README.read_text("utf-8"))
    assert links
    assert [link for link in links if not Path(README.parent, link).exists()] == []


def test_every_option_of_the_commands_is_named() -> None:
    text = README.read_text("utf-8")
    for module in ("investigate", "check", "demo", "watch"):
        source = Path(README.parent, "functions/cli", f"{module}.py").read_text("utf-8")
        names = re.findall(r"^    (\w+): Annotated", source, re.MULTILINE)
        spelled = {"output": "--format", "paths": "[PATHS]", "browser": "--no-browser"}
        missing = [name for name in names if spelled.get(name, "--" + name.replace("_", "-")) not in text]
        assert missing == []


def test_the_state_diagram_is_the_one_that_the_code_is_held_to() -> None:
    drawn = Path(README.parent, "shared/workflow/flow.md").read_text("utf-8").strip()
    assert f"<!-- flow:begin -->\n{drawn}\n<!-- flow:end -->" in README.read_text("utf-8")
