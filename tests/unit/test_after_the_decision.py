"""After a decision everything that is shown names what was decided, who did what, and when; and what fails still."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.local.page.dossier import Shelf
from functions.local.page.happenings import happenings
from functions.local.page.views import clock as hands
from functions.local.showcase.narration import approved_by_then, clock, sentence
from shared.domain.finding import Kind, Reason
from shared.domain.proposal import Standing
from shared.domain.question import Label, going_back, labelled, title_and_lines
from shared.domain.title import retitled, title_for
from shared.domain.verdict import WATCH, Probed
from shared.steps import cases
from shared.steps.evidence import evidence_for
from shared.steps.investigate_incident import investigate_incident
from shared.steps.milestones import milestones
from shared.steps.next_question import STILL_FAILING
from shared.steps.record import record
from shared.steps.redeploy import redeploy
from tests.fakes.past import commit_id
from tests.fakes.setting import Setting
from tests.fakes.slack.shown import shown
from tests.unit import paged
from tests.unit.proof_samples import report_on
from tests.unit.stages import (
    MINUTE,
    incident_document,
    pressed,
    pressed_back,
    proposed,
    redeployed,
    state,
    tick,
    watching,
)
from tests.unit.test_slack_layout import words

OLD = "tide-00007-old"
BACK, TARGET = commit_id("good"), commit_id("later")


@pytest.fixture
def setting() -> Setting:
    made = Setting()
    made.answer.back = True
    return made


def seen(setting: Setting, place: int = -1) -> str:
    """All that the channel shows of a message."""
    return words(shown(setting.services["shore.tide"], setting.chat.all[place].message))


def narrated(setting: Setting, incident: str) -> list[str]:
    """The whole history, as the terminal tells it."""
    world = setting.process()
    case = cases.demand(world, incident)
    evidence = evidence_for(world, setting.services["shore.tide"], case)
    return [
        sentence(case, number, evidence, approved_by_then(setting.store, case, number))
        for number in range(len(case.history))
    ]


def gone_back(setting: Setting) -> str:
    """The other button was pressed, and it is deployed."""
    incident = proposed(setting)
    pressed_back(setting)
    redeployed(setting)
    tick(setting, 2 * MINUTE)
    return incident


def taken_back(setting: Setting) -> str:
    """What was approved is deployed, fails its probe twice, and is taken back."""
    incident = watching(setting)
    setting.probe.answer = Probed(ok=False)
    tick(setting)
    tick(setting)
    return incident


class TestWhatWasDecided:
    def test_the_message_names_it_in_its_title_and_in_its_lines(self, setting: Setting) -> None:
        gone_back(setting)
        message = setting.chat.all[0].message
        assert (message.commit, message.kind) == (BACK, Kind.ROLLBACK)
        lines = dict(labelled(line) for line in message.lines)
        assert BACK[:12] in lines[Label.PROPOSAL]
        assert BACK[:12] in lines[Label.SHIPS]
        assert Label.INSTEAD not in lines
        assert not any(TARGET[:12] in line for line in message.lines)
        assert message.title.endswith(": gone back to an earlier commit, being watched")

    def test_so_does_the_terminal(self, setting: Setting) -> None:
        told = narrated(setting, gone_back(setting))
        assert f"Approved: roll back to {BACK[:12]}." in told[2]
        assert told[3].startswith(f"Deploying {BACK[:12]} as ")
        assert not any(TARGET[:12] in each for each in told[2:])

    def test_so_does_the_page(self, setting: Setting) -> None:
        incident = gone_back(setting)
        body = paged.asked(paged.site(setting), f"/incidents/{incident}").body
        ships = body.partition('id="ships-title"')[2].partition("</section>")[0]
        assert BACK[:12] in ships
        assert TARGET[:12] not in ships
        assert re.findall("<h1>(.*?)</h1>", body)[0].endswith("gone back to an earlier commit, being watched")

    def test_before_the_decision_the_page_shows_what_is_proposed(self, setting: Setting) -> None:
        body = paged.asked(paged.site(setting), f"/incidents/{proposed(setting)}").body
        assert TARGET[:12] in body.partition('id="ships-title"')[2].partition("</section>")[0]
        assert "fix merged, not deployed</h1>" in body

    def test_so_does_the_issue(self, setting: Setting) -> None:
        gone_back(setting)
        (issue,) = setting.issues.all
        assert issue.title.endswith(": gone back to an earlier commit, being watched")
        assert f"{BACK} has all of the traffic" in re.sub("`", "", issue.body)

    def test_what_is_resolved_is_not_said_to_be_undeployed(self, setting: Setting) -> None:
        incident = watching(setting)
        tick(setting, WATCH)
        assert state(setting, incident) == "resolved"
        page = paged.asked(paged.site(setting), f"/incidents/{incident}").body
        for title in (setting.issues.all[0].title, setting.chat.all[0].message.title, page.partition("</h1>")[0]):
            assert title.endswith(": mended by a redeployment")
            assert "not deployed" not in title

    def test_a_title_that_a_person_has_given_stays(self, setting: Setting) -> None:
        proposed(setting)
        setting.issues.all[0].title = "the tide is out"
        pressed(setting)
        redeployed(setting)
        tick(setting, 2 * MINUTE)
        assert setting.issues.all[0].title == "the tide is out"

    @pytest.mark.parametrize("kind", [Kind.REDEPLOY, Kind.ROLLBACK])
    @pytest.mark.parametrize("standing", [each for each in Standing if each is not Standing.OPEN])
    def test_every_title_can_be_replaced_by_every_other(self, standing: Standing, kind: Kind) -> None:
        asked = "tide: SyntaxError in a.py: fix merged, not deployed"
        made = title_for(asked, "tide: SyntaxError in a.py", standing, kind)
        assert made != asked
        assert (retitled(asked, made), retitled(made, asked), retitled(asked, "")) == (made, asked, asked)

    def test_going_back_is_offered_in_words_only_where_it_is_possible(self) -> None:
        assert going_back(report_on("design")) is None
        assert going_back(report_on("rollback")) is None


class TestWhoDidWhatAndWhen:
    def test_a_rollback_is_told_as_automatic_at_its_time_and_the_approval_at_its_own(self, setting: Setting) -> None:
        setting.answer.back = False
        approved_at = setting.clock.now()
        incident = taken_back(setting)
        at = cases.demand(setting.process(), incident).ended_at
        assert at is not None
        assert at > approved_at
        told = (
            f"Rolled back automatically at {at:%Y-%m-%dT%H:%M:%SZ} (approved by <U-NORA> at "
            f"{approved_at:%Y-%m-%dT%H:%M:%SZ}): "
        )
        assert told.replace("<U-NORA>", "U-NORA") in seen(setting).replace("<U-NORA>", "U-NORA")
        comment = setting.issues.all[0].comments[-1]
        assert f"Rolled back automatically at {at:%Y-%m-%dT%H:%M:%SZ} (approved by nora (`U-NORA`) at " in comment
        steps = incident_document(setting, incident)["history"]
        assert isinstance(steps, list)
        assert steps[-1]["at"] == f"{at:%Y-%m-%dT%H:%M:%SZ}", "the history, and so the page, has the same time"

    def test_what_is_watched_and_what_is_resolved_was_done_by_nobody_who_approved(self, setting: Setting) -> None:
        watching(setting)
        assert re.search(r"Deployed automatically at \S+ \(approved by U-NORA at \S+\): ", seen(setting))
        tick(setting, WATCH)
        assert re.search(r"Resolved automatically at \S+ \(approved by U-NORA at \S+\): ", seen(setting))

    def test_the_page_names_the_person_who_approved_and_not_the_function_that_acted(self, setting: Setting) -> None:
        incident = watching(setting)
        dossier = Shelf(setting.store, setting.services).dossier(incident)
        assert dossier is not None
        [approval] = [each.text for each in happenings(dossier) if each.label == "approved"]
        assert approval == "Approved by U-NORA"

    def test_nobody_is_named_where_nobody_decided(self, setting: Setting) -> None:
        proposed(setting)
        tick(setting, timedelta(hours=6))
        assert re.search(r"Expired at \S+: ", seen(setting))
        assert "U-NORA" not in seen(setting)


class TestWhatStillFails:
    def test_the_next_question_is_asked_in_the_same_incident_and_is_another_one(self, setting: Setting) -> None:
        incident = taken_back(setting)
        assert state(setting, incident) == "opened"
        assert STILL_FAILING in seen(setting, 0)
        assert f"roll back to {BACK[:12]}?" in seen(setting, 0)
        setting.clock.turn(MINUTE)
        investigate_incident(setting.process(), incident)
        first, second = (posted.message for posted in setting.chat.all)
        assert (second.incident, second.kind, second.commit) == (incident, Kind.ROLLBACK, BACK)
        assert (second.standing, second.alternative) == (Standing.OPEN, None)
        assert second.proposal != first.proposal
        assert second.evidence_hash != first.evidence_hash
        assert second.expires_at > first.expires_at
        assert (state(setting, incident), len(setting.issues.all)) == ("proposed", 1)
        assert [re.findall("part=(\\S+)", each)[0] for each in setting.issues.all[0].comments] == [
            "proposed", "approved", "deployed", "rolled_back", "proposed2",
        ]  # fmt: skip
        assert STILL_FAILING in setting.issues.all[0].comments[3]

    def test_an_approval_of_it_goes_back_and_is_watched(self, setting: Setting) -> None:
        incident = taken_back(setting)
        investigate_incident(setting.process(), incident)
        setting.bus.waiting.clear()
        setting.probe.answer = Probed(ok=True)
        assert pressed(setting).accepted
        redeployed(setting)
        tick(setting, 2 * MINUTE)
        assert [operation.commit for operation in setting.cloud.operations] == [TARGET, BACK]
        tick(setting, WATCH)
        assert state(setting, incident) == "resolved"
        assert setting.issues.all[0].title.endswith(": mended by going back to an earlier commit")

    def test_the_old_approval_deploys_nothing_any_more(self, setting: Setting) -> None:
        incident = taken_back(setting)
        investigate_incident(setting.process(), incident)
        redeploy(setting.process(), setting.chat.all[0].message.proposal)
        assert state(setting, incident) == "proposed"
        assert len(setting.cloud.operations) == 1

    def test_what_the_failed_revision_logs_later_does_not_count_against_the_next_one(self, setting: Setting) -> None:
        incident = taken_back(setting)
        failed = setting.cloud.operations[0].revision
        assert record(setting.process(), setting.entry(revision=failed)).name == "duplicate"
        investigate_incident(setting.process(), incident)
        setting.bus.waiting.clear()
        setting.probe.answer = Probed(ok=True)
        pressed(setting)
        redeployed(setting)
        tick(setting, 2 * MINUTE)
        record(setting.process(), setting.entry(revision=failed))
        tick(setting)
        assert state(setting, incident) == "watching"
        assert failed not in incident_document(setting, incident)["revisions"]  # type: ignore[operator]

    def test_what_has_failed_is_not_proposed_again_however_often_it_is_looked_at(self, setting: Setting) -> None:
        incident = taken_back(setting)
        investigate_incident(setting.process(), incident)
        setting.cloud.deploy_by_hand(setting.services["shore.tide"], "tide-00009-hand", commit_id("attempt"))
        tick(setting)
        investigate_incident(setting.process(), incident)
        assert [posted.message.commit for posted in setting.chat.all] == [TARGET, BACK, BACK]

    def test_a_deployment_that_fails_leads_to_the_same_question(self, setting: Setting) -> None:
        setting.cloud.fails = "the build failed"
        incident = watching(setting)
        assert state(setting, incident) == "opened"
        investigate_incident(setting.process(), incident)
        assert setting.chat.all[-1].message.commit == BACK

    def test_without_an_earlier_state_it_is_said_who_must_act(self, setting: Setting) -> None:
        setting.answer.back = False
        incident = taken_back(setting)
        assert (state(setting, incident), len(setting.chat.all)) == ("rolled_back", 1)
        for told in (seen(setting), setting.issues.all[0].comments[-1], narrated(setting, incident)[-1]):
            assert STILL_FAILING in told
            assert "whoever may deploy tide has to act" in told

    def test_after_going_back_has_failed_as_well_nothing_is_left_to_ask(self, setting: Setting) -> None:
        incident = gone_back(setting)
        setting.probe.answer = Probed(ok=False)
        tick(setting)
        tick(setting)
        assert state(setting, incident) == "rolled_back"
        assert "whoever may deploy tide has to act" in seen(setting)

    def test_what_serves_again_and_never_failed_is_not_said_to_fail(self, setting: Setting) -> None:
        """The failing revision never had traffic: its users have had another one all the time."""
        entry = setting.entry(revision="tide-00008-bad")
        incident = record(setting.process(), entry).incident
        investigate_incident(setting.process(), incident)
        setting.bus.waiting.clear()
        pressed(setting)
        redeployed(setting)
        tick(setting, 2 * MINUTE)
        setting.probe.answer = Probed(ok=False)
        tick(setting)
        tick(setting)
        assert state(setting, incident) == "rolled_back"
        assert STILL_FAILING not in seen(setting)
        assert f"with revision {OLD} again, which is not known to fail" in seen(setting)

    def test_a_person_who_ends_the_automation_meanwhile_is_asked_nothing(self, setting: Setting) -> None:
        incident = taken_back(setting)
        setting.issues.all[0].labels.add("provenfix:wrong")
        investigate_incident(setting.process(), incident)
        tick(setting)
        assert state(setting, incident) == "muted"
        assert len(setting.cloud.operations) == 1


class TestCountsAndClocks:
    def test_a_count_says_when_it_was_made_and_is_made_anew_with_the_next_question(self, setting: Setting) -> None:
        incident = taken_back(setting)
        setting.entry()
        setting.clock.turn(MINUTE)
        investigate_incident(setting.process(), incident)
        since = [dict(labelled(line) for line in posted.message.lines)[Label.SINCE] for posted in setting.chat.all]
        assert "logged 1 time as of 2026-04-07T08:00:00Z" in since[0]
        assert f"logged 2 times as of {setting.clock.now():%Y-%m-%dT%H:%M:%SZ}" in since[1]
        assert f"logged 2 times as of {setting.clock.now():%Y-%m-%dT%H:%M:%SZ}" in setting.issues.all[0].body
        page = paged.asked(paged.site(setting), f"/incidents/{incident}").body
        assert f"logged 2 times as of {setting.clock.now():%Y-%m-%d %H:%M:%S} UTC" in page

    def test_a_log_that_is_complete_has_no_time_of_counting(self) -> None:
        _, lines = title_and_lines(report_on("design"))
        assert not any("as of" in line for line in lines)

    def test_terminal_page_and_issue_count_from_the_first_log_entry_and_say_so(self, setting: Setting) -> None:
        setting.clock.turn(MINUTE)
        entry = setting.entry(at=setting.clock.now() - timedelta(seconds=15))
        incident = record(setting.process(), entry).incident
        setting.clock.turn(timedelta(seconds=5))
        investigate_incident(setting.process(), incident)
        case = cases.demand(setting.process(), incident)
        assert milestones(case).logged == entry.timestamp
        assert list(clock(case)) == [
            "counted from the first log entry, at 2026-04-07T08:00:45Z", "detected +15 s", "proposed +20 s",
        ]  # fmt: skip
        assert [(hand.name, hand.after) for hand in hands(case)[:3]] == [
            ("logged", ""), ("detected", "15 s"), ("proposed", "20 s"),
        ]  # fmt: skip
        counted = (
            "First logged at 2026-04-07T08:00:45Z; counted from then, detected after 15 s and proposed after 20 s."
        )
        assert counted in setting.issues.all[0].body
        assert "counted from the first log entry" in paged.asked(paged.site(setting), f"/incidents/{incident}").body

    def test_nothing_is_called_the_last_entry_that_is_only_the_last_one_kept(self, setting: Setting) -> None:
        proposed(setting)
        assert "Last logged" not in paged.asked(paged.site(setting), "/").body


def test_what_nobody_looked_at_is_neither_ruled_in_nor_out(setting: Setting) -> None:
    proposed(setting)
    table = setting.issues.all[0].body.partition("## Resources")[2].partition("## Five whys")[0]
    rows = [row.split("|")[1:-1] for row in table.splitlines() if row.startswith("| ")][2:]
    assert [row[-1].strip() for row in rows] == ["not looked at"] * 3
    assert "ruled out" not in table


def test_a_reason_is_named_where_everything_was_tried(setting: Setting) -> None:
    setting.answer.back = False
    incident = taken_back(setting)
    world = setting.process()
    cases.change(world, incident, lambda case: replace(case, failed_commits=(TARGET,), look=2))
    evidence = evidence_for(world, setting.services["shore.tide"], cases.demand(world, incident))
    assert (evidence["kind"], evidence["reason"]) == (Kind.NONE.value, Reason.FIX_FAILED.value)
