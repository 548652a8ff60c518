"""The table of who may do what, from access.yaml: `python -m tests.support.access.readme_table` writes it."""

from functions.cli.access import read_access, render_access_table
from tests.support.readme import mark_block, read_block, write_block

BLOCK = "access"


def read_table() -> str:
    """Returns the table as its document shows it."""
    return read_block(BLOCK)


def render_table() -> str:
    """Returns the table as it has to stand there."""
    return mark_block(BLOCK, _render_content())


def _render_content() -> str:
    return "\n".join(render_access_table(read_access())) + "\n"


if __name__ == "__main__":
    write_block(BLOCK, _render_content())
