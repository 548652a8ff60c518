"""Sources on which CPython's minor versions differ, or that few tools judge as CPython does.

In: nothing. Out: `load_corpus()`, bytes by name. Every source is put to every version: what is new in one is wrong
before, what is removed in one is right before.
"""

from tests.support.syntax_corpus import bytes_and_lines, fstrings, new_syntax, old_syntax, semantics, shapes


def load_corpus() -> dict[str, bytes]:
    """All sources by a name that says what is in them."""
    parts = [
        new_syntax.sources(),
        old_syntax.sources(),
        fstrings.sources(),
        semantics.sources(),
        bytes_and_lines.sources(),
        shapes.sources(),
    ]
    corpus = {name: source for part in parts for name, source in part.items()}
    assert len(corpus) == sum(len(part) for part in parts), "two sources share a name"
    return corpus
