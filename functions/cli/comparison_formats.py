"""What `provenfix check --baseline` found, as text, as JSON, and as SARIF 2.1.0 for code scanning."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from shared.proof.compare_services import Alarm, ComparedService, list_families
from shared.text.escaping import to_one_line

_SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_RULES: Mapping[str, str] = {
    "syntax": "A loaded file does not compile on the deployed Python.",
    "import_name": "A name is imported that the module does not have.",
    "module": "A module is imported that the image does not have.",
    "circular_import": "A name is taken from a module that is still being loaded.",
    "name": "A name is used that nothing binds.",
    "local_name": "A local variable is read before it has a value.",
    "module_attribute": "A module is asked for an attribute that it does not have.",
    "class_attribute": "A class is asked for an attribute that it does not have.",
    "call": "The arguments of a call do not bind to what it calls.",
    "file": "A file is opened that the image does not have.",
}


def list_alarms(services: Sequence[ComparedService]) -> list[Alarm]:
    """The alarms of all services; what several of them load is named once."""
    alarms: dict[tuple[str, str, int, str], Alarm] = {}
    for alarm in (alarm for service in services for alarm in service.alarms):
        alarms.setdefault((alarm.family, alarm.path, alarm.line, alarm.message), alarm)
    return list(alarms.values())


def format_text(services: Sequence[ComparedService], baseline: str) -> Iterator[str]:
    """A line for each alarm with its reason below it, and a summary."""
    alarms = list_alarms(services)
    for alarm in alarms:
        position = f"{to_one_line(alarm.path)}:{alarm.line}" if alarm.line else to_one_line(alarm.path)
        yield f"{position}: {alarm.error_class}: {to_one_line(alarm.message)}"
        yield f"    {to_one_line(alarm.reason)} ({to_one_line(alarm.checked_by)})"
    loaded = sum(service.loaded_count for service in services)
    files = "1 file" if loaded == 1 else f"{loaded} files"
    result = "nothing is newly broken" if not alarms else f"{len(alarms)} newly broken"
    yield f"{files} loaded: {result} since {baseline}."


def format_json(services: Sequence[ComparedService], baseline: str, commit: str) -> str:
    """One object: `commit` is null for the files on disk."""
    return json.dumps(
        {
            "baseline": baseline,
            "commit": commit or None,
            "services": [
                {**asdict(service), "alarms": [asdict(alarm) for alarm in service.alarms]} for service in services
            ],
            "alarms": [asdict(alarm) for alarm in list_alarms(services)],
        },
        indent=2,
    )


def format_sarif(services: Sequence[ComparedService]) -> str:
    """A SARIF log with one run."""
    rules = list_families()
    driver = {
        "name": "provenfix",
        "rules": [{"id": rule, "shortDescription": {"text": _RULES[rule]}} for rule in rules],
    }
    results = [_build_result(alarm, rules) for alarm in list_alarms(services)]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _build_result(alarm: Alarm, rules: Sequence[str]) -> Mapping[str, object]:
    location: dict[str, object] = {"artifactLocation": {"uri": _encode_path(alarm.path), "uriBaseId": "%SRCROOT%"}}
    if alarm.line:
        location["region"] = {"startLine": alarm.line}
    return {
        "ruleId": alarm.family,
        "ruleIndex": rules.index(alarm.family),
        "level": "error",
        "baselineState": "new",
        "message": {"text": f"{alarm.error_class}: {alarm.message}. {alarm.reason} ({alarm.checked_by})."},
        "locations": [{"physicalLocation": location}],
    }


def _encode_path(path: str) -> str:
    """A path as a relative URI reference."""
    from urllib.parse import quote  # noqa: PLC0415  # only where SARIF is asked for

    return quote(path)
