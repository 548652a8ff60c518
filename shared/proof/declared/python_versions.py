"""Minor versions of Python in the spellings that projects use: `3.11.7`, `py311`, `>=3.10,<4`, `^3.11`, `3.11.*`.

Returns a minor version such as `3.11`, or None where the text names none.
"""

import re

_PLAIN_VERSION = re.compile(r"(?:c?python-?|v)?(3\.\d{1,2})(?![\d])", re.IGNORECASE)
_TARGET_VERSION = re.compile(r"(?:py|python|cp)?(3)[._]?(\d{1,2})", re.IGNORECASE)
_CLAUSE = re.compile(r"(===?|~=|>=|<=|!=|>|<|\^|~)?\s{0,8}v?(3)(?:\.(\d{1,3}|\*))?(\.[\d*]+)?")


def parse_minor_version(text: str) -> str | None:
    """`3.11` of `3.11.7`, `python-3.11.4`, `cpython-3.11`, `v3.11`; None for `3`, `latest`, `pypy3.10`."""
    match = _PLAIN_VERSION.match(text.strip().strip("\"'"))
    return match[1] if match else None


def parse_target_version(text: str) -> str | None:
    """`3.11` of `py311`, `python3.11`, `3.11`, `cp311`; None for anything else."""
    match = _TARGET_VERSION.fullmatch(text.strip().strip("\"'"))
    return f"{match[1]}.{match[2]}" if match else None


def find_lower_bound(requirement: str) -> str | None:
    """The oldest minor version that a requirement admits; None where it has no lower bound or is not readable."""
    bounds = []
    for alternative in requirement.split("||"):
        clauses = [
            clause
            for clause in _parse_clauses(alternative)
            if clause[0] in {"", "==", "===", "~=", ">=", ">", "^", "~"}
        ]
        if not clauses:
            return None
        bounds.append(max(number for _, number in clauses))
    return f"3.{min(bounds)}" if bounds else None


def is_permitted(requirement: str, python: str) -> bool:
    """Whether a requirement admits a minor version (of some patch level); an unreadable clause forbids nothing."""
    minor = int(python.split(".")[1])
    return any(
        all(_is_admitted(operator, number, minor) for operator, number in _parse_clauses(alternative))
        for alternative in requirement.split("||")
    )


def _parse_clauses(requirement: str) -> list[tuple[str, int]]:
    versions = []
    for part in requirement.replace('"', "").replace("'", "").split(","):
        for match in _CLAUSE.finditer(part):
            number = int(match[3]) if match[3] and match[3] != "*" else 0
            exact = match[3] not in {None, "*"}
            operator = match[1] or ""
            if operator in {"", "==", "==="} and not exact:
                operator = "^"  # `3`, `3.*`: any of them
            if operator == "<" and match[4] and match[4].strip(".0*"):
                operator = "<="  # `<3.12.4` still admits earlier patch levels
            versions.append((operator, number))
    return versions


def _is_admitted(operator: str, number: int, minor: int) -> bool:
    if operator in {"", "==", "===", "~"}:
        return minor == number
    if operator in {">=", ">", "^", "~="}:
        return minor >= number
    if operator == "<":
        return minor < number
    if operator == "<=":
        return minor <= number
    return True
