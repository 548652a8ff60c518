"""`provenfix check --baseline REF`: what the services of a checkout newly and definitely break."""

import platform
import sys
from dataclasses import dataclass

from functions.cli.comparison_formats import format_json, format_sarif, format_text, list_alarms
from functions.cli.output_format import OutputFormat
from shared.config.settings import read_settings
from shared.errors import UsageError
from shared.local_sources import open_checked_out_history, open_local_compilers
from shared.proof.compare_services import ComparisonRequest, ServiceComparison, require_services
from shared.text.escaping import to_one_line
from shared.text.phrases import short_sha


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
    running = ".".join(platform.python_version_tuple()[:2])
    with (
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
