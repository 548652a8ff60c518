"""What the schema of SARIF 2.1.0 asks of the parts that provenfix writes. A log comes in, its faults go out.

Names, types and required properties are those of `sarif-schema-2.1.0.json` (OASIS), which allows no others.
"""

from collections.abc import Iterator, Mapping
from typing import Any

_OBJECTS: Mapping[str, Mapping[str, type | str]] = {
    "log": {"$schema": str, "version": str, "runs": "run*"},
    "run": {"tool": "tool", "columnKind": str, "results": "result*"},
    "tool": {"driver": "toolComponent"},
    "toolComponent": {"name": str, "version": str, "rules": "reportingDescriptor*"},
    "reportingDescriptor": {"id": str, "shortDescription": "multiformatMessageString"},
    "multiformatMessageString": {"text": str},
    "result": {
        "ruleId": str, "ruleIndex": int, "level": str, "baselineState": str, "message": "message",
        "locations": "location*",
    },
    "message": {"text": str},
    "location": {"physicalLocation": "physicalLocation"},
    "physicalLocation": {"artifactLocation": "artifactLocation", "region": "region"},
    "artifactLocation": {"uri": str, "uriBaseId": str},
    "region": {"startLine": int},
}  # fmt: skip
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "log": ("version", "runs"), "run": ("tool",), "tool": ("driver",), "toolComponent": ("name",),
    "reportingDescriptor": ("id",), "multiformatMessageString": ("text",), "result": ("message",),
}  # fmt: skip
_VALUES: Mapping[str, tuple[Any, ...]] = {
    "version": ("2.1.0",),
    "level": ("none", "note", "warning", "error"),
    "baselineState": ("new", "unchanged", "updated", "absent"),
    "columnKind": ("utf16CodeUnits", "unicodeCodePoints"),
}


def list_faults(log: object, kind: str = "log", at: str = "") -> Iterator[str]:
    """What the schema does not allow."""
    if not isinstance(log, dict):
        yield f"{at}: no object"
        return
    yield from (f"{at}.{name} is missing" for name in _REQUIRED.get(kind, ()) if name not in log)
    for name, value in log.items():
        expected = _OBJECTS[kind].get(name)
        if expected is None or (isinstance(expected, type) and type(value) is not expected):
            yield f"{at}.{name} is not allowed so"
        elif (name in _VALUES and value not in _VALUES[name]) or (name in {"startLine"} and value < 1):
            yield f"{at}.{name} is {value}"
        elif isinstance(expected, str):
            entries = value if expected.endswith("*") else [value]
            for index, entry in enumerate(entries):
                yield from list_faults(entry, expected.rstrip("*"), f"{at}.{name}[{index}]")
