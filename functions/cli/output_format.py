"""How a command prints what it found."""

from enum import StrEnum


class OutputFormat(StrEnum):
    """For people, for programs, or for code scanning."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
