"""Renders what a check of a commit found as a check run: `CommitCheck` in, `CheckRun` out, every text redacted."""

from collections.abc import Iterator

from shared.proof.check_commit import CheckOutcome, CommitCheck
from shared.proof.compare_services import Alarm, ComparedService
from shared.pushes import MAX_ANNOTATIONS, Annotation, CheckConclusion, CheckRun
from shared.service import Service
from shared.text.escaping import escape_markdown, format_code_span, to_one_line, truncate
from shared.text.phrases import pluralize, short_sha
from shared.text.redaction import redact

_MAX_LISTED = 200
_MAX_MESSAGE_LENGTH = 500
_CONCLUSIONS = {
    CheckOutcome.BROKEN: CheckConclusion.FAILURE,
    CheckOutcome.UNKNOWN: CheckConclusion.NEUTRAL,
    CheckOutcome.SOUND: CheckConclusion.SUCCESS,
}


def build_check_run(service: Service, check: CommitCheck, external_id: str, *, shares_name: bool) -> CheckRun:
    """The check run. `shares_name`: another service of the repository has the same name."""
    environment = f" ({service.environment_name})" if shares_name else ""
    located = [alarm for alarm in check.alarms if alarm.line]
    return CheckRun(
        name=f"provenfix / {service.name}{environment}",
        external_id=external_id,
        commit=check.commit,
        conclusion=_CONCLUSIONS[check.outcome],
        title=_format_title(check),
        summary="\n".join(_list_paragraphs(check)),
        annotations=tuple(_annotate(alarm) for alarm in located[:MAX_ANNOTATIONS]),
    )


def _format_title(check: CommitCheck) -> str:
    if check.alarms:
        first = check.alarms[0]
        others = f" and {len(check.alarms) - 1} more" if len(check.alarms) > 1 else ""
        return _clean(f"{first.error_class} in {first.path}{others}")
    return "Not proven" if check.reasons else "Nothing newly fails"


def _list_paragraphs(check: CommitCheck) -> Iterator[str]:
    if check.alarms:
        yield f"{pluralize(len(check.alarms), 'new failure')}, each proven. The service fails when it runs that line."
        yield ""
        yield from (_format_alarm(alarm) for alarm in check.alarms[:_MAX_LISTED])
        if len(check.alarms) > _MAX_LISTED:
            yield f"- and {len(check.alarms) - _MAX_LISTED} more"
        yield ""
    if check.reasons:
        yield "Unknown:"
        yield ""
        yield from (f"- {escape_markdown(_clean(reason))}" for reason in check.reasons)
        yield ""
    if check.baseline:
        yield f"Compared with {short_sha(check.baseline)}."
    yield from (_format_service(service) for service in check.services)


def _format_alarm(alarm: Alarm) -> str:
    position = f"{alarm.path}:{alarm.line}" if alarm.line else alarm.path
    error = _clean(f"{alarm.error_class}: {alarm.message}")
    reason = escape_markdown(_clean(f"{alarm.reason} ({alarm.checked_by})"))
    return f"- {format_code_span(_clean(position))}: {format_code_span(error)}. {reason}"


def _format_service(service: ComparedService) -> str:
    loaded = pluralize(service.loaded_count, "file")
    python = escape_markdown(_clean(f"Python {service.python} ({service.python_source})"))
    rule = escape_markdown(_clean(service.rule))
    return f"{format_code_span(_clean(service.start_path))} loads {loaded}: {rule}. {python}."


def _annotate(alarm: Alarm) -> Annotation:
    message = _clean(f"{alarm.message}. {alarm.reason} ({alarm.checked_by}).")
    return Annotation(alarm.path, alarm.line, _clean(alarm.error_class), message)


def _clean(text: str) -> str:
    return truncate(to_one_line(redact(text)), _MAX_MESSAGE_LENGTH)
