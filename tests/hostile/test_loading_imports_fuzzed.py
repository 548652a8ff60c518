"""Hostile and random sources: reading imports takes time in proportion to their length, and never raises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.proof.loading.imports import parse_imports
from shared.proof.loading.source_text import split_source


@given(st.binary(max_size=400))
def test_no_bytes_make_the_reader_raise(source: bytes) -> None:
    assert parse_imports(source) == parse_imports(source)


@given(
    st.lists(
        st.sampled_from(
            ["import a", "'", '"', '"""', "'''", "\\", "\n", "#", "f'{", "from", ".", "(", "if TYPE_CHECKING:", " "]
        )
    )
)
def test_taking_a_text_apart_keeps_its_lines_and_never_raises(pieces: list[str]) -> None:
    text = "".join(pieces)
    code = split_source(text.encode()).code
    assert code[: len(text)].count("\n") == text.count("\n")
    parse_imports(text.encode())


RUNS = [
    "'",
    '"',
    '\\"""\n',
    "\\",
    "from .",
    "from a.",
    "import a.",
    "import a,",
    "(",
    "if TYPE_CHECKING:\n",
    "import_module(",
    "from from ",
    "f'{",
    "__all__=[",
    " ",
    "\n",
    "a.import_module('a.' ",
    "'\\\n",
    '"""\\',
    "sys.path +",
    "for a in b:",
    "import_module(a)\na=b;b=a;",
    "sys.path.append(a)\na = 'b'\n",
    "'-m',",
    "'python a.py -m b',",
    "getLogger('a.b')",
    "__all__ = a + ",
    "import_module as a\na(",
]


@pytest.mark.parametrize("run", RUNS)
def test_time_grows_with_the_length_of_hostile_runs(run: str) -> None:
    """A quarter of a MiB of any run is read; one that took squared time would not end within the test's patience."""
    source = (run * (262_144 // len(run))).encode()
    assert len(split_source(source).strings) <= len(source)
    parse_imports(source)
