"""What the environment says, read once and validated: variables in, one frozen value out."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

_INTERPRETER = re.compile(r"PROVENFIX_PYTHON_(\d)_(\d{1,2})")


@dataclass(frozen=True, slots=True)
class Settings:
    """`interpreters` maps a minor version such as `3.11` to the path of its interpreter."""

    interpreters: Mapping[str, str]


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Reads `PROVENFIX_PYTHON_3_11=/path/to/python3.11` and its like."""
    matches = ((_INTERPRETER.fullmatch(name), value) for name, value in environment.items())
    return Settings({f"{match[1]}.{match[2]}": value for match, value in matches if match and value})
