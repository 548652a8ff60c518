"""After a decision everything that is shown names what was decided, who did what, and when; and what fails still."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest

from functions.local.narration import describe_milestones, describe_step, find_approved_proposal
from functions.local.page.incident_view import IncidentReader
from functions.local.page.timeline import build_timeline
from functions.local.page.views import list_milestone_times as hands
from shared.proof.model.recommendation import ActionKind, Reason
from shared.proposal.proposal import TITLE_SEPARATOR, Label, Message, build_title, split_label, update_title
from shared.proposal.question import build_rollback_report, build_title_and_lines
from shared.proposal.rollout import WATCH_DURATION, ProbeResult
from shared.proposal.states import ProposalStatus
from shared.report.incident_status import find_text_above_first_heading
from shared.workflow.flow import IncidentState
from shared.workflow.investigate_incident import ensure_evidence, investigate_incident
from shared.workflow.issue.issue_updates import format_milestones
from shared.workflow.record import record_log_entry
from shared.workflow.records import incident_record, proposals
from shared.workflow.records.milestones import compute_milestones
from shared.workflow.redeploy import redeploy
from shared.workflow.rollout.outlook import STILL_FAILING_LABEL, Outlook, OutlookReason, assess_outlook
from tests.support import page_client
from tests.support.commit_graph import commit_id
from tests.support.drivers import (
    MINUTE,
    press_alternative_button,
    press_button,
    propose_deployment,
    read_incident,
    read_state,
    redeploy_approved,
    run_tick,
    start_watching,
)
from tests.support.harness import Harness
from tests.support.proof_samples import build_sample_report
from tests.support.slack.questions import visible_text
from tests.support.slack.rendering import render_message

OLD = "tide-00007-old"
MOMENT = r"\d{4}-\d\d-\d\dT[\d:]+Z"
BACK, TARGET = commit_id("good"), commit_id("later")


@pytest.fixture
def harness() -> Harness:
    made = Harness()
    made.prover.offers_rollback = True
    return made


def seen(harness: Harness, place: int = -1) -> str:
    """All that the channel shows of a message."""
    return visible_text(render_message(harness.services["shore.tide"], harness.chat.posted[place].message))


def narrated(harness: Harness, incident: str) -> list[str]:
    """The whole history, as the terminal tells it."""
    context = harness.start_process()
    record = incident_record.require_incident(context, incident)
    evidence = ensure_evidence(context, harness.services["shore.tide"], record)
    return [
        describe_step(record, number, evidence, find_approved_proposal(harness.store, record, number))
        for number in range(len(record.history))
    ]


def ending(standing: ProposalStatus, kind: ActionKind = ActionKind.REDEPLOY) -> str:
    """What a title ends with while the question stands so."""
    return build_title("", "x", standing, kind).removeprefix("x")


def heading(page: str) -> str:
    """The text of a page's one heading."""
    [found] = re.findall("<h1>(.*?)</h1>", page)
    return unescape(found)


def tells_the_deed_and_the_approval(text: str, message: Message) -> bool:
    """Whether the time of the last deed comes first, and then who approved it, with the time of that."""
    assert message.at is not None
    assert message.decided_at is not None
    parts = [f"{message.at:%Y-%m-%dT%H:%M:%SZ}", message.by, f"{message.decided_at:%Y-%m-%dT%H:%M:%SZ}"]
    return re.search(r"[^.\n]*".join(map(re.escape, parts)), text) is not None


def counts(number: int, at: str) -> re.Pattern[str]:
    """What a text that was counted at that moment holds, on one line: the number, then the moment."""
    return re.compile(rf"\b{number}\b[^\d\n]+{re.escape(at)}")


def outlook(harness: Harness, incident: str) -> Outlook:
    """What is to be known after the rollout has come to nothing, as it stands now."""
    context, service = harness.start_process(), harness.services["shore.tide"]
    record = incident_record.require_incident(context, incident)
    return assess_outlook(
        service, record, proposals.require_proposal(context, record.proposal), ensure_evidence(context, service, record)
    )


def gone_back(harness: Harness) -> str:
    """The other button was pressed, and it is deployed."""
    incident = propose_deployment(harness)
    press_alternative_button(harness)
    redeploy_approved(harness)
    run_tick(harness, 2 * MINUTE)
    return incident


def taken_back(harness: Harness) -> str:
    """What was approved is deployed, fails its probe twice, and is taken back."""
    incident = start_watching(harness)
    harness.probe.result = ProbeResult(ok=False)
    run_tick(harness)
    run_tick(harness)
    return incident


class TestWhatWasDecided:
    def test_the_message_names_it_in_its_title_and_in_its_lines(self, harness: Harness) -> None:
        gone_back(harness)
        message = harness.chat.posted[0].message
        assert (message.commit, message.kind) == (BACK, ActionKind.ROLLBACK)
        lines = dict(split_label(line) for line in message.lines)
        assert BACK[:12] in lines[Label.PROPOSAL]
        assert BACK[:12] in lines[Label.SHIPS]
        assert Label.INSTEAD not in lines
        assert not any(TARGET[:12] in line for line in message.lines)
        assert message.standing is ProposalStatus.WATCHING
        assert message.title.endswith(ending(ProposalStatus.WATCHING, ActionKind.ROLLBACK))

    def test_terminal_names_what_was_decided(self, harness: Harness) -> None:
        incident = gone_back(harness)
        told = narrated(harness, incident)
        record = incident_record.require_incident(harness.start_process(), incident)
        assert [step.state for step in record.history[2:4]] == [IncidentState.APPROVED, IncidentState.DEPLOYING]
        assert all(BACK[:12] in each for each in told[2:4])
        assert not any(TARGET[:12] in each for each in told[2:])
        approval = find_approved_proposal(harness.store, record, 2)
        assert approval["kind"] == ActionKind.ROLLBACK
        assert told[2] == describe_step(record, 2, {}, approval)
        assert told[2] != describe_step(record, 2, {}, {**approval, "kind": ActionKind.REDEPLOY.value})

    def test_page_names_what_was_decided(self, harness: Harness) -> None:
        incident = gone_back(harness)
        body = page_client.request_page(page_client.build_site(harness), f"/incidents/{incident}").body
        ships = body.partition('id="ships-title"')[2].partition("</section>")[0]
        assert BACK[:12] in ships
        assert TARGET[:12] not in ships
        assert heading(body).endswith(ending(ProposalStatus.WATCHING, ActionKind.ROLLBACK))

    def test_before_the_decision_the_page_shows_what_is_proposed(self, harness: Harness) -> None:
        body = page_client.request_page(
            page_client.build_site(harness), f"/incidents/{propose_deployment(harness)}"
        ).body
        assert TARGET[:12] in body.partition('id="ships-title"')[2].partition("</section>")[0]
        message = harness.chat.posted[0].message
        assert (message.standing, heading(body)) == (ProposalStatus.OPEN, message.title)
        assert not any(
            heading(body).endswith(ending(each)) for each in ProposalStatus if each is not ProposalStatus.OPEN
        )

    def test_issue_names_what_was_decided(self, harness: Harness) -> None:
        gone_back(harness)
        (issue,) = harness.issues.issues
        assert issue.title.endswith(ending(ProposalStatus.WATCHING, ActionKind.ROLLBACK))
        part = find_text_above_first_heading(issue.body)
        assert (BACK[:12] in part, TARGET[:12] in part) == (True, False)
        assert tells_the_deed_and_the_approval(part, harness.chat.posted[0].message)

    def test_what_is_resolved_is_not_said_to_be_undeployed(self, harness: Harness) -> None:
        incident = start_watching(harness)
        run_tick(harness, WATCH_DURATION)
        assert read_state(harness, incident) == "resolved"
        context = harness.start_process()
        evidence = ensure_evidence(
            context, harness.services["shore.tide"], incident_record.require_incident(context, incident)
        )
        undeployed = str(evidence["headline"]).rpartition(TITLE_SEPARATOR)[2]
        page = page_client.request_page(page_client.build_site(harness), f"/incidents/{incident}").body
        for title in (harness.issues.issues[0].title, harness.chat.posted[0].message.title, page.partition("</h1>")[0]):
            assert title.endswith(ending(ProposalStatus.RESOLVED))
            assert undeployed not in title

    def test_a_title_that_a_person_has_given_stays(self, harness: Harness) -> None:
        propose_deployment(harness)
        own = "the tide is out"
        harness.issues.issues[0].title = own
        press_button(harness)
        redeploy_approved(harness)
        run_tick(harness, 2 * MINUTE)
        assert harness.issues.issues[0].title == own

    @pytest.mark.parametrize("kind", [ActionKind.REDEPLOY, ActionKind.ROLLBACK])
    @pytest.mark.parametrize("standing", [each for each in ProposalStatus if each is not ProposalStatus.OPEN])
    def test_every_title_can_be_replaced_by_every_other(self, standing: ProposalStatus, kind: ActionKind) -> None:
        asked = "tide: SyntaxError in a.py: fix merged, not deployed"
        made = build_title(asked, "tide: SyntaxError in a.py", standing, kind)
        assert made != asked
        assert (update_title(asked, made), update_title(made, asked), update_title(asked, "")) == (made, asked, asked)

    def test_no_two_ways_to_stand_end_a_title_alike(self) -> None:
        ways = [each for each in ProposalStatus if each is not ProposalStatus.OPEN]
        ends = [ending(each) for each in ways]
        assert len(set(ends)) == len(ends)
        back = {each for each in ways if ending(each, ActionKind.ROLLBACK) not in ends}
        assert back == {ProposalStatus.APPROVED, ProposalStatus.WATCHING, ProposalStatus.RESOLVED}

    def test_going_back_is_offered_in_words_only_where_it_is_possible(self) -> None:
        assert build_rollback_report(build_sample_report("design")) is None
        assert build_rollback_report(build_sample_report("rollback")) is None


class TestWhoDidWhatAndWhen:
    def test_rollback_and_approval_are_shown_at_their_own_times(self, harness: Harness) -> None:
        harness.prover.offers_rollback = False
        approved_at = harness.clock.now()
        incident = taken_back(harness)
        at = incident_record.require_incident(harness.start_process(), incident).ended_at
        assert at is not None
        assert at > approved_at
        message = harness.chat.posted[0].message
        assert (message.standing, message.at) == (ProposalStatus.ROLLED_BACK, at)
        assert (message.by, message.decided_at) == ("U-NORA", approved_at)
        assert tells_the_deed_and_the_approval(seen(harness), message)
        comment = harness.issues.issues[0].comments[-1]
        assert tells_the_deed_and_the_approval(comment, message)
        assert f"nora (`{message.by}`)" in comment
        steps = read_incident(harness, incident)["history"]
        assert isinstance(steps, list)
        assert steps[-1]["at"] == f"{at:%Y-%m-%dT%H:%M:%SZ}", "the history, and so the page, has the same time"

    def test_watching_and_resolving_are_not_attributed_to_approvers(self, harness: Harness) -> None:
        approved_at = harness.clock.now()
        start_watching(harness)
        deployed = harness.chat.posted[0].message
        run_tick(harness, WATCH_DURATION)
        resolved = harness.chat.posted[0].message
        assert (deployed.standing, deployed.at) == (ProposalStatus.WATCHING, approved_at + 2 * MINUTE)
        assert (resolved.standing, resolved.at) == (ProposalStatus.RESOLVED, approved_at + 2 * MINUTE + WATCH_DURATION)
        for message in (deployed, resolved):
            assert (message.by, message.decided_at) == ("U-NORA", approved_at)
            text = visible_text(render_message(harness.services["shore.tide"], message))
            assert tells_the_deed_and_the_approval(text, message)

    def test_page_names_the_approver_and_not_the_function(self, harness: Harness) -> None:
        incident = start_watching(harness)
        dossier = IncidentReader(harness.store, harness.services).read_incident(incident)
        assert dossier is not None
        [approval] = [each.text for each in build_timeline(dossier) if each.label == "approved"]
        assert "U-NORA" in approval

    def test_nobody_is_named_where_nobody_decided(self, harness: Harness) -> None:
        propose_deployment(harness)
        run_tick(harness, timedelta(hours=6))
        message = harness.chat.posted[0].message
        assert (message.standing, message.at, message.by) == (ProposalStatus.EXPIRED, harness.clock.now(), "")
        assert f"{message.at:%Y-%m-%dT%H:%M:%SZ}" in seen(harness)
        assert "U-NORA" not in seen(harness)


class TestWhatStillFails:
    def test_next_question_is_a_new_one_in_the_same_incident(self, harness: Harness) -> None:
        incident = taken_back(harness)
        assert read_state(harness, incident) == "opened"
        assert STILL_FAILING_LABEL in seen(harness, 0)
        assert BACK[:12] in harness.chat.posted[0].message.reason
        harness.clock.advance(MINUTE)
        investigate_incident(harness.start_process(), incident)
        first, second = (posted.message for posted in harness.chat.posted)
        assert (second.incident, second.kind, second.commit) == (incident, ActionKind.ROLLBACK, BACK)
        assert (second.standing, second.alternative) == (ProposalStatus.OPEN, None)
        context = harness.start_process()
        record = incident_record.require_incident(context, incident)
        assert (record.ending, record.ended_at, record.rollout) == (None, None, None)
        detail = str(ensure_evidence(context, harness.services["shore.tide"], record)["detail"])
        assert [commit in detail for commit in (TARGET, BACK)] == [True, True]
        assert second.proposal != first.proposal
        assert second.evidence_hash != first.evidence_hash
        assert second.expires_at > first.expires_at
        assert (read_state(harness, incident), len(harness.issues.issues)) == ("proposed", 1)
        assert [re.findall("part=(\\S+)", each)[0] for each in harness.issues.issues[0].comments] == [
            "proposed", "approved", "deployed", "rolled_back", "proposed2",
        ]  # fmt: skip
        assert STILL_FAILING_LABEL in harness.issues.issues[0].comments[3]

    def test_an_approval_of_it_goes_back_and_is_watched(self, harness: Harness) -> None:
        incident = taken_back(harness)
        investigate_incident(harness.start_process(), incident)
        harness.bus.waiting.clear()
        harness.probe.result = ProbeResult(ok=True)
        assert press_button(harness).is_accepted
        redeploy_approved(harness)
        run_tick(harness, 2 * MINUTE)
        assert [operation.commit for operation in harness.cloud.operations] == [TARGET, BACK]
        run_tick(harness, WATCH_DURATION)
        assert read_state(harness, incident) == "resolved"
        assert harness.issues.issues[0].title.endswith(ending(ProposalStatus.RESOLVED, ActionKind.ROLLBACK))

    def test_the_old_approval_deploys_nothing_any_more(self, harness: Harness) -> None:
        incident = taken_back(harness)
        investigate_incident(harness.start_process(), incident)
        redeploy(harness.start_process(), harness.chat.posted[0].message.proposal)
        assert read_state(harness, incident) == "proposed"
        assert len(harness.cloud.operations) == 1

    def test_late_entries_of_the_failed_revision_do_not_count(self, harness: Harness) -> None:
        incident = taken_back(harness)
        failed = harness.cloud.operations[0].revision
        assert record_log_entry(harness.start_process(), harness.log_entry(revision=failed)).name == "duplicate"
        investigate_incident(harness.start_process(), incident)
        harness.bus.waiting.clear()
        harness.probe.result = ProbeResult(ok=True)
        press_button(harness)
        redeploy_approved(harness)
        run_tick(harness, 2 * MINUTE)
        record_log_entry(harness.start_process(), harness.log_entry(revision=failed))
        run_tick(harness)
        assert read_state(harness, incident) == "watching"
        assert failed not in read_incident(harness, incident)["revisions"]  # type: ignore[operator]

    def test_failed_commit_is_never_proposed_again(self, harness: Harness) -> None:
        incident = taken_back(harness)
        investigate_incident(harness.start_process(), incident)
        harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00009-hand", commit_id("attempt"))
        run_tick(harness)
        investigate_incident(harness.start_process(), incident)
        assert [posted.message.commit for posted in harness.chat.posted] == [TARGET, BACK, BACK]

    def test_a_deployment_that_fails_leads_to_the_same_question(self, harness: Harness) -> None:
        harness.cloud.failure_reason = "the build failed"
        incident = start_watching(harness)
        assert read_state(harness, incident) == "opened"
        investigate_incident(harness.start_process(), incident)
        assert harness.chat.posted[-1].message.commit == BACK

    def test_without_an_earlier_state_it_is_said_who_must_act(self, harness: Harness) -> None:
        harness.prover.offers_rollback = False
        incident = taken_back(harness)
        assert (read_state(harness, incident), len(harness.chat.posted)) == ("rolled_back", 1)
        left = outlook(harness, incident)
        assert (left.reason, left.commit) == (OutlookReason.BY_HAND, "")
        assert all(each in left.words for each in (STILL_FAILING_LABEL, harness.services["shore.tide"].name))
        for told in (seen(harness), harness.issues.issues[0].comments[-1], narrated(harness, incident)[-1]):
            assert left.words in told

    def test_after_going_back_has_failed_as_well_nothing_is_left_to_ask(self, harness: Harness) -> None:
        incident = gone_back(harness)
        harness.probe.result = ProbeResult(ok=False)
        run_tick(harness)
        run_tick(harness)
        assert read_state(harness, incident) == "rolled_back"
        left = outlook(harness, incident)
        assert left.reason is OutlookReason.BY_HAND
        assert left.words in seen(harness)

    def test_what_serves_again_and_never_failed_is_not_said_to_fail(self, harness: Harness) -> None:
        """The failing revision never had traffic: its users have had another one all the time."""
        entry = harness.log_entry(revision="tide-00008-bad")
        incident = record_log_entry(harness.start_process(), entry).incident
        investigate_incident(harness.start_process(), incident)
        harness.bus.waiting.clear()
        press_button(harness)
        redeploy_approved(harness)
        run_tick(harness, 2 * MINUTE)
        harness.probe.result = ProbeResult(ok=False)
        run_tick(harness)
        run_tick(harness)
        assert read_state(harness, incident) == "rolled_back"
        assert STILL_FAILING_LABEL not in seen(harness)
        serves = outlook(harness, incident)
        assert (serves.reason, OLD in serves.words) == (OutlookReason.NOT_KNOWN_TO_FAIL, True)
        assert serves.words in seen(harness)

    def test_where_no_entry_names_a_revision_nobody_knows_whether_it_fails(self, harness: Harness) -> None:
        harness.prover.offers_rollback = False
        incident = taken_back(harness)
        incident_record.update_incident(harness.start_process(), incident, lambda now: replace(now, revisions=()))
        assert outlook(harness, incident).reason is OutlookReason.NO_REVISION_LOGGED

    def test_a_person_who_ends_the_automation_meanwhile_is_asked_nothing(self, harness: Harness) -> None:
        incident = taken_back(harness)
        harness.issues.issues[0].labels.add("provenfix:wrong")
        investigate_incident(harness.start_process(), incident)
        run_tick(harness)
        assert read_state(harness, incident) == "muted"
        assert len(harness.cloud.operations) == 1


class TestCountsAndClocks:
    def test_count_states_its_time_and_is_renewed_with_each_question(self, harness: Harness) -> None:
        incident = taken_back(harness)
        harness.log_entry()
        harness.clock.advance(MINUTE)
        investigate_incident(harness.start_process(), incident)
        since = [
            dict(split_label(line) for line in posted.message.lines)[Label.SINCE] for posted in harness.chat.posted
        ]
        now = harness.clock.now()
        assert counts(1, "2026-04-07T08:00:00Z").search(since[0])
        assert counts(2, f"{now:%Y-%m-%dT%H:%M:%SZ}").search(since[1])
        assert counts(2, f"{now:%Y-%m-%dT%H:%M:%SZ}").search(harness.issues.issues[0].body)
        page = page_client.request_page(page_client.build_site(harness), f"/incidents/{incident}").body
        assert counts(2, f"{now:%Y-%m-%d %H:%M:%S} UTC").search(re.sub("<[^>]*>", "", page))

    def test_a_log_that_is_complete_has_no_time_of_counting(self) -> None:
        complete = build_sample_report("design")
        assert complete.counted_at is None
        later = build_title_and_lines(replace(complete, counted_at=datetime(2026, 5, 1, tzinfo=UTC)))[1]
        assert [line for line in later if "2026-05-01T00:00:00Z" in line] != []
        differs = [
            (line, now) for line, now in zip(build_title_and_lines(complete)[1], later, strict=True) if line != now
        ]
        assert [re.findall(MOMENT, line) for line, _ in differs] == [["2026-03-01T03:43:43Z"]], "when it began"

    def test_terminal_page_and_issue_count_from_the_first_log_entry_and_say_so(self, harness: Harness) -> None:
        harness.clock.advance(MINUTE)
        entry = harness.log_entry(at=harness.clock.now() - timedelta(seconds=15))
        incident = record_log_entry(harness.start_process(), entry).incident
        harness.clock.advance(timedelta(seconds=5))
        investigate_incident(harness.start_process(), incident)
        record = incident_record.require_incident(harness.start_process(), incident)
        assert compute_milestones(record).logged == entry.timestamp
        began, *reached = describe_milestones(record)
        assert re.findall(MOMENT, began) == ["2026-04-07T08:00:45Z"]
        assert reached == ["detected +15 s", "proposed +20 s"]
        assert [(hand.name, hand.after) for hand in hands(record)[:3]] == [
            ("logged", ""), ("detected", "15 s"), ("proposed", "20 s"),
        ]  # fmt: skip
        assert format_milestones(record) in harness.issues.issues[0].body
        assert re.search(r"2026-04-07T08:00:45Z.*detected.* 15 s.*proposed.* 20 s", format_milestones(record))
        page = page_client.request_page(page_client.build_site(harness), f"/incidents/{incident}").body
        [label] = re.findall('<ol class="clock" aria-label="(.+?)"', page)
        assert f'<p class="note">{label}:</p>' in page, "it is seen, and not only heard, from when it is counted"
        ticks = page.partition('<ol class="clock"')[2].partition("</ol>")[0]
        assert re.findall('<time datetime="(.+?)"', ticks)[0] == "2026-04-07T08:00:45+00:00"
        assert re.findall(r"\d+ s\b", ticks) == ["15 s", "20 s"]

    def test_nothing_is_called_the_last_entry_that_is_only_the_last_one_kept(self, harness: Harness) -> None:
        propose_deployment(harness)
        assert "Last logged" not in page_client.request_page(page_client.build_site(harness), "/").body


def test_what_nobody_looked_at_is_neither_ruled_in_nor_out(harness: Harness) -> None:
    propose_deployment(harness)
    table = harness.issues.issues[0].body.partition("<summary>Resources")[2].partition("</details>")[0]
    rows = [row.split("|")[1:-1] for row in table.splitlines() if row.startswith("| ")][2:]
    assert [row[-1].strip() for row in rows] == ["not checked"] * 3
    assert "ruled out" not in table


def test_a_reason_is_named_where_everything_was_tried(harness: Harness) -> None:
    harness.prover.offers_rollback = False
    incident = taken_back(harness)
    context = harness.start_process()
    incident_record.update_incident(context, incident, lambda now: replace(now, failed_commits=(TARGET,), look=2))
    evidence = ensure_evidence(
        context, harness.services["shore.tide"], incident_record.require_incident(context, incident)
    )
    assert (evidence["kind"], evidence["reason"]) == (ActionKind.NONE.value, Reason.FIX_DID_NOT_HOLD.value)
