"""Parses the text of a TOML file in time that grows with the text.

The parser of the standard library takes a dotted key once for each of its parts, so that the length of a line is
bounded here.
"""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_MAX_LINE_LENGTH = 10_000


@lru_cache(maxsize=32)
def parse_toml(text: str) -> Mapping[str, Any]:
    """Raises ValueError, with the reason, for what is no TOML or cannot be read here."""
    if any(len(line) > _MAX_LINE_LENGTH for line in text.splitlines()):
        raise ValueError(f"a line is longer than {_MAX_LINE_LENGTH} characters")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
