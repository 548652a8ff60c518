"""How long a file of the product may be: a reader has it in view, and its name says all that it holds."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
MAX_LINES = 300


def test_no_file_of_the_product_has_more_than_300_lines() -> None:
    files = [path for folder in ("functions", "shared") for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 100
    lines = {path.relative_to(ROOT).as_posix(): len(path.read_text("utf-8").splitlines()) for path in files}
    assert {name: count for name, count in lines.items() if count > MAX_LINES} == {}
