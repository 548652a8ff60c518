"""The documents show the product as it is today, and lead to files that exist."""

import re
from pathlib import Path

import pytest

from shared.config.loader import read_configuration
from tests.support.readme import BLOCKS, DOCUMENTS, README, ROOT, mark_block, read_block

MOST_LINES = 150
_LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def names(documents: tuple[Path, ...]) -> list[str]:
    return [document.relative_to(ROOT).as_posix() for document in documents]


def anchors(document: Path) -> set[str]:
    """Returns the anchors that the code host makes of a document's headings."""
    headings = _HEADING.findall(_FENCED.sub("", document.read_text("utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(document: Path) -> list[tuple[Path, str]]:
    """Returns the file and the anchor of each link to this repository."""
    found = _LINK.findall(_FENCED.sub("", document.read_text("utf-8")))
    return [(document.parent / path if path else document, anchor) for path, anchor in found]


def test_the_readme_is_one_page() -> None:
    assert len(README.read_text("utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("document", DOCUMENTS, ids=names(DOCUMENTS))
def test_every_linked_file_and_heading_is_there(document: Path) -> None:
    linked = links(document)
    assert [str(target) for target, _ in linked if not target.exists()] == []
    headings = [(target, anchor) for target, anchor in linked if anchor]
    assert [(str(target), anchor) for target, anchor in headings if anchor not in anchors(target)] == []


def test_the_readme_leads_to_every_document() -> None:
    linked = {target.resolve() for target, _ in links(README)}
    assert {document for document in DOCUMENTS if document != README} <= linked


def test_every_block_stands_once_and_where_the_table_says() -> None:
    markers = [
        (name, document.relative_to(ROOT).as_posix())
        for document in DOCUMENTS
        for name in re.findall(r"<!-- (\w+):begin -->", document.read_text("utf-8"))
    ]
    assert sorted(each for each in markers if each[0] in BLOCKS) == sorted(BLOCKS.items())


def test_every_option_of_the_commands_is_named() -> None:
    text = (ROOT / "functions/README.md").read_text("utf-8")
    for module in ("investigate", "check", "demo", "watch"):
        source = (ROOT / "functions/cli" / f"{module}.py").read_text("utf-8")
        options = re.findall(r"^    (\w+): Annotated", source, re.MULTILINE)
        assert options
        spelled = {"output": "--format", "paths": "[PATHS]", "browser": "--no-browser"}
        missing = [name for name in options if spelled.get(name, "--" + name.replace("_", "-")) not in text]
        assert missing == []


@pytest.mark.parametrize("document", ["README.md", "functions/README.md"])
def test_every_example_of_the_configuration_is_valid(document: str, tmp_path: Path) -> None:
    shown = re.findall(r"```yaml\n(.*?)```", (ROOT / document).read_text("utf-8"), re.DOTALL)
    assert shown
    for number, text in enumerate(shown):
        file = tmp_path / f"{number}.yaml"
        file.write_text(text, "utf-8")
        assert read_configuration(file).services


def test_the_state_diagram_is_the_one_that_the_code_is_held_to() -> None:
    diagram = (ROOT / "shared/workflow/flow.md").read_text("utf-8").strip()
    assert read_block("flow") == mark_block("flow", f"{diagram}\n")
