"""Findings in, lines or JSON out; no secret that was met on the way is in either."""

import json
from collections.abc import Iterable, Sequence

from functions.cli.doctor_checks.finding import Check, CheckResult, CheckState
from shared.text.escaping import to_one_line

_MIN_SECRET_LENGTH = 4
CheckResults = Sequence[tuple[Check, CheckResult]]


def format_text(results: CheckResults, secrets: Iterable[str]) -> str:
    """One line for each, and one that counts."""
    lines = [_format_line(check, found) for check, found in results]
    wrong = sum(found.state in {CheckState.MISSING, CheckState.UNKNOWN} for _, found in results)
    lines.append(f"{len(results)} looked at, {wrong} to mend." if wrong else f"{len(results)} looked at, all well.")
    return _redact_secrets("\n".join(lines), secrets)


def format_json(results: CheckResults, secrets: Iterable[str]) -> str:
    """An array, in the same order."""
    told = [
        {"kind": check.kind, "name": check.name, "state": found.state.value, "detail": found.detail, "mend": found.remedy}
        for check, found in results
    ]
    return _redact_secrets(json.dumps(told, indent=2, ensure_ascii=False), secrets)


def _format_line(check: Check, found: CheckResult) -> str:
    told = f"{check.kind} {check.name}"
    detail = f": {found.detail}" if found.detail else ""
    mend = f" -> {found.remedy}" if found.remedy else ""
    return f"{found.state.value:<8} {to_one_line(told + detail + mend)}"


def _redact_secrets(text: str, secrets: Iterable[str]) -> str:
    """No line repeats what somebody answered, so that none is expected here; this makes sure of it."""
    for secret in secrets:
        if len(secret) >= _MIN_SECRET_LENGTH:
            for form in (secret, json.dumps(secret)[1:-1]):
                text = text.replace(form, "[secret]")
    return text
