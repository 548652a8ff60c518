"""After a decision everything that is shown names what was decided, who did what, and when; and what fails still."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest

from functions.local.narration import find_approved_proposal, describe_milestones, describe_step
from functions.local.page.incident_view import IncidentReader
from functions.local.page.timeline import build_timeline
from functions.local.page.views import list_milestone_times as hands
from shared.proof.model.finding import ActionKind, Reason
from shared.proposal.proposal import Message, ProposalStatus
from shared.proposal.question import Label, build_rollback_report, split_label, build_title_and_lines
from shared.proposal.title import TITLE_SEPARATOR, update_title, build_title
from shared.proposal.verdict import WATCH_DURATION, ProbeResult
from shared.report.incident_status import text_above_first_heading
from shared.workflow.flow import IncidentState
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.investigation.gather_evidence import ensure_evidence
from shared.workflow.issue.issue_updates import format_milestones
from shared.workflow.record import record_log_entry
from shared.workflow.records import incident_records, proposals
from shared.workflow.records.milestones import compute_milestones
from shared.workflow.redeploy import redeploy
from shared.workflow.rollout.next_question import STILL_FAILING_LABEL, Outlook, OutlookReason, assess_outlook
from tests.support import paged
from tests.support.drivers import (
    MINUTE,
    read_incident,
    press_button,
    press_alternative_button,
    propose_deployment,
    redeploy_approved,
    read_state,
    run_tick,
    start_watching,
)
from tests.support.harness import Harness
from tests.support.past import commit_id
from tests.support.proof_samples import build_sample_report
from tests.support.slack.shown import render_message
from tests.unit.test_slack_layout import visible_text

OLD = "tide-00007-old"
MOMENT = r"\d{4}-\d\d-\d\dT[\d:]+Z"
BACK, TARGET = commit_id("good"), commit_id("later")


@pytest.fixture
def harness() -> Harness:
    made = Harness()
    made.answer.back = True
    return made


def seen(harness: Harness, place: int = -1) -> str:
    """All that the channel shows of a message."""
    return visible_text(render_message(harness.services["shore.tide"], harness.chat.all[place].message))


def narrated(harness: Harness, incident: str) -> list[str]:
    """The whole history, as the terminal tells it."""
    world = harness.process()
    case = incident_records.require_incident(world, incident)
    evidence = ensure_evidence(world, harness.services["shore.tide"], case)
    return [
        describe_step(case, number, evidence, find_approved_proposal(harness.store, case, number))
        for number in range(len(case.history))
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
    world, service = harness.process(), harness.services["shore.tide"]
    case = incident_records.require_incident(world, incident)
    return assess_outlook(service, case, proposals.require_proposal(world, case.proposal), ensure_evidence(world, service, case))


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
    harness.probe.answer = ProbeResult(ok=False)
    run_tick(harness)
    run_tick(harness)
    return incident


class TestWhatWasDecided:
    def test_the_message_names_it_in_its_title_and_in_its_lines(self, setting: Harness) -> None:
        gone_back(setting)
        message = setting.chat.all[0].message
        assert (message.commit, message.kind) == (BACK, ActionKind.ROLLBACK)
        lines = dict(split_label(line) for line in message.lines)
        assert BACK[:12] in lines[Label.PROPOSAL]
        assert BACK[:12] in lines[Label.SHIPS]
        assert Label.INSTEAD not in lines
        assert not any(TARGET[:12] in line for line in message.lines)
        assert message.standing is ProposalStatus.WATCHING
        assert message.title.endswith(ending(ProposalStatus.WATCHING, ActionKind.ROLLBACK))

    def test_so_does_the_terminal(self, setting: Harness) -> None:
        incident = gone_back(setting)
        told = narrated(setting, incident)
        case = incident_records.require_incident(setting.process(), incident)
        assert [step["state"] for step in case.history[2:4]] == [IncidentState.APPROVED, IncidentState.DEPLOYING]
        assert all(BACK[:12] in each for each in told[2:4])
        assert not any(TARGET[:12] in each for each in told[2:])
        approval = find_approved_proposal(setting.store, case, 2)
        assert approval["kind"] == ActionKind.ROLLBACK
        assert told[2] == describe_step(case, 2, {}, approval)
        assert told[2] != describe_step(case, 2, {}, {**approval, "kind": ActionKind.REDEPLOY.value})

    def test_so_does_the_page(self, setting: Harness) -> None:
        incident = gone_back(setting)
        body = paged.request_page(paged.build_site(setting), f"/incidents/{incident}").body
        ships = body.partition('id="ships-title"')[2].partition("</section>")[0]
        assert BACK[:12] in ships
        assert TARGET[:12] not in ships
        assert heading(body).endswith(ending(ProposalStatus.WATCHING, ActionKind.ROLLBACK))

    def test_before_the_decision_the_page_shows_what_is_proposed(self, setting: Harness) -> None:
        body = paged.request_page(paged.build_site(setting), f"/incidents/{propose_deployment(setting)}").body
        assert TARGET[:12] in body.partition('id="ships-title"')[2].partition("</section>")[0]
        message = setting.chat.all[0].message
        assert (message.standing, heading(body)) == (ProposalStatus.OPEN, message.title)
        assert not any(heading(body).endswith(ending(each)) for each in ProposalStatus if each is not ProposalStatus.OPEN)

    def test_so_does_the_issue(self, setting: Harness) -> None:
        gone_back(setting)
        (issue,) = setting.issues.all
        assert issue.title.endswith(ending(ProposalStatus.WATCHING, ActionKind.ROLLBACK))
        part = text_above_first_heading(issue.body)
        assert (BACK in part, TARGET in part) == (True, False)
        assert tells_the_deed_and_the_approval(part, setting.chat.all[0].message)

    def test_what_is_resolved_is_not_said_to_be_undeployed(self, setting: Harness) -> None:
        incident = start_watching(setting)
        run_tick(setting, WATCH_DURATION)
        assert read_state(setting, incident) == "resolved"
        world = setting.process()
        evidence = ensure_evidence(world, setting.services["shore.tide"], incident_records.require_incident(world, incident))
        undeployed = str(evidence["headline"]).rpartition(TITLE_SEPARATOR)[2]
        page = paged.request_page(paged.build_site(setting), f"/incidents/{incident}").body
        for title in (setting.issues.all[0].title, setting.chat.all[0].message.title, page.partition("</h1>")[0]):
            assert title.endswith(ending(ProposalStatus.RESOLVED))
            assert undeployed not in title

    def test_a_title_that_a_person_has_given_stays(self, setting: Harness) -> None:
        propose_deployment(setting)
        own = "the tide is out"
        setting.issues.all[0].title = own
        press_button(setting)
        redeploy_approved(setting)
        run_tick(setting, 2 * MINUTE)
        assert setting.issues.all[0].title == own

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
    def test_a_rollback_is_told_as_automatic_at_its_time_and_the_approval_at_its_own(self, setting: Harness) -> None:
        setting.answer.back = False
        approved_at = setting.clock.now()
        incident = taken_back(setting)
        at = incident_records.require_incident(setting.process(), incident).ended_at
        assert at is not None
        assert at > approved_at
        message = setting.chat.all[0].message
        assert (message.standing, message.at) == (ProposalStatus.ROLLED_BACK, at)
        assert (message.by, message.decided_at) == ("U-NORA", approved_at)
        assert tells_the_deed_and_the_approval(seen(setting), message)
        comment = setting.issues.all[0].comments[-1]
        assert tells_the_deed_and_the_approval(comment, message)
        assert f"nora (`{message.by}`)" in comment
        steps = read_incident(setting, incident)["history"]
        assert isinstance(steps, list)
        assert steps[-1]["at"] == f"{at:%Y-%m-%dT%H:%M:%SZ}", "the history, and so the page, has the same time"

    def test_what_is_watched_and_what_is_resolved_was_done_by_nobody_who_approved(self, setting: Harness) -> None:
        approved_at = setting.clock.now()
        start_watching(setting)
        deployed = setting.chat.all[0].message
        run_tick(setting, WATCH_DURATION)
        resolved = setting.chat.all[0].message
        assert (deployed.standing, deployed.at) == (ProposalStatus.WATCHING, approved_at + 2 * MINUTE)
        assert (resolved.standing, resolved.at) == (ProposalStatus.RESOLVED, approved_at + 2 * MINUTE + WATCH_DURATION)
        for message in (deployed, resolved):
            assert (message.by, message.decided_at) == ("U-NORA", approved_at)
            text = visible_text(render_message(setting.services["shore.tide"], message))
            assert tells_the_deed_and_the_approval(text, message)

    def test_the_page_names_the_person_who_approved_and_not_the_function_that_acted(self, setting: Harness) -> None:
        incident = start_watching(setting)
        dossier = IncidentReader(setting.store, setting.services).read_incident(incident)
        assert dossier is not None
        [approval] = [each.text for each in build_timeline(dossier) if each.label == "approved"]
        assert "U-NORA" in approval

    def test_nobody_is_named_where_nobody_decided(self, setting: Harness) -> None:
        propose_deployment(setting)
        run_tick(setting, timedelta(hours=6))
        message = setting.chat.all[0].message
        assert (message.standing, message.at, message.by) == (ProposalStatus.EXPIRED, setting.clock.now(), "")
        assert f"{message.at:%Y-%m-%dT%H:%M:%SZ}" in seen(setting)
        assert "U-NORA" not in seen(setting)


class TestWhatStillFails:
    def test_the_next_question_is_asked_in_the_same_incident_and_is_another_one(self, setting: Harness) -> None:
        incident = taken_back(setting)
        assert read_state(setting, incident) == "opened"
        assert STILL_FAILING_LABEL in seen(setting, 0)
        assert BACK[:12] in setting.chat.all[0].message.reason
        setting.clock.turn(MINUTE)
        investigate_incident(setting.process(), incident)
        first, second = (posted.message for posted in setting.chat.all)
        assert (second.incident, second.kind, second.commit) == (incident, ActionKind.ROLLBACK, BACK)
        assert (second.standing, second.alternative) == (ProposalStatus.OPEN, None)
        assert second.proposal != first.proposal
        assert second.evidence_hash != first.evidence_hash
        assert second.expires_at > first.expires_at
        assert (read_state(setting, incident), len(setting.issues.all)) == ("proposed", 1)
        assert [re.findall("part=(\\S+)", each)[0] for each in setting.issues.all[0].comments] == [
            "proposed", "approved", "deployed", "rolled_back", "proposed2",
        ]  # fmt: skip
        assert STILL_FAILING_LABEL in setting.issues.all[0].comments[3]

    def test_an_approval_of_it_goes_back_and_is_watched(self, setting: Harness) -> None:
        incident = taken_back(setting)
        investigate_incident(setting.process(), incident)
        setting.bus.waiting.clear()
        setting.probe.answer = ProbeResult(ok=True)
        assert press_button(setting).is_accepted
        redeploy_approved(setting)
        run_tick(setting, 2 * MINUTE)
        assert [operation.commit for operation in setting.cloud.operations] == [TARGET, BACK]
        run_tick(setting, WATCH_DURATION)
        assert read_state(setting, incident) == "resolved"
        assert setting.issues.all[0].title.endswith(ending(ProposalStatus.RESOLVED, ActionKind.ROLLBACK))

    def test_the_old_approval_deploys_nothing_any_more(self, setting: Harness) -> None:
        incident = taken_back(setting)
        investigate_incident(setting.process(), incident)
        redeploy(setting.process(), setting.chat.all[0].message.proposal)
        assert read_state(setting, incident) == "proposed"
        assert len(setting.cloud.operations) == 1

    def test_what_the_failed_revision_logs_later_does_not_count_against_the_next_one(self, setting: Harness) -> None:
        incident = taken_back(setting)
        failed = setting.cloud.operations[0].revision
        assert record_log_entry(setting.process(), setting.entry(revision=failed)).name == "duplicate"
        investigate_incident(setting.process(), incident)
        setting.bus.waiting.clear()
        setting.probe.answer = ProbeResult(ok=True)
        press_button(setting)
        redeploy_approved(setting)
        run_tick(setting, 2 * MINUTE)
        record_log_entry(setting.process(), setting.entry(revision=failed))
        run_tick(setting)
        assert read_state(setting, incident) == "watching"
        assert failed not in read_incident(setting, incident)["revisions"]  # type: ignore[operator]

    def test_what_has_failed_is_not_proposed_again_however_often_it_is_looked_at(self, setting: Harness) -> None:
        incident = taken_back(setting)
        investigate_incident(setting.process(), incident)
        setting.cloud.deploy_by_hand(setting.services["shore.tide"], "tide-00009-hand", commit_id("attempt"))
        run_tick(setting)
        investigate_incident(setting.process(), incident)
        assert [posted.message.commit for posted in setting.chat.all] == [TARGET, BACK, BACK]

    def test_a_deployment_that_fails_leads_to_the_same_question(self, setting: Harness) -> None:
        setting.cloud.fails = "the build failed"
        incident = start_watching(setting)
        assert read_state(setting, incident) == "opened"
        investigate_incident(setting.process(), incident)
        assert setting.chat.all[-1].message.commit == BACK

    def test_without_an_earlier_state_it_is_said_who_must_act(self, setting: Harness) -> None:
        setting.answer.back = False
        incident = taken_back(setting)
        assert (read_state(setting, incident), len(setting.chat.all)) == ("rolled_back", 1)
        left = outlook(setting, incident)
        assert (left.reason, left.commit) == (OutlookReason.BY_HAND, "")
        assert all(each in left.words for each in (STILL_FAILING_LABEL, setting.services["shore.tide"].name))
        for told in (seen(setting), setting.issues.all[0].comments[-1], narrated(setting, incident)[-1]):
            assert left.words in told

    def test_after_going_back_has_failed_as_well_nothing_is_left_to_ask(self, setting: Harness) -> None:
        incident = gone_back(setting)
        setting.probe.answer = ProbeResult(ok=False)
        run_tick(setting)
        run_tick(setting)
        assert read_state(setting, incident) == "rolled_back"
        left = outlook(setting, incident)
        assert left.reason is OutlookReason.BY_HAND
        assert left.words in seen(setting)

    def test_what_serves_again_and_never_failed_is_not_said_to_fail(self, setting: Harness) -> None:
        """The failing revision never had traffic: its users have had another one all the time."""
        entry = setting.entry(revision="tide-00008-bad")
        incident = record_log_entry(setting.process(), entry).incident
        investigate_incident(setting.process(), incident)
        setting.bus.waiting.clear()
        press_button(setting)
        redeploy_approved(setting)
        run_tick(setting, 2 * MINUTE)
        setting.probe.answer = ProbeResult(ok=False)
        run_tick(setting)
        run_tick(setting)
        assert read_state(setting, incident) == "rolled_back"
        assert STILL_FAILING_LABEL not in seen(setting)
        serves = outlook(setting, incident)
        assert (serves.reason, OLD in serves.words) == (OutlookReason.NOT_KNOWN_TO_FAIL, True)
        assert serves.words in seen(setting)

    def test_a_person_who_ends_the_automation_meanwhile_is_asked_nothing(self, setting: Harness) -> None:
        incident = taken_back(setting)
        setting.issues.all[0].labels.add("provenfix:wrong")
        investigate_incident(setting.process(), incident)
        run_tick(setting)
        assert read_state(setting, incident) == "muted"
        assert len(setting.cloud.operations) == 1


class TestCountsAndClocks:
    def test_a_count_says_when_it_was_made_and_is_made_anew_with_the_next_question(self, setting: Harness) -> None:
        incident = taken_back(setting)
        setting.entry()
        setting.clock.turn(MINUTE)
        investigate_incident(setting.process(), incident)
        since = [dict(split_label(line) for line in posted.message.lines)[Label.SINCE] for posted in setting.chat.all]
        now = setting.clock.now()
        assert counts(1, "2026-04-07T08:00:00Z").search(since[0])
        assert counts(2, f"{now:%Y-%m-%dT%H:%M:%SZ}").search(since[1])
        assert counts(2, f"{now:%Y-%m-%dT%H:%M:%SZ}").search(setting.issues.all[0].body)
        page = paged.request_page(paged.build_site(setting), f"/incidents/{incident}").body
        assert counts(2, f"{now:%Y-%m-%d %H:%M:%S} UTC").search(page)

    def test_a_log_that_is_complete_has_no_time_of_counting(self) -> None:
        complete = build_sample_report("design")
        assert complete.counted_at is None
        later = build_title_and_lines(replace(complete, counted_at=datetime(2026, 5, 1, tzinfo=UTC)))[1]
        assert [line for line in later if "2026-05-01T00:00:00Z" in line] != []
        differs = [(line, now) for line, now in zip(build_title_and_lines(complete)[1], later, strict=True) if line != now]
        assert [re.findall(MOMENT, line) for line, _ in differs] == [["2026-03-01T03:43:43Z"]], "when it began"

    def test_terminal_page_and_issue_count_from_the_first_log_entry_and_say_so(self, setting: Harness) -> None:
        setting.clock.turn(MINUTE)
        entry = setting.entry(at=setting.clock.now() - timedelta(seconds=15))
        incident = record_log_entry(setting.process(), entry).incident
        setting.clock.turn(timedelta(seconds=5))
        investigate_incident(setting.process(), incident)
        case = incident_records.require_incident(setting.process(), incident)
        assert compute_milestones(case).logged == entry.timestamp
        began, *reached = describe_milestones(case)
        assert re.findall(MOMENT, began) == ["2026-04-07T08:00:45Z"]
        assert reached == ["detected +15 s", "proposed +20 s"]
        assert [(hand.name, hand.after) for hand in hands(case)[:3]] == [
            ("logged", ""), ("detected", "15 s"), ("proposed", "20 s"),
        ]  # fmt: skip
        assert format_milestones(case) in setting.issues.all[0].body
        assert re.search(r"2026-04-07T08:00:45Z.*detected.* 15 s.*proposed.* 20 s", format_milestones(case))
        page = paged.request_page(paged.build_site(setting), f"/incidents/{incident}").body
        [label] = re.findall('<ol class="clock" aria-label="(.+?)"', page)
        assert f'<p class="note">{label}:</p>' in page, "it is seen, and not only heard, from when it is counted"
        ticks = page.partition('<ol class="clock"')[2].partition("</ol>")[0]
        assert re.findall('<time datetime="(.+?)"', ticks)[0] == "2026-04-07T08:00:45+00:00"
        assert re.findall(r"\d+ s\b", ticks) == ["15 s", "20 s"]

    def test_nothing_is_called_the_last_entry_that_is_only_the_last_one_kept(self, setting: Harness) -> None:
        propose_deployment(setting)
        assert "Last logged" not in paged.request_page(paged.build_site(setting), "/").body


def test_what_nobody_looked_at_is_neither_ruled_in_nor_out(harness: Harness) -> None:
    propose_deployment(harness)
    table = harness.issues.all[0].body.partition("## Resources")[2].partition("## Five whys")[0]
    rows = [row.split("|")[1:-1] for row in table.splitlines() if row.startswith("| ")][2:]
    assert [row[-1].strip() for row in rows] == ["not looked at"] * 3
    assert "ruled out" not in table


def test_a_reason_is_named_where_everything_was_tried(harness: Harness) -> None:
    harness.answer.back = False
    incident = taken_back(harness)
    world = harness.process()
    incident_records.update_incident(world, incident, lambda case: replace(case, failed_commits=(TARGET,), look=2))
    evidence = ensure_evidence(world, harness.services["shore.tide"], incident_records.require_incident(world, incident))
    assert (evidence["kind"], evidence["reason"]) == (ActionKind.NONE.value, Reason.FIX_DID_NOT_HOLD.value)
