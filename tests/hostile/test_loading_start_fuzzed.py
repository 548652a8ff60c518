"""Hostile and random start scripts: reading what an image starts stays within bounds, and never raises."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.proof.declared.dockerfile_python import MAX_EXPANDED
from shared.proof.loading.dockerfile_stages import parse_stages
from shared.proof.loading.import_closure import find_import_closure
from shared.proof.loading.shell import MAX_COMMANDS, MAX_TEXT, split_commands
from tests.support.source_tree import FakeSourceTree


def test_variables_that_double_with_every_line_stay_bounded() -> None:
    stages = parse_stages("FROM x\n" + "ENV A=a$A$A\n" * 200)
    assert len(stages[-1].environment["A"]) == MAX_EXPANDED
    variables: dict[str, str] = {}
    assert not list(split_commands("A=a$A$A\n" * 200, variables))
    assert len(variables["A"]) <= MAX_TEXT


@pytest.mark.parametrize(
    "run", ["'", '"', "\\", "${", "${a-", "$(", "<", "a=", "&", '"$@" ', "(", "{ ", '\\"', "$a", "case in "]
)
def test_a_long_run_in_a_script_is_read_to_its_bounds(run: str) -> None:
    text = run * (65_536 // len(run))
    assert sum(1 for _ in split_commands(text, {"a": "b"}, ("x",))) <= MAX_COMMANDS


@given(st.text(max_size=300))
def test_no_text_makes_a_shell_reader_raise(text: str) -> None:
    assert all(words for words in split_commands(text, {}, ("x",)))


@given(
    st.lists(
        st.sampled_from(
            ["CMD ", "ENTRYPOINT ", "[", '"', "$", "{", "}", "&&", "uv run", "sh -c", "'", "\n", "./s.sh", "-m"]
        )
    )
)
def test_no_dockerfile_makes_a_search_raise(pieces: list[str]) -> None:
    text = "FROM x\nCOPY . .\nCMD " + " ".join(pieces)
    files = {"Dockerfile": text, "s.sh": text + "\n./s.sh\nsh s.sh", "main.py": "", json.dumps(pieces)[:50]: ""}
    assert "main.py" in find_import_closure(FakeSourceTree(files), "main.py").files
    assert len(parse_stages(text)) >= 1
