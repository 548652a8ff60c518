"""`provenfix investigate`: reports on the incidents of a log, proven with a git repository.

Of a log without an incident it says in one paragraph what it holds: entries, from when to when, services, exceptions.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from functions.cli import progress, terminal
from functions.cli.arguments import check_local_repository
from shared import local_sources
from shared.config import settings
from shared.detection import collect
from shared.detection.entry import LogEntry, LogSource
from shared.errors import UsageError
from shared.proof import proof_context
from shared.report import report as report_module
from shared.report import report_json
from shared.report.issue import body
from shared.text.phrases import join_first_words, quote_untrusted
from shared.text.timestamps import format_timestamp

_EXCEPTION = re.compile(r"^(?:[\w.]{1,80}\.)?([A-Z]\w{0,60}(?:Error|Exception|Warning|Interrupt))(?::|$)", re.MULTILINE)
_MAX_NAMES = 5
_MAX_REMEMBERED = 1_000
_MAX_SEARCHED = 20_000
"""Characters of an entry, from its end, where a traceback names its exception."""


@dataclass(slots=True)
class ObservedLog:
    """A log that remembers what it was read to hold. Read any number of times, it counts the first one."""

    log: LogSource
    entries_read: int = 0
    first: LogEntry | None = None
    last: LogEntry | None = None
    services: Counter[str] = field(default_factory=Counter)
    exceptions: Counter[str] = field(default_factory=Counter)
    _is_counted: bool = False

    def entries(self) -> Iterator[LogEntry]:
        """See `shared.detection.entry.LogSource`."""
        is_first, self._is_counted = not self._is_counted, True
        for entry in self.log.entries():
            if is_first:
                self._count(entry)
            yield entry

    def describe(self) -> str:
        """Two or three sentences for a user who expected an incident."""
        if not self.entries_read:
            return "The log is empty: it has no entry."
        read = f"Read {self.entries_read} {'entry' if self.entries_read == 1 else 'entries'}"
        services = [quote_untrusted(name, 80) for name, _ in self.services.most_common()]
        of = f" of {join_first_words(services, _MAX_NAMES)}" if services else ""
        if self.first is None or self.last is None:
            return f"{read}{of}, none of which has a time: is this the log of a service?"
        return f"{read}{of}, {_format_period(self.first, self.last)}.{self._describe_exceptions()}"

    def _describe_exceptions(self) -> str:
        if not self.exceptions:
            return " None of them names an exception."
        named = [f"{quote_untrusted(name, 80)} ({count})" for name, count in self.exceptions.most_common()]
        return f" Exceptions that were seen and are not judged: {join_first_words(named, _MAX_NAMES)}."

    def _count(self, entry: LogEntry) -> None:
        self.entries_read += 1
        if entry.timestamp is not None:
            self.first = entry if self.first is None or entry.timestamp < _require_time(self.first) else self.first
            self.last = entry if self.last is None or entry.timestamp > _require_time(self.last) else self.last
        if entry.service and (entry.service in self.services or len(self.services) < _MAX_REMEMBERED):
            self.services[entry.service] += 1
        if "rror" in entry.text or "xception" in entry.text:
            for name in _EXCEPTION.findall(entry.text[-_MAX_SEARCHED:])[-1:]:
                if name in self.exceptions or len(self.exceptions) < _MAX_REMEMBERED:
                    self.exceptions[name] += 1


def _require_time(entry: LogEntry) -> datetime:
    assert entry.timestamp is not None
    return entry.timestamp


def _format_period(first: LogEntry, last: LogEntry) -> str:
    begin = format_timestamp(_require_time(first), dated=first.dated)
    end = format_timestamp(_require_time(last), dated=last.dated)
    return f"at {begin}" if begin == end else f"from {begin} to {end}"


def run_investigate(
    repo: str, log: str, request: "proof_context.ProofRequest", names: tuple[str, str], output: tuple[str, Path | None]
) -> None:
    """Investigates and prints. `output` is the format (`text`, `json`, `markdown`) and the file, None for stdout."""
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    kind, out = output
    _check_writable(out)
    _check_not_protected(out, log)
    with progress.show_progress() as show:
        reports, observed = _investigate(repo, log, replace(request, fallback_python=running), names, show)
    if kind == "text" and not reports:
        _write_output(f"{terminal.NO_INCIDENT}\n{observed.describe()}\n", out)
    elif kind == "text" and out is None and sys.stdout.isatty():
        terminal.print_reports(reports)
    else:
        _write_output(_render_text(reports, kind), out)


def investigate_log(
    repo: str,
    log: str,
    request: "proof_context.ProofRequest",
    names: tuple[str, str],
    show: "proof_context.ReportProgress",
) -> "list[report_module.Report]":
    """Returns a report on every incident of a log. `names`: service and environment, "" for those of the log.

    Raises UsageError and InputError with one sentence for the user.
    """
    return _investigate(repo, log, request, names, show)[0]


def _investigate(
    repo: str,
    log: str,
    request: "proof_context.ProofRequest",
    names: tuple[str, str],
    show: "proof_context.ReportProgress",
) -> "tuple[list[report_module.Report], ObservedLog]":
    """The same, and what was read."""
    check_local_repository(repo)
    configured = settings.read_settings()
    with local_sources.open_local_history(repo) as history, local_sources.open_local_compilers(configured) as compilers:
        history.branch(request.branch)  # a wrong name is reported before a large log is read
        if request.deployed is not None:
            history.resolve(request.deployed)
        if request.python is not None:
            compilers.require_compiler(request.python)
        show("reading the log")
        observed = ObservedLog(local_sources.open_log_file(log))
        collected = collect.collect_incidents(observed, service=names[0], environment=names[1])
        reports = report_module.report_incidents(collected.incidents, history, compilers, request, show)
        return reports, observed


def _render_text(reports: "list[report_module.Report]", kind: str) -> str:
    if kind == "json":
        rows = [report_json.report_to_json(report) for report in reports]
        return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"
    if kind == "markdown":
        return "\n\n---\n\n".join(body.render_issue_body(report) for report in reports)
    return terminal.format_reports(reports)


def _check_writable(out: Path | None) -> None:
    """Raises UsageError for what is known before the work is done; `_write_output` raises it for the rest."""
    if out is None:
        return
    try:
        problem = (
            "it is a directory"
            if out.is_dir()
            else ""
            if out.parent.is_dir()
            else f"there is no directory {out.parent}"
        )
    except OSError as error:
        problem = str(error.strerror)
    if problem:
        raise UsageError(f"{out}: cannot be written ({problem}); give another file with --out")


def _check_not_protected(out: Path | None, log: str) -> None:
    """Raises UsageError for the log itself and for a file inside a git directory."""
    if out is None:
        return
    if log != "-" and out.exists() and Path(log).exists() and out.samefile(log):
        raise UsageError(f"{out}: is the input log; give another file with --out")
    if any(_is_git_directory(folder) for folder in out.resolve().parents):
        raise UsageError(f"{out}: is inside the git directory of a repository; give another file with --out")


def _is_git_directory(folder: Path) -> bool:
    return (folder / "HEAD").is_file() and ((folder / "objects").is_dir() or (folder / "commondir").is_file())


def _write_output(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    try:
        out.write_text(text, "utf-8", "backslashreplace")
    except OSError as error:
        raise UsageError(f"{out}: cannot be written ({error.strerror}); give another file with --out") from error


class ReportFormat(StrEnum):
    """What is printed: text for a person, JSON for a program, or the body of an issue."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


def investigate(  # noqa: PLR0913, PLR0917  # one parameter for each option
    repo: Annotated[str, typer.Option(metavar="PATH", help="The repository: a work tree or a bare one.")],
    log: Annotated[str, typer.Option(metavar="FILE", help="The log: JSON, JSON lines or text; - is standard input.")],
    branch: Annotated[str | None, typer.Option(metavar="REF", help="The deploy branch.")] = None,
    deployed: Annotated[
        str | None, typer.Option(metavar="COMMIT", help="The commit that is deployed, if you know it.")
    ] = None,
    python: Annotated[str | None, typer.Option(metavar="3.11", help="The deployed version of Python.")] = None,
    service: Annotated[str, typer.Option(metavar="NAME", help="The service, where the log does not name it.")] = "",
    environment: Annotated[
        str, typer.Option(metavar="NAME", help="The environment, where the log does not name it.")
    ] = "",
    source_root: Annotated[
        list[str] | None, typer.Option(metavar="PATH", help="A folder of the service's sources; may be repeated.")
    ] = None,
    output: Annotated[ReportFormat, typer.Option("--format", help="Output format.")] = ReportFormat.TEXT,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write there instead of to standard output.")] = None,
) -> None:
    """Prove which commit broke a service and which one fixes it.

    Reads only: it changes nothing in the repository, runs no code from it, and uses no network.
    """
    request = proof_context.ProofRequest(branch, deployed, python, tuple(source_root or ()))
    run_investigate(repo, log, request, (service, environment), (output.value, out))
