"""Which top-level modules the standard library of a minor version has.

Takes a version such as `3.11`. The running interpreter's own names are the start; what other versions removed or added
is listed, from "What's New in Python".
"""

import sys
from collections.abc import Mapping

_REMOVED_IN: Mapping[int, tuple[str, ...]] = {
    8: ("macpath",),
    9: ("_bootlocale", "dummy_threading"),
    10: ("formatter", "parser", "symbol"),
    11: ("binhex",),
    12: ("asynchat", "asyncore", "distutils", "imp", "smtpd"),
    13: (
        "aifc", "audioop", "cgi", "cgitb", "chunk", "crypt", "imghdr", "lib2to3", "mailcap", "msilib", "nis", "nntplib",
        "ossaudiodev", "pipes", "sndhdr", "spwd", "sunau", "telnetlib", "uu", "xdrlib",
    ),
}  # fmt: skip
"""By the minor version of Python 3 that is the first without them."""
_ADDED_IN: Mapping[int, tuple[str, ...]] = {
    7: ("contextvars", "dataclasses"),
    9: ("graphlib", "zoneinfo"),
    11: ("tomllib",),
    14: ("annotationlib", "compression"),
}
_REMOVED = {name: minor for minor, names in _REMOVED_IN.items() for name in names}
_ADDED = {name: minor for minor, names in _ADDED_IN.items() for name in names}


def is_standard_module(name: str, python: str) -> bool | None:
    """Whether `import name` finds a top-level module of the standard library; None where the version decides it."""
    minor = parse_minor(python)
    if name in _REMOVED:
        return None if minor is None else minor < _REMOVED[name]
    if name in _ADDED:
        return None if minor is None else minor >= _ADDED[name]
    return name in sys.stdlib_module_names


def is_bound_to_version(name: str) -> bool:
    """Whether some versions have a top-level module of the standard library and others do not."""
    return name in _REMOVED or name in _ADDED


def parse_minor(python: str) -> int | None:
    """The 11 of `3.11`; None for another major version."""
    major, _, minor = python.partition(".")
    return int(minor) if major == "3" and minor.isdigit() else None
