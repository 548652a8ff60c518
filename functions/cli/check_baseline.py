"""`provenfix check --baseline REF`: what the services of a checkout newly and definitely break."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from functions.cli import progress
from functions.cli.arguments import OutputFormat
from shared.config.settings import read_settings
from shared.errors import UsageError
from shared.local_sources import open_checked_out_history, open_local_compilers
from shared.proof.compare_services import (
    Alarm,
    ComparedService,
    ComparisonRequest,
    ServiceComparison,
    list_alarms,
    list_families,
    require_services,
)
from shared.text.escaping import to_one_line
from shared.text.phrases import short_sha

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
    "start_target": "The start command names a module, a name in it or a file that the image does not have.",
}


@dataclass(frozen=True, slots=True)
class BaselineOptions:
    """The arguments of the command. `revision`: None for the files on disk."""

    repo: str
    baseline: str
    revision: str | None
    python: str | None
    start_paths: tuple[str, ...]
    output: OutputFormat


def run_baseline_check(options: BaselineOptions) -> int:
    """Prints what is newly broken; returns 1 if something is, else 0. Raises UsageError and InputError."""
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    with (
        progress.show_progress() as show,
        open_checked_out_history(options.repo, options.revision) as (history, commit),
        open_local_compilers(read_settings()) as compilers,
    ):
        baseline = history.resolve(options.baseline).id
        unknown = [path for path in options.start_paths if path not in history.tree(commit)]
        if unknown:
            raise UsageError(f"--start {unknown[0]}: there is no such file in what is checked")
        request = ComparisonRequest(
            baseline, commit, options.python, fallback_python=running, start_paths=options.start_paths
        )
        show(f"comparing with {short_sha(baseline)}")
        services = ServiceComparison(history, compilers).compare(request)
        require_services(services, options.repo)
    for path in dict.fromkeys(path for service in services for path in service.unjudged):
        print(f"{to_one_line(path)}: could not be checked", file=sys.stderr)
    for service in services:
        python = f"Python {service.python} ({to_one_line(service.python_source)})"
        print(f"{to_one_line(service.start_path)}: {to_one_line(service.rule)}; {python}", file=sys.stderr)
    if options.output is OutputFormat.JSON:
        print(format_json(services, baseline, commit if options.revision else ""))
    elif options.output is OutputFormat.SARIF:
        print(format_sarif(services))
    else:
        print("\n".join(format_text(services, short_sha(baseline))))
    return int(bool(list_alarms(services)))


def format_text(services: Sequence[ComparedService], baseline: str) -> Iterator[str]:
    """A line for each alarm with its reason below it, and a summary."""
    alarms = list_alarms(services)
    for alarm in alarms:
        yield from format_alarm(alarm)
    loaded = sum(service.loaded_count for service in services)
    files = "1 file" if loaded == 1 else f"{loaded} files"
    result = "nothing is newly broken" if not alarms else f"{len(alarms)} newly broken"
    yield f"{files} loaded: {result} since {baseline}."


def format_alarm(alarm: Alarm) -> Iterator[str]:
    """A line with the position and the error, and one with the reason."""
    position = f"{to_one_line(alarm.path)}:{alarm.line}" if alarm.line else to_one_line(alarm.path)
    yield f"{position}: {alarm.error_class}: {to_one_line(alarm.message)}"
    yield f"    {to_one_line(alarm.reason)} ({to_one_line(alarm.checked_by)})"


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
