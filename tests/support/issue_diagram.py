"""The diagram in an issue's body, and the grammar that it keeps."""

import re
from itertools import pairwise

from tests.support.hostile_report import GITHUB_MARKDOWN


def extract_diagram(text: str) -> list[str]:
    return next(token.content for token in GITHUB_MARKDOWN.parse(text) if token.info == "mermaid").splitlines()


def assert_diagram(lines: list[str]) -> None:
    """The part of Mermaid's grammar for sequence diagrams that is used, with nothing but words where words belong."""
    words = r"(?:[\w .,/()+'-]|@\u200b|#\d+;|<br/>)+"
    statement = rf"    (?:title {words}|participant [RSC] as {words}|Note over [RS]: {words}|S--xC: {words})"
    assert lines[0] == "sequenceDiagram"
    assert [line for line in lines[1:] if not re.fullmatch(statement, line)] == []
    declared = [line.split()[1] for line in lines if line.startswith("    participant")]
    assert all(a < b or (a, b) == ("R", "S") or b == "C" for a, b in pairwise(declared))
    assert "C" in declared or not any("--xC" in line for line in lines)
