"""One question, two ways out, several people: what is approved is done once, and what was overtaken is asked anew."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import Reject
from shared.ports import Document
from shared.proof.model.target import ImageCheck, ImageStatus
from shared.proposal.decision import ClickKind, ClickResult
from shared.proposal.states import ProposalStatus
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.record import record_log_entry
from shared.workflow.redeploy import redeploy
from shared.workflow.rollout.run_trial import MAX_LOOKS
from shared.workflow.supersede import BRANCH_CHECK_INTERVAL, MIN_QUESTION_AGE
from tests.support.commit_graph import commit_id, make_commit
from tests.support.drivers import (
    MINUTE,
    press_alternative_button,
    press_button,
    propose_deployment,
    read_documents,
    read_state,
    redeploy_approved,
    run_tick,
)
from tests.support.harness import Harness, watched_service


def _setting(**changes: object) -> Harness:
    setting = Harness({"shore.tide": watched_service("tide", approvers=("U-NORA", "U-OLE", "U-IDA"), **changes)})
    setting.prover.offers_rollback = True
    return setting


@pytest.fixture
def harness() -> Harness:
    return _setting()


def _decision(harness: Harness) -> Document:
    [decision] = read_documents(harness, "decisions").values()
    return decision


def _as(harness: Harness, *names: str) -> list[ClickResult]:
    return [press_button(harness, user=name, token=name).result for name in names]


class TestGoingBack:
    def test_it_deploys_the_earlier_commit_and_shows_so(self, harness: Harness) -> None:
        incident = propose_deployment(harness)
        offered = harness.chat.posted[0].message.alternative
        assert offered is not None
        assert (offered.commit, offered.subject) == (commit_id("good"), make_commit("good").subject)
        assert press_alternative_button(harness).result is ClickResult.APPROVED
        assert harness.bus.waiting == [("redeploy-approved", {"proposal": f"{incident}-1-back"})]
        assert redeploy_approved(harness).name == "deploying"
        [operation] = harness.cloud.operations
        assert operation.commit == commit_id("good")
        message = harness.chat.posted[0].message
        assert (message.kind, message.commit, message.by) == ("rollback", commit_id("good"), "U-NORA")
        fix, earlier = (read_documents(harness, "proposals")[f"{incident}-1{end}"] for end in ("", "-back"))
        assert (fix["author"], earlier["author"]) == (make_commit("fixed").author, "")
        assert (earlier["instead_of"], earlier["fix"]) == (fix["id"], commit_id("good"))

    def test_its_gates_are_asked_once_more(self, harness: Harness) -> None:
        incident = propose_deployment(harness)
        press_alternative_button(harness)
        harness.prover.objection = "it is no longer part of the deploy branch"
        assert redeploy_approved(harness).name.startswith("refused:gate")
        run_tick(harness)
        assert (read_state(harness, incident), harness.cloud.operations) == ("refused", [])

    def test_it_is_watched_and_closed_like_any_other(self, harness: Harness) -> None:
        incident = propose_deployment(harness)
        press_alternative_button(harness)
        redeploy_approved(harness)
        run_tick(harness, 2 * MINUTE)
        assert read_state(harness, incident) == "watching"
        harness.logs.request_counts[harness.cloud.operations[0].revision] = 60
        run_tick(harness, timedelta(hours=24, minutes=1))
        assert read_state(harness, incident) == "resolved"
        assert harness.chat.posted[0].message.standing is ProposalStatus.RESOLVED

    def test_whoever_deploys_the_break_again_afterwards_opens_an_incident(self, harness: Harness) -> None:
        """What fixed it is the earlier commit, not the fix that was never deployed."""
        incident = propose_deployment(harness)
        press_alternative_button(harness)
        redeploy_approved(harness)
        run_tick(harness, 2 * MINUTE)
        harness.logs.request_counts[harness.cloud.operations[0].revision] = 60
        run_tick(harness, timedelta(hours=24, minutes=1))
        harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00011-new", commit_id("attempt"))
        again = record_log_entry(harness.start_process(), harness.log_entry(revision="tide-00011-new"))
        assert (again.name, again.incident == incident) == ("opened", False)

    @pytest.mark.parametrize("back_first", [True, False])
    def test_one_way_out_excludes_the_other(self, harness: Harness, back_first: bool) -> None:  # noqa: FBT001
        incident = propose_deployment(harness)
        first, second = (
            (press_alternative_button, press_button) if back_first else (press_button, press_alternative_button)
        )
        assert first(harness).result is ClickResult.APPROVED
        assert second(harness, user="U-OLE").result is ClickResult.DECIDED_OTHERWISE
        assert len(harness.bus.waiting) == 1
        forged = f"{incident}-1" if back_first else f"{incident}-1-back"
        with pytest.raises(Reject, match="decided_otherwise"):
            redeploy(harness.start_process(), forged)
        redeploy_approved(harness)
        assert len(harness.cloud.operations) == 1

    def test_a_denial_denies_both(self, harness: Harness) -> None:
        propose_deployment(harness)
        press_button(harness, ClickKind.DENY)
        assert (press_button(harness).result, press_alternative_button(harness).result) == (
            ClickResult.ALREADY_DENIED,
        ) * 2

    @pytest.mark.parametrize("change", [{"commit": commit_id("later")}, {"evidence_hash": "0" * 16}, {"incident": "x"}])
    def test_its_approval_is_bound_to_its_own_commit(self, harness: Harness, change: dict[str, str]) -> None:
        propose_deployment(harness)
        assert press_alternative_button(harness, **change).result is ClickResult.TAMPERED
        assert read_documents(harness, "decisions") == {}

    def test_it_expires_and_goes_stale_with_its_question(self, harness: Harness) -> None:
        propose_deployment(harness)
        harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00008-hand", None)
        harness.clock.advance(timedelta(hours=6))
        assert press_alternative_button(harness).result is ClickResult.EXPIRED
        harness.clock.advance(timedelta(hours=-6))
        assert press_alternative_button(harness).result is ClickResult.APPROVED
        assert redeploy_approved(harness).name == "refused:stale"

    def test_it_is_not_offered_where_there_is_no_earlier_commit(self) -> None:
        setting = Harness()
        incident = propose_deployment(setting)
        assert setting.chat.posted[0].message.alternative is None
        assert list(read_documents(setting, "proposals")) == [f"{incident}-1"]

    def test_an_approval_that_nobody_published_is_found_by_the_tick(self, harness: Harness) -> None:
        """The process that stored it has died before anything else."""
        incident = propose_deployment(harness)
        kept = harness.bus.require_claim
        harness.bus.require_claim = _dying  # type: ignore[assignment]
        with pytest.raises(_Died):
            press_alternative_button(harness)
        harness.bus.require_claim = kept
        run_tick(harness, timedelta(minutes=15))
        assert read_state(harness, incident) == "deploying"
        assert [each.commit for each in harness.cloud.operations] == [commit_id("good")]


class _Died(BaseException):
    pass


def _dying(what: str) -> None:
    raise _Died(what)


class TestQuorum:
    def test_nothing_happens_before_enough_different_people_agree(self) -> None:
        setting = _setting(quorum=2)
        incident = propose_deployment(setting)
        assert _as(setting, "U-NORA", "U-NORA", "U-NORA") == [ClickResult.COUNTED] * 3
        assert (setting.bus.waiting, read_state(setting, incident)) == ([], "proposed")
        assert _as(setting, "U-OLE", "U-IDA") == [ClickResult.APPROVED, ClickResult.ALREADY_APPROVED]
        assert [topic for topic, _ in setting.bus.waiting] == ["redeploy-approved"]

    def test_question_that_lacks_an_approval_can_be_snoozed(self) -> None:
        setting = _setting(quorum=2)
        propose_deployment(setting)
        _as(setting, "U-NORA")
        assert press_button(setting, ClickKind.SNOOZE).result is ClickResult.SNOOZED

    def test_the_message_counts_along_and_keeps_who_it_was(self) -> None:
        setting = _setting(quorum=2)
        propose_deployment(setting)
        _as(setting, "U-NORA")
        run_tick(setting)
        run_tick(setting)
        posted = setting.chat.posted[0]
        assert (posted.message.standing, posted.message.approvals, posted.message.quorum) == ("open", ("U-NORA",), 2)
        assert posted.update_count == 1
        _as(setting, "U-OLE")
        redeploy_approved(setting)
        assert (posted.message.standing, posted.message.approvals) == ("approved", ("U-NORA", "U-OLE"))

    def test_two_ways_out_are_counted_apart_and_a_person_may_change_their_mind(self) -> None:
        setting = _setting(quorum=2)
        propose_deployment(setting)
        assert press_alternative_button(setting, user="U-NORA").result is ClickResult.COUNTED
        assert _as(setting, "U-OLE") == [ClickResult.COUNTED]
        run_tick(setting)
        message = setting.chat.posted[0].message
        assert message.alternative is not None
        assert (message.approvals, message.alternative.approvals) == (("U-OLE",), ("U-NORA",))
        assert _as(setting, "U-NORA") == [ClickResult.APPROVED]
        assert _decision(setting)["chosen"] == message.proposal

    def test_one_denial_is_enough(self) -> None:
        setting = _setting(quorum=3)
        incident = propose_deployment(setting)
        _as(setting, "U-NORA", "U-OLE")
        press_button(setting, ClickKind.DENY, user="U-IDA")
        assert _as(setting, "U-IDA") == [ClickResult.ALREADY_DENIED]
        run_tick(setting)
        assert read_state(setting, incident) == "denied"

    def test_too_few_in_time_are_none(self) -> None:
        setting = _setting(quorum=2)
        incident = propose_deployment(setting)
        _as(setting, "U-NORA")
        setting.clock.advance(timedelta(hours=6))
        assert _as(setting, "U-OLE") == [ClickResult.EXPIRED]
        run_tick(setting)
        assert (read_state(setting, incident), setting.bus.waiting) == ("expired", [])

    def test_a_stranger_is_not_counted(self) -> None:
        setting = _setting(quorum=2)
        propose_deployment(setting)
        assert _as(setting, "U-NORA", "U-STRANGER") == [ClickResult.COUNTED, ClickResult.FOREIGN_USER]
        assert [vote["by"] for vote in _decision(setting)["votes"]] == ["U-NORA"]  # type: ignore[attr-defined]


class TestTheAuthor:
    AUTHOR = make_commit("fixed").author

    def test_who_wrote_the_fix_may_deny_it_and_not_approve_it(self) -> None:
        names = {"U-NORA": ("kim  REED",), "U-OLE": ("Ole Berg",)}
        setting = _setting(not_author=True, authors=names)
        assert self.AUTHOR == "Kim Reed"
        propose_deployment(setting)
        assert _as(setting, "U-NORA") == [ClickResult.OWN_FIX]
        assert read_documents(setting, "decisions") == {}
        assert _as(setting, "U-OLE") == [ClickResult.APPROVED]
        assert press_button(setting, ClickKind.DENY).result is ClickResult.DENIED

    def test_of_whom_nobody_knows_it_may_not_either(self) -> None:
        setting = _setting(not_author=True, authors={"U-OLE": ("Ole Berg",)})
        propose_deployment(setting)
        assert _as(setting, "U-IDA") == [ClickResult.UNKNOWN_AUTHOR]
        assert [each["reason"] for each in read_documents(setting, "rejections").values()] == ["unknown_author"]

    def test_everybody_may_go_back(self) -> None:
        setting = _setting(not_author=True, authors={"U-NORA": (self.AUTHOR,)})
        propose_deployment(setting)
        assert press_alternative_button(setting).result is ClickResult.APPROVED

    def test_without_the_wish_it_does_not_matter(self, harness: Harness) -> None:
        propose_deployment(harness)
        assert _as(harness, "U-NORA") == [ClickResult.APPROVED]


class TestOvertaken:
    def _redeployed_by_hand(self, harness: Harness) -> None:
        harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00008-hand", commit_id("broken"))

    def test_a_newer_revision_supersedes_the_question_and_it_is_asked_anew(self, harness: Harness) -> None:
        incident = propose_deployment(harness)
        old = harness.chat.posted[0].message
        self._redeployed_by_hand(harness)
        run_tick(harness)
        assert read_state(harness, incident) == "opened"
        said = harness.chat.posted[0].message
        assert (said.standing, said.by) == (ProposalStatus.SUPERSEDED, "")
        assert re.findall(r"\btide-\S+", said.reason) == ["tide-00008-hand", "tide-00007-old"]
        assert harness.bus.waiting == [("incident-opened", {"incident": incident})]
        assert investigate_incident(harness.start_process(), incident).name == "proposed"
        asked = harness.chat.posted[1].message
        assert (asked.standing, asked.proposal) == (ProposalStatus.OPEN, f"{incident}-2")
        harness.bus.waiting.clear()
        harness.chat.posted.append(replace(harness.chat.posted[0], message=old))  # a user still looks at the old one
        assert press_button(harness).result is ClickResult.SUPERSEDED
        assert press_alternative_button(harness).result is ClickResult.SUPERSEDED
        del harness.chat.posted[-1]
        assert harness.bus.waiting == []
        assert press_button(harness).result is ClickResult.APPROVED

    def test_a_change_of_the_service_supersedes_the_question(self, harness: Harness) -> None:
        incident = propose_deployment(harness)
        harness.cloud.services["shore.tide"].etag += 1
        run_tick(harness)
        assert read_state(harness, incident) == "opened"
        said = harness.chat.posted[0].message
        assert said.standing is ProposalStatus.SUPERSEDED
        assert said.reason
        assert not re.search(r"\btide-|[0-9a-f]{40}", said.reason), "neither another revision nor another commit"

    def test_earlier_approval_is_never_superseded(self, harness: Harness) -> None:
        incident = propose_deployment(harness)
        press_button(harness)
        self._redeployed_by_hand(harness)
        run_tick(harness)
        assert (read_state(harness, incident), _decision(harness)["why"]) == ("refused", "stale")

    def test_a_newer_commit_that_passes_supersedes_the_question_after_an_hour(self, harness: Harness) -> None:
        harness.histories.graph[commit_id("newest")] = make_commit("newest", "later")
        incident = propose_deployment(harness)
        harness.histories.head = commit_id("newest")
        run_tick(harness, MIN_QUESTION_AGE - timedelta(seconds=1))
        assert read_state(harness, incident) == "proposed"
        run_tick(harness)
        assert read_state(harness, incident) == "opened"
        assert commit_id("newest") in harness.chat.posted[0].message.reason

    def test_a_newer_commit_without_an_image_does_not_before_it_is_built(self, harness: Harness) -> None:
        newest = commit_id("newest")
        harness.histories.graph[newest] = make_commit("newest", "later")
        harness.cloud.images[newest] = ImageCheck(ImageStatus.MISSING, "never built")
        incident = propose_deployment(harness)
        harness.histories.head = newest
        run_tick(harness, MIN_QUESTION_AGE)
        run_tick(harness, BRANCH_CHECK_INTERVAL)
        assert read_state(harness, incident) == "proposed"
        harness.cloud.images[newest] = ImageCheck(ImageStatus.BUILT)
        run_tick(harness, BRANCH_CHECK_INTERVAL)
        assert read_state(harness, incident) == "opened"

    def test_a_newer_commit_that_fails_a_gate_does_not(self, harness: Harness) -> None:
        harness.histories.graph[commit_id("newest")] = make_commit("newest", "later")
        incident = propose_deployment(harness)
        harness.histories.head = commit_id("newest")
        harness.prover.objection = "it does not compile"
        run_tick(harness, MIN_QUESTION_AGE)
        harness.prover.objection = ""
        run_tick(harness, BRANCH_CHECK_INTERVAL - MINUTE)
        run_tick(harness, MINUTE)  # the branch has not moved since it was looked at
        assert read_state(harness, incident) == "proposed"

    def test_a_question_that_somebody_has_approved_is_not_replaced_by_a_merge(self) -> None:
        setting = _setting(quorum=2)
        setting.histories.graph[commit_id("newest")] = make_commit("newest", "later")
        incident = propose_deployment(setting)
        _as(setting, "U-NORA")
        setting.histories.head = commit_id("newest")
        run_tick(setting, MIN_QUESTION_AGE + MINUTE)
        assert read_state(setting, incident) == "proposed"

    def test_fix_deployed_manually_asks_nothing_and_says_why(self, harness: Harness) -> None:
        incident = propose_deployment(harness)
        harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00008-hand", commit_id("later"))
        run_tick(harness)
        assert investigate_incident(harness.start_process(), incident).name == "reported"
        assert len(harness.chat.posted) == 1
        assert "tide-00008-hand" in harness.issues.issues[0].body.replace("\\", "")

    def test_it_is_not_asked_for_ever(self, harness: Harness) -> None:
        incident = propose_deployment(harness)
        for number in range(2 * MAX_LOOKS):
            name = f"tide-{number + 10:05}-hand"
            harness.cloud.deploy_manually(harness.services["shore.tide"], name, commit_id("broken"))
            run_tick(harness)
            investigate_incident(harness.start_process(), incident)
        assert len(harness.chat.posted) == MAX_LOOKS
        run_tick(harness, timedelta(hours=6))
        assert read_state(harness, incident) == "expired"


class TestTheThread:
    def test_the_details_stand_below_the_message_once(self, harness: Harness) -> None:
        incident = propose_deployment(harness)
        investigate_incident(harness.start_process(), incident)
        [posted] = harness.chat.posted
        lines = posted.replies[f"{incident}-1"]
        first_why = next(place for place, line in enumerate(lines) if re.match(r"1\. [^?]*\btide\b[^?]*\? ", line))
        gates = next(place for place, line in enumerate(lines) if line.startswith("Gates passed"))
        assert commit_id("later")[:12] in lines[gates]
        assert 0 < first_why < gates < next(place for place, line in enumerate(lines) if line.startswith("e1, "))
        assert any(line.startswith("e1, log_entry: ") for line in lines)

    def test_a_chat_that_refuses_them_does_not_keep_the_question_back(self, harness: Harness) -> None:
        demand = harness.chat.require_claim

        def refusing(what: str) -> None:
            demand(what)
            if what == "reply to a message":
                raise Reject("chat_refused", "chat.postMessage: restricted_action_thread_locked")

        harness.chat.require_claim = refusing  # type: ignore[assignment]
        incident = propose_deployment(harness)
        assert read_state(harness, incident) == "proposed"
        assert [each["reason"] for each in read_documents(harness, "rejections").values()] == ["chat_refused"]
        assert press_button(harness).result is ClickResult.APPROVED
