"""Renders reports for a terminal: the decision, the commits, the broken lines, the whys.

Everything that came from a log or a repository is written as text, never as markup, and without control characters.
"""

import io
import re
from collections.abc import Iterable, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from functions.cli.incident_rows import MAX_SYMPTOMS, build_cause_rows, build_plain_text, build_symptom_rows
from shared.detection.incident import Incident, describe_raised_exception
from shared.detection.raised_exception import EFFECT_KINDS
from shared.detection.signal import SignalKind
from shared.proof.model.finding import BrokenFile, Finding, find_recommended_commit
from shared.proof.model.history import Commit, claims_fix
from shared.proof.model.recommendation import ActionKind
from shared.report.facts.deployed_code import describe_loading_rule, describe_missing_import, describe_unloaded_file
from shared.report.facts.fix_history import describe_fix_location, describe_shipped_files
from shared.report.facts.unproven import list_suspected_lines
from shared.report.issue.body import RECOMMENDATION_LABELS, describe_error
from shared.report.issue.section import Heading
from shared.report.report import Report
from shared.report.whys.why import Confidence
from shared.text.escaping import strip_invisible, to_one_line, truncate
from shared.text.phrases import format_excerpt, pluralize, quote_service_name, quote_untrusted, short_sha
from shared.text.timestamps import format_rfc3339, format_timestamp_phrase

_COMMIT = re.compile(r"\b[0-9a-f]{40}(?:[0-9a-f]{24})?\b")
_STYLES = {
    Confidence.PROVEN: "green",
    Confidence.OBSERVED: "cyan",
    Confidence.INFERRED: "yellow",
    Confidence.UNKNOWN: "red",
}
_MAX_COMMITS = 40
_MAX_EVIDENCE = 60
_MAX_EVIDENCE_LENGTH = 420

NO_INCIDENT = (
    "No incident was found: no entry of this log shows a Python SyntaxError with a failing file, a WebSocket closed "
    "with 1011, or a revision that does not start."
)


def print_reports(reports: Sequence[Report]) -> None:
    """Prints to stdout, which is a terminal, as wide as it is."""
    render_reports(reports, Console(soft_wrap=False))


def format_reports(reports: Sequence[Report]) -> str:
    """Returns the same as plain text, for a file or a pipe."""
    page = io.StringIO()
    render_reports(reports, Console(file=page, width=100, no_color=True, force_terminal=False))
    return "".join(f"{line.rstrip()}\n" for line in page.getvalue().splitlines())


def render_reports(reports: Sequence[Report], console: Console) -> None:
    """Prints every report, or one sentence where there is none."""
    if not reports:
        console.print(build_plain_text(NO_INCIDENT))
    for number, report in enumerate(reports):
        if number:
            console.print()
        console.print(_render_report(report))


def _render_report(report: Report) -> RenderableType:
    proof = report.proof
    parts: list[RenderableType] = [
        Rule(build_plain_text(_format_title(report), "bold"), align="left"),
        *_render_header(report),
        _render_recommendation(proof),
    ]
    if commits := _render_commits(report):
        parts.append(_render_section("Commits", commits))
    if proof.broken is not None:
        parts.append(_render_section(_format_location(proof, proof.broken), _render_code(proof, proof.broken)))
    if proof.suspected.changes:
        parts.append(
            _render_section(Heading.SUSPECTED, build_plain_text("\n".join(list_suspected_lines(proof.suspected))))
        )
    parts.append(_render_section("Whys", _render_whys(report)))
    parts.append(_render_section("Evidence", _render_evidence(report)))
    if proof.gaps:
        parts.append(
            _render_section(
                "What could not be seen", Group(*(build_plain_text(quote_untrusted(gap)) for gap in proof.gaps))
            )
        )
    return Group(*parts)


def _render_section(title: str, content: RenderableType) -> RenderableType:
    return Padding(Group(build_plain_text(title, "bold"), Padding(content, (0, 0, 0, 2))), (1, 0, 0, 0))


def _create_grid(rows: Iterable[Sequence[Text]], columns: int) -> Table:
    """Columns that keep their own width; only the last one wraps."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    for column in range(columns):
        grid.add_column(no_wrap=column < columns - 1, overflow="fold")
    for row in rows:
        grid.add_row(*row)
    return grid


def _format_title(report: Report) -> str:
    incident = report.incident
    service = quote_service_name(incident.service)
    return f"{service} ({quote_untrusted(incident.environment, 40)})" if service else "service not named in the log"


def _render_header(report: Report) -> list[RenderableType]:
    incident, deployed = report.incident, report.proof.deployed
    rows = [(build_plain_text("fails", "dim"), build_plain_text(describe_error(report), "bold red"))]
    rows.append((build_plain_text("logged", "dim"), build_plain_text(_format_occurrences(incident))))
    if incident.raised is not None:
        shown = describe_raised_exception(incident, report.proof.raised_frame)
        sure = "not proven" if report.proof.claim is None else "proven by the code"
        rows.append((build_plain_text("raised", "dim"), build_plain_text(f"{shown}; {sure}")))
    if incident.kind in EFFECT_KINDS and report.proof.broken is None:
        rows += build_cause_rows(report)
    rows += build_symptom_rows("then", incident.symptoms)
    rows += build_symptom_rows("nearby", incident.nearby)
    if deployed.commit is not None:
        sure = "corroborated" if deployed.corroborated else "not corroborated"
        tree = ", from an uncommitted tree" if deployed.uncommitted_tree else ""
        revision = f", revision {quote_untrusted(deployed.revision, 60)}" if deployed.revision else ""
        known = f"{short_sha(deployed.commit.id)} ({deployed.source.value}, {sure}{tree}){revision}"
        rows.append((build_plain_text("deployed", "dim"), build_plain_text(known)))
    if incident.kind is SignalKind.SYNTAX_ERROR and deployed.python:
        rows.append(
            (
                build_plain_text("python", "dim"),
                build_plain_text(f"{deployed.python}: {_abbreviate_commits(quote_untrusted(deployed.python_source))}"),
            )
        )
    if deployed.conflict:
        rows.append(
            (build_plain_text("conflict", "dim"), build_plain_text(quote_untrusted(deployed.conflict), "yellow"))
        )
    return [_create_grid(rows, 2)]


def _format_occurrences(incident: Incident) -> str:
    last = incident.last_seen
    until = (
        f", last {format_timestamp_phrase(last, dated=incident.dated)}"
        if last is not None and last != incident.first_seen
        else ""
    )
    often = pluralize(incident.occurrences, "time")
    return f"{often}, first {format_timestamp_phrase(incident.first_seen, dated=incident.dated)}{until}"


def _render_recommendation(proof: Finding) -> RenderableType:
    """Returns the recommendation between two rules, so that it stands out."""
    chosen = find_recommended_commit(proof)
    style = {
        ActionKind.REDEPLOY: "bold green",
        ActionKind.ROLLBACK: "bold yellow",
        ActionKind.TRIAL: "bold yellow",
        ActionKind.NONE: "bold red",
    }[proof.recommendation.kind]
    lines = [build_plain_text(RECOMMENDATION_LABELS[proof.recommendation.kind].upper(), style)]
    if chosen is not None:
        lines[0].append(f" {chosen.id}", style)
        lines.append(build_plain_text(f"“{quote_untrusted(chosen.subject, 160)}”"))
    lines.append(
        build_plain_text(f"{quote_untrusted(proof.recommendation.detail, 500)} [{proof.recommendation.reason.value}]")
    )
    if proof.recommendation.kind is ActionKind.REDEPLOY and proof.target is not None:
        commits = pluralize(proof.target.commits_after_deployed, "commit")
        files = describe_shipped_files(proof.target.shipped_changes)
        lines.append(build_plain_text(f"Ships {commits}: {files}. Checks: {proof.target.checks.value}."))
    lines += [
        build_plain_text(f"Not {short_sha(refused.commit.id)}: {quote_untrusted(refused.detail)}.", "dim")
        for refused in proof.refused_commits[:MAX_SYMPTOMS]
    ]
    return Padding(Group(Rule(style=style), *lines, Rule(style=style)), (1, 0, 0, 0))


def _render_commits(report: Report) -> RenderableType | None:
    proof = report.proof
    rows: list[tuple[Commit, str, str]] = []
    if proof.introduced is not None:
        errors = pluralize(proof.introduced.errors, "error")
        rows.append((proof.introduced.commit, "✗", f"{errors}: introduced"))
    for attempt in proof.attempts:
        claim = ", says fix" if claims_fix(attempt.commit) else ""
        deployed = proof.deployed.commit is not None and attempt.commit.id == proof.deployed.commit.id
        words = f"{pluralize(attempt.errors_left, 'error')} left{claim}{', deployed' if deployed else ''}"
        rows.append((attempt.commit, "✗", words))
    if proof.fix is not None:
        rows.append((proof.fix.commit, "✓", f"the fix, {describe_fix_location(proof.fix, proof.branch)}"))
    if proof.target is not None:
        rows.append((proof.target.commit, "✓", f"target, checks {proof.target.checks.value}"))
    if proof.rollback is not None:
        rows.append((proof.rollback.commit, "✓", "good before the break: roll back to"))
    if not rows:
        return None
    shown = rows if len(rows) <= _MAX_COMMITS else [*rows[: _MAX_COMMITS // 2], *rows[-_MAX_COMMITS // 2 :]]
    grid = _create_grid((_build_commit_row(*row) for row in shown), 4)
    if len(shown) == len(rows):
        return grid
    return Group(grid, build_plain_text(f"{len(rows) - len(shown)} more in between are not shown.", "dim"))


def _build_commit_row(commit: Commit, mark: str, verdict: str) -> Sequence[Text]:
    colour = "green" if mark == "✓" else "red"
    words = Text.assemble(
        (strip_invisible(verdict), colour), "\n", (f"“{quote_untrusted(commit.subject, 120)}”", "dim")
    )
    at = format_rfc3339(commit.committed_at).replace("T", " ").removesuffix("Z")
    return build_plain_text(at[:19]), build_plain_text(short_sha(commit.id)), build_plain_text(mark, colour), words


def _format_location(proof: Finding, broken: BrokenFile) -> str:
    line = f", line {broken.fault.line}" if broken.fault.line is not None else ""
    commit = f" at {short_sha(proof.deployed.commit.id)}" if proof.deployed.commit else ""
    return f"{quote_untrusted(broken.path)}{line}{commit}"


def _render_code(proof: Finding, broken: BrokenFile) -> RenderableType:
    lines: list[RenderableType] = []
    for row in format_excerpt(broken.excerpt, broken.fault.line, broken.fault.column):
        marked = row.startswith(">") or row.strip(" |\t") == "^"
        shown = build_plain_text(row.expandtabs(4), "red" if marked else "")
        shown.no_wrap, shown.overflow = True, "ellipsis"
        lines.append(shown)
    words, checker = quote_untrusted(broken.fault.words), quote_untrusted(broken.checked_by)
    lines.append(build_plain_text(f"{words} ({checker})", "red"))
    if broken.explanation:
        lines.append(build_plain_text(f"{quote_untrusted(broken.explanation)} (ruff)"))
    versions = f"; the same bytes compile on {', '.join(broken.compiles_on)}" if broken.compiles_on else ""
    if proof.claim is None or not proof.claim.is_start:
        errors = pluralize(broken.errors, "error")
        lines.append(build_plain_text(f"{errors} in this file on Python {proof.deployed.python}{versions}."))
    if broken.second_opinion:
        lines.append(build_plain_text(quote_untrusted(broken.second_opinion), "yellow"))
    for other in broken.also_broken:
        line = f", line {other.line}" if other.line is not None else ""
        lines.append(
            build_plain_text(
                f"Also broken: {quote_untrusted(other.path)}{line}: {quote_untrusted(other.message)}", "red"
            )
        )
    if proof.loaded_summary is not None:
        lines.append(build_plain_text(describe_loading_rule(proof.loaded_summary), "dim"))
        lines += [
            build_plain_text(f"{describe_unloaded_file(file)}", "yellow") for file in proof.loaded_summary.not_loaded
        ]
        missing = proof.loaded_summary.missing_imports
        lines += [build_plain_text(describe_missing_import(entry), "yellow") for entry in missing]
    return Group(*lines)


def _render_whys(report: Report) -> RenderableType:
    rows = []
    for why in report.whys:
        cited = f" {' '.join(why.evidence)}" if why.evidence else ""
        sure = Text.assemble((why.confidence.value, _STYLES[why.confidence]), (cited, "dim"))
        answer = Text.assemble((strip_invisible(why.question), "bold"), "\n", strip_invisible(why.answer), "\n", sure)
        rows.append((build_plain_text(f"{why.n}."), answer))
    return _create_grid(rows, 2)


def _abbreviate_commits(text: str) -> str:
    """Evidence with commit ids of 12 digits: the full ones are in the JSON."""
    return truncate(_COMMIT.sub(lambda match: short_sha(match[0]), to_one_line(text)), _MAX_EVIDENCE_LENGTH)


def _render_evidence(report: Report) -> RenderableType:
    rows = [
        (
            build_plain_text(evidence.id),
            build_plain_text(_abbreviate_commits(f"{evidence.text} [{evidence.kind.value} {evidence.ref}]")),
        )
        for evidence in report.evidence[:_MAX_EVIDENCE]
    ]
    grid = _create_grid(rows, 2)
    if len(report.evidence) <= _MAX_EVIDENCE:
        return grid
    more = len(report.evidence) - _MAX_EVIDENCE
    return Group(grid, build_plain_text(f"{more} more: --format json prints them all.", "dim"))
