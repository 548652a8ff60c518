"""Words that say nothing to a reader stand in no sentence of the product: command, page, chat, issue, configuration."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLES = ("example_apps.py", "example_files.py", "example_module.py", "runtime_failure.py")
"""Sources of the demo's services: their authors' words, from which ids of commits follow."""
SOURCES = sorted(
    path for folder in ("functions", "shared") for path in (ROOT / folder).rglob("*.py") if path.name not in EXAMPLES
)
TEMPLATES = sorted((ROOT / "functions/local/page/templates").glob("*.html"))
_WORDS = r"mend(?:s|ed|ing)?|whoever|somebody|amiss|heed(?:s|ed)?|is told|told apart|can tell|way out"
REFUSED = re.compile(rf"\b(?:{_WORDS}|how (?:it|things) stands?)\b", re.IGNORECASE)
_PATTERN = re.compile(r"\(\?[:P=!<]|\\[bdsw]")
"""A string that is a regular expression: it reads other people's words."""


def list_sentences(path: Path) -> Iterator[str]:
    """Strings of more than one word that are neither docstrings nor regular expressions."""
    tree = ast.parse(path.read_text("utf-8"))
    documented = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    values = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in documented)
    for node in values:
        text = node.value if isinstance(node.value, str) else ""
        if " " in text.strip() and "|mend" not in text and not _PATTERN.search(text):
            yield text


def test_no_sentence_says_what_nobody_says() -> None:
    wrong = {
        f"{path.relative_to(ROOT)}: {sentence[:80]}"
        for path in SOURCES
        for sentence in list_sentences(path)
        if REFUSED.search(sentence)
    }
    assert wrong == set()


def test_no_template_and_no_example_does() -> None:
    files = (*TEMPLATES, ROOT / "provenfix.example.yaml", ROOT / "README.md")
    assert [path.name for path in files if REFUSED.search(path.read_text("utf-8"))] == []


def test_a_sentence_would_be_seen(tmp_path: Path) -> None:
    file = tmp_path / "code.py"
    file.write_text('"""Whoever reads this."""\nTEXT = f"{1} whoever mends it"\nNAME = "mends"\n', "utf-8")
    assert [REFUSED.findall(sentence) for sentence in list_sentences(file)] == [["whoever", "mends"]]
