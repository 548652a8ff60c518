"""Which paths a source names, without running it: what is certain, and nothing else."""

import ast

import pytest

from shared.proof.claims.files.path_expressions import PathReader

CERTAIN = {
    "open('data/a.json')": "/srv/data/a.json",
    "open('/srv/x/../a.json')": "/srv/a.json",
    "open(os.path.join('data', 'a.json'))": "/srv/data/a.json",
    "open(os.path.join(os.path.dirname(__file__), 'a.json'))": "/srv/app/a.json",
    "open(os.path.dirname(os.path.abspath(__file__)) + '/a.json')": "/srv/app/a.json",
    "(Path(__file__).parent / 'a.json').read_text()": "/srv/app/a.json",
    "Path(__file__).resolve().parents[1].joinpath('data', 'a.json').open()": "/srv/data/a.json",
    "open(f'data/{NAME}.json')": "/srv/data/tide.json",
    "open(ROOT / 'a.json')": "/srv/app/a.json",
    "open(os.getcwd() + '/a.json')": "/srv/a.json",
    "open(str(Path('data', 'a.json')))": "/srv/data/a.json",
}
UNCERTAIN = (
    "open(path)",
    "open(os.path.join(settings.folder, 'a.json'))",
    "open(os.environ['A'])",
    "open(os.environ.get('A', 'a.json'))",
    "open(f'data/{name}.json')",
    "open(TWICE)",
    "open('a' * 3)",
    "open(__file__[0])",
)
AROUND = (
    "import os\nfrom pathlib import Path\nNAME = 'tide'\nROOT = Path(__file__).parent\nTWICE = 'a'\n"
    "def f(path, name):\n    TWICE = 'b'\n    return {}\n"
)


def read_opened(expression: str) -> list[str]:
    reader = PathReader(ast.parse(AROUND.format(expression)), "/srv/app/main.py", "/srv")
    return reader.list_opened(8)


@pytest.mark.parametrize("expression", CERTAIN)
def test_a_path_that_is_certain(expression: str) -> None:
    assert read_opened(expression) == [CERTAIN[expression]]


@pytest.mark.parametrize("expression", UNCERTAIN)
def test_a_path_that_is_made_at_run_time(expression: str) -> None:
    assert read_opened(expression) == []
