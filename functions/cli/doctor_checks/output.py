"""Findings in, lines or JSON out; no secret that was met on the way is in either."""

import json
from collections.abc import Iterable, Sequence

from functions.cli.doctor_checks.finding import Check, Found, State
from shared.text.escaping import to_one_line

_SHORTEST = 4
Findings = Sequence[tuple[Check, Found]]


def as_text(findings: Findings, known: Iterable[str]) -> str:
    """One line for each, and one that counts."""
    lines = [_line(check, found) for check, found in findings]
    wrong = sum(found.state in {State.MISSING, State.UNKNOWN} for _, found in findings)
    lines.append(f"{len(findings)} looked at, {wrong} to mend." if wrong else f"{len(findings)} looked at, all well.")
    return _hidden("\n".join(lines), known)


def as_json(findings: Findings, known: Iterable[str]) -> str:
    """An array, in the same order."""
    told = [
        {"kind": check.kind, "name": check.name, "state": found.state.value, "detail": found.detail, "mend": found.mend}
        for check, found in findings
    ]
    return _hidden(json.dumps(told, indent=2, ensure_ascii=False), known)


def _line(check: Check, found: Found) -> str:
    told = f"{check.kind} {check.name}"
    detail = f": {found.detail}" if found.detail else ""
    mend = f" -> {found.mend}" if found.mend else ""
    return f"{found.state.value:<8} {to_one_line(told + detail + mend)}"


def _hidden(text: str, known: Iterable[str]) -> str:
    """No line repeats what somebody answered, so that none is expected here; this makes sure of it."""
    for secret in known:
        if len(secret) >= _SHORTEST:
            for form in (secret, json.dumps(secret)[1:-1]):
                text = text.replace(form, "[secret]")
    return text
