"""One requirement as packaging tools write it: `name[extra] >= 1; python_version < "3.9"`.

Takes the text and the minor version of the image. Returns the normalised name, the extras, and whether its marker is
true on Linux with that Python; None where only a run decides.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.proof.loading.module_providers import normalise_name

_REQUIREMENT = re.compile(
    r"\s*(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]{0,100}[A-Za-z0-9])?)\s*(?:\[(?P<extras>[^\]]{0,200})\])?"
    r"\s*(?P<rest>(?:[(<>=!~@\^*\d][^;]*)?)(?:;(?P<marker>.*))?\s*"
)
_CLAUSE = re.compile(r"\s*(\w+)\s*(==|!=|<=|>=|<|>|in|not in)\s*(['\"])([^'\"]*)\3\s*")
_COMPARISONS: Mapping[str, Callable[[int, int], bool]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
_TEXTS: Mapping[str, str] = {
    "sys_platform": "linux",
    "platform_system": "Linux",
    "os_name": "posix",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
}


@dataclass(frozen=True, slots=True)
class Requirement:
    """`is_needed`: whether its marker is true; None where that is not known."""

    name: str
    extras: tuple[str, ...] = ()
    is_needed: bool | None = True
    text: str = ""


def parse_requirement(text: str, python: str) -> Requirement | None:
    """None for a path, an address or an option."""
    match = _REQUIREMENT.fullmatch(text)
    if match is None:
        return None
    extras = tuple(normalise_name(extra.strip()) for extra in (match["extras"] or "").split(",") if extra.strip())
    return Requirement(normalise_name(match["name"]), extras, evaluate_marker(match["marker"] or "", python), text)


def evaluate_marker(marker: str, python: str) -> bool | None:
    """Whether an environment marker is true; None where it is more than comparisons joined by `and` or by `or`."""
    if not marker.strip():
        return True
    for word, decisive in ((" or ", True), (" and ", False)):
        if word in marker and "(" not in marker:
            values = [evaluate_marker(part, python) for part in marker.split(word)]
            if decisive in values:
                return decisive
            return None if None in values else not decisive
    match = _CLAUSE.fullmatch(marker.strip().removeprefix("(").removesuffix(")"))
    return _compare(match[1], match[2], match[4], python) if match else None


def _compare(name: str, operator: str, value: str, python: str) -> bool | None:
    if name in _TEXTS and operator in {"==", "!="}:
        return (_TEXTS[name] == value) == (operator == "==")
    parts, own = value.split("."), python.split(".")
    is_version = name == "python_version" or (name == "python_full_version" and len(parts) == 2 and "=" not in operator)
    if not is_version or operator not in _COMPARISONS or len(parts) != 2 or not all(map(str.isdigit, (*parts, *own))):
        return None
    if name == "python_full_version" and parts == own:
        return None
    return _COMPARISONS[operator](int(own[0]) * 1000 + int(own[1]), int(parts[0]) * 1000 + int(parts[1]))
