"""The README's table of who may do what, from access.yaml: `python -m tests.support.access.readme_table` writes it."""

import re

from functions.cli.access import read_access, render_access_table
from tests.support.readme import README

_BLOCK = re.compile(r"(<!-- access:begin -->\n).*?(<!-- access:end -->)", re.DOTALL)


def read_table() -> str:
    """What stands in the README."""
    found = _BLOCK.search(README.read_text("utf-8"))
    assert found is not None
    return found[0]


def render_table() -> str:
    """What has to stand there."""
    return "<!-- access:begin -->\n" + "\n".join(render_access_table(read_access())) + "\n<!-- access:end -->"


if __name__ == "__main__":
    README.write_text(_BLOCK.sub(lambda _: render_table(), README.read_text("utf-8")), "utf-8")
