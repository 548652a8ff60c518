"""The table of who may do what, from access.yaml: `python -m tests.support.access.readme` writes it."""

from functions.cli.access import read_access, table
from tests.support.readme import mark_block, read_block, write_block

BLOCK = "access"


def written() -> str:
    """Returns the table as its document shows it."""
    return read_block(BLOCK)


def block() -> str:
    """Returns the table as it has to stand there."""
    return mark_block(BLOCK, _content())


def _content() -> str:
    return "\n".join(table(read_access())) + "\n"


if __name__ == "__main__":
    write_block(BLOCK, _content())
