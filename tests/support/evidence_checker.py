"""A report comes in, what its answers claim without support goes out: every figure must stand in the evidence cited.

A figure is a number (in digits or in words), a commit id, a path, a line, a time. It is looked for in the texts and
references of the evidence that the answer itself names, not in those of the report as a whole.
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from shared.report.report import Report
from shared.report.report_json import report_to_json


class Fault(StrEnum):
    """What is wrong with a claim."""

    NO_EVIDENCE = "no_evidence"
    """It is not said to be unknown, and cites nothing."""
    NO_SUCH_EVIDENCE = "no_such_evidence"
    TIME = "time"
    COMMIT = "commit"
    PATH = "path"
    LINE = "line"
    NUMBER = "number"


class UnsupportedClaim(NamedTuple):
    """A claim that the cited evidence does not bear out; `about` is the figure, the evidence id or the confidence."""

    why: int
    fault: Fault
    about: str


_WORDS = {
    word: number
    for number, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
        ]
    )
} | {"once": 1, "twice": 2, "thrice": 3, "dozen": 12, "hundred": 100, "thousand": 1000}
_WORD = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b", re.IGNORECASE)
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?|(?<![\d:])\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?![\d:])"
)
_COMMIT = re.compile(r"(?<![0-9a-zA-Z])(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}(?![0-9a-zA-Z])")
_PATH = re.compile(
    r"(?:[\w.@+-]+/)+[\w.@+-]*[\w]|(?<![\w/.])[\w-]+\.(?:py|pyi|yml|yaml|toml|cfg|txt|ini)\b|/(?:[\w.-]+/)+[\w.-]*\w"
)
_LINE = re.compile(r"\b[Ll]ines? (\d+)")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)*(?![\w])")


def find_unsupported_claims(report: Report) -> list[UnsupportedClaim]:
    """One for each claim that the cited evidence does not bear out; [] for a sound report."""
    return find_unsupported_claims_in_json(report_to_json(report))


def find_unsupported_claims_in_json(document: Mapping[str, Any]) -> list[UnsupportedClaim]:
    """The same, for a report as JSON."""
    evidence = {item["id"]: item for item in document["evidence"]}
    return [problem for why in document["whys"] for problem in _find_problems(why, evidence)]


def _find_problems(why: Mapping[str, Any], evidence: Mapping[str, Mapping[str, str]]) -> Iterator[UnsupportedClaim]:
    number = int(why["n"])
    if not why["evidence"] and why["confidence"] != "unknown":
        yield UnsupportedClaim(number, Fault.NO_EVIDENCE, str(why["confidence"]))
    missing = [cited_id for cited_id in why["evidence"] if cited_id not in evidence]
    yield from (UnsupportedClaim(number, Fault.NO_SUCH_EVIDENCE, cited_id) for cited_id in missing)
    items = [evidence[cited_id] for cited_id in why["evidence"] if cited_id in evidence]
    texts = "\n".join(item["text"] for item in items)
    refs = "\n".join(item["ref"] for item in items)
    for kind, figure in extract_figures(why["answer"]):
        # A position in a log or a digit of a commit id or of a time bears out no number.
        cited = _COMMIT.sub(" ", _TIME.sub(" ", texts)) if kind in {"line", "number"} else f"{texts}\n{refs}"
        if not _is_supported(kind, figure, cited):
            yield UnsupportedClaim(number, Fault(kind), figure)


def extract_figures(answer: str) -> Iterator[tuple[str, str]]:
    """(kind, text) of everything in an answer that can be right or wrong; each character belongs to one of them."""
    rest = answer
    for kind, pattern in (("time", _TIME), ("commit", _COMMIT), ("path", _PATH)):
        yield from ((kind, match[0]) for match in pattern.finditer(rest))
        rest = pattern.sub(" ", rest)
    yield from (("line", match[1]) for match in _LINE.finditer(rest))
    rest = _LINE.sub(" ", rest)
    yield from (("number", match[0]) for match in _NUMBER.finditer(rest))
    yield from (("number", str(_WORDS[match[0].lower()])) for match in _WORD.finditer(rest))


def _is_supported(kind: str, figure: str, cited: str) -> bool:
    escaped = re.escape(figure)
    if kind == "commit":
        return re.search(rf"(?<![0-9a-f]){escaped}", cited) is not None
    if kind == "line":
        return re.search(rf"(?i)\blines?\b[^.;]*(?<![\d.]){escaped}(?!\d)", cited) is not None
    if kind == "number":
        return re.search(rf"(?<![\w.]){escaped}(?![\w])(?!\.\d)", cited) is not None
    return re.search(rf"(?<![\w]){escaped}(?![\w])", cited) is not None
