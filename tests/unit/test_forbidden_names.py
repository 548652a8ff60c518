"""The check of names and words, on a small tree: what it reports, and what it leaves alone."""

from pathlib import Path

from tests.support.forbidden_names import find_forbidden_names

SOURCE = '''"""Whoever calls this gets `told`."""

TEXT = "told"


def told(each: int) -> int:
    """Returns the number."""
    return each  # as somebody asked
'''


def test_names_and_words_are_reported_and_strings_are_not(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/grammar.py").write_text(SOURCE, "utf-8")
    hits = [hit.partition(" -> ")[0] for hit in find_forbidden_names(tmp_path)]
    assert sorted(hits) == [
        "shared/grammar.py:1: module grammar",
        "shared/grammar.py:1: word whoever",
        "shared/grammar.py:6: function told",
        "shared/grammar.py:6: parameter each",
        "shared/grammar.py:8: word somebody",
    ]
