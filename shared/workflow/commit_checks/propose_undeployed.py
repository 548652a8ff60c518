"""Turns a fix that is not deployed into a question: an approver asks for it, and the next tick opens an incident.

What follows is what follows a failure in the log: the same proof, the same gates, the same question.
"""

from hashlib import blake2b

from shared.proof.compare_services import SYNTAX, Alarm
from shared.proposal.decision import Click, ClickResult, find_origin_refusal
from shared.service import Service
from shared.workflow.commit_checks.check_revision import build_found_signal, read_source_line
from shared.workflow.context import Context
from shared.workflow.record import record_found_failure
from shared.workflow.records import radars
from shared.workflow.records.radars import Radar, RadarEntry


def find_provable_entry(radar: Radar) -> RadarEntry | None:
    """The entry that a proof is asked for, a file that does not compile before all else; None where there is none."""
    provable = [entry for entry in radar.entries if entry.line and entry.fix]
    return min(provable, key=lambda entry: entry.family != SYNTAX, default=None)


def compute_radar_sign(radar: Radar) -> str:
    """Changes with what is deployed and with the branch's head: a click on an older line counts no more."""
    return blake2b(f"{radar.revision} {radar.deployed} {radar.head}".encode(), digest_size=8).hexdigest()


def request_proposal(context: Context, click: Click) -> ClickResult:
    """Stores that an approver asks for the question. Raises Retry."""
    service = context.services.get(click.incident)
    if service is None:
        return ClickResult.UNKNOWN_PROPOSAL
    members = context.chat.list_group_members(service.approver_group) if service.approver_group else ()
    refused = find_origin_refusal(click, service, members)
    if refused is not None:
        return refused
    radar = radars.load_radar(context, service)
    if find_provable_entry(radar) is None or click.evidence_hash != compute_radar_sign(radar):
        return ClickResult.CHANGED_SINCE
    radars.store_wanted(context, service, click.user)
    return ClickResult.QUESTION_FOLLOWS


def open_wanted_incident(context: Context, service: Service, radar: Radar) -> None:
    """Opens the incident that was asked for, where that revision still serves. Raises Retry."""
    entry = find_provable_entry(radar)
    if entry is not None and context.revisions.get_traffic(service).get(radar.revision):
        with context.open_history(service) as history:
            line = read_source_line(history, radar.deployed, entry.path, entry.line)
        signal = build_found_signal(context, service, radar.revision, _build_alarm(entry), line)
        record_found_failure(context, service, signal)
    radars.store_wanted(context, service, "")  # last: a tick that ends before this finds the incident open


def _build_alarm(entry: RadarEntry) -> Alarm:
    return Alarm(
        entry.family, entry.path, entry.line, entry.error_class, entry.message, reason="", checked_by="", start_path="",
        function=entry.function,
    )  # fmt: skip
