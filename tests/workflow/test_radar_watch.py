"""What is merged and not deployed: asked for once an hour, read where something has changed, posted once a day."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.slack.interaction import CLICK_KINDS
from shared.adapters.slack.message_layout import build_message_blocks
from shared.errors import Reject
from shared.proof.compare_services import Alarm
from shared.proof.undeployed_fixes import ServiceRadar, UndeployedFix, UndeployedFixes
from shared.proposal.decision import ClickKind, ClickResult
from shared.proposal.states import ProposalStatus
from shared.pushes import LIMIT_REACHED
from shared.workflow import flow
from shared.workflow.commit_checks.check_radar import check_radar
from shared.workflow.commit_checks.watch_service import RADAR_INTERVAL, build_radar_message
from shared.workflow.context import StepResult
from shared.workflow.decide import handle_click
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.records.radars import MAX_ENTRIES, Radar, load_radar
from tests.support.commit_graph import commit_id, make_commit
from tests.support.drivers import MINUTE, propose_deployment, run_tick
from tests.support.harness import Harness, button_click, watched_service

DAY = timedelta(days=1)


def find_fixes(count: int = 1, *, reason: str = "") -> ServiceRadar:
    """So many failures of `attempt`, which `fixed` ends."""
    alarms = [
        Alarm("syntax", f"chat/{n}.py", 7, "SyntaxError", "invalid", "", "cpython", "main.py") for n in range(count)
    ]
    fixes = tuple(UndeployedFix(alarm, make_commit("fixed"), 2) for alarm in alarms)
    undeployed = UndeployedFixes(make_commit("attempt"), make_commit("later"), 3, fixes, 0, (), ())
    return ServiceRadar(undeployed, fixes, 0, reason)


@pytest.fixture
def harness() -> Harness:
    """`attempt` serves, `later` is the branch's head; one failure would end."""
    setting = Harness({"shore.tide": watched_service(radar=True, check_revisions=False)})
    setting.prover.radar = find_fixes()
    return setting


def look(harness: Harness) -> StepResult:
    """What was asked for is done."""
    messages = [message for topic, message in harness.bus.waiting if topic == flow.CHECK_REQUESTED]
    harness.bus.waiting.clear()
    (message,) = messages
    return check_radar(harness.start_process(), message)


def stored(harness: Harness) -> Radar:
    return load_radar(harness.start_process(), harness.services["shore.tide"])


def test_a_look_is_asked_for_at_most_once_an_hour(harness: Harness) -> None:
    message = (flow.CHECK_REQUESTED, build_radar_message(harness.services["shore.tide"]))
    run_tick(harness)
    run_tick(harness, RADAR_INTERVAL - MINUTE)
    assert harness.bus.waiting == [message]
    run_tick(harness, MINUTE)
    assert harness.bus.waiting == [message, message]


@pytest.mark.parametrize("changes", [{"radar": False}, {"radar": True, "is_read_only": True, "channel": ""}])
def test_where_it_is_off_nothing_is_asked_for(changes: dict[str, Any]) -> None:
    harness = Harness({"shore.tide": watched_service(check_revisions=False, **changes)})
    run_tick(harness)
    assert harness.bus.waiting == []


def test_what_was_found_is_stored_with_its_age_and_what_ships(harness: Harness) -> None:
    run_tick(harness)
    assert look(harness).name == "found"
    radar = stored(harness)
    assert (radar.deployed, radar.head, radar.commits_ahead) == (commit_id("attempt"), commit_id("later"), 3)
    (entry,) = radar.entries
    assert (entry.path, entry.fix, entry.commits_shipped) == ("chat/0.py", commit_id("fixed"), 2)
    assert entry.committed_at == make_commit("fixed").committed_at


def test_where_neither_head_nor_revision_has_changed_nothing_is_read_again(harness: Harness) -> None:
    run_tick(harness)
    look(harness)
    run_tick(harness, RADAR_INTERVAL)
    assert look(harness).name == "found"
    assert harness.prover.radar_count == 1
    harness.histories.head = commit_id("fixed")
    run_tick(harness, RADAR_INTERVAL)
    look(harness)
    assert harness.prover.radar_count == 2
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00008-hand", commit_id("broken"))
    run_tick(harness, RADAR_INTERVAL)
    look(harness)
    assert harness.prover.radar_count == 3


def test_the_channel_is_told_once_a_day(harness: Harness) -> None:
    run_tick(harness)
    look(harness)
    for _ in range(5):
        run_tick(harness)
    (posted,) = harness.chat.posted
    assert posted.message.standing is ProposalStatus.NOTICE
    assert commit_id("fixed")[:12] in " ".join(posted.message.lines)
    run_tick(harness, DAY)
    assert len(harness.chat.posted) == 2


def test_nothing_found_is_silence(harness: Harness) -> None:
    harness.prover.radar = find_fixes(0)
    run_tick(harness)
    assert look(harness).name == "nothing"
    run_tick(harness, DAY)
    assert harness.chat.posted == []


def test_what_is_deployed_meanwhile_is_told_no_more(harness: Harness) -> None:
    run_tick(harness)
    look(harness)
    run_tick(harness)
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00008-hand", commit_id("later"))
    harness.prover.radar = find_fixes(0)
    run_tick(harness, RADAR_INTERVAL)
    assert look(harness).name == "nothing"
    run_tick(harness, DAY)
    assert len(harness.chat.posted) == 1


def test_what_was_deployed_since_the_look_is_not_told_of(harness: Harness) -> None:
    run_tick(harness)
    look(harness)
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00008-hand", commit_id("later"))
    run_tick(harness)
    assert harness.chat.posted == []


def test_while_an_incident_is_under_way_its_question_stands_alone(harness: Harness) -> None:
    propose_deployment(harness)
    run_tick(harness)
    look(harness)
    run_tick(harness)
    assert [posted.message.standing for posted in harness.chat.posted] == [ProposalStatus.OPEN]


def test_a_chat_that_refuses_is_asked_once_a_day(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def refuse(*_: object) -> str:
        asked.append("x")
        raise Reject("slack", "channel is archived")

    monkeypatch.setattr(harness.chat, "post", refuse)
    run_tick(harness)
    look(harness)
    run_tick(harness)
    run_tick(harness)
    assert len(asked) == 1


def test_what_is_too_costly_to_read_is_unknown_and_not_told(harness: Harness) -> None:
    harness.prover.radar = Reject(LIMIT_REACHED, "it takes more than 60 requests to GitHub")
    run_tick(harness)
    assert look(harness).name == "unknown"
    assert "60 requests" in stored(harness).reason
    run_tick(harness, DAY)
    assert harness.chat.posted == []


@pytest.mark.parametrize("commit", [None, "f" * 40])
def test_a_commit_that_nobody_knows_is_unknown(harness: Harness, commit: str | None) -> None:
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00008-hand", commit)
    run_tick(harness)
    assert look(harness).name == "unknown"
    assert stored(harness).reason
    assert stored(harness).entries == ()


def test_many_failures_are_cut_and_counted(harness: Harness) -> None:
    harness.prover.radar = find_fixes(MAX_ENTRIES + 3)
    run_tick(harness)
    look(harness)
    assert (len(stored(harness).entries), stored(harness).further) == (MAX_ENTRIES, 3)


def test_a_service_that_is_watched_no_more_is_refused(harness: Harness) -> None:
    with pytest.raises(Reject, match="unknown_service"):
        check_radar(harness.start_process(), {"kind": "radar", "service": "shore.gone"})


def press(harness: Harness, **changes: str) -> ClickResult:
    """The button below the day's line."""
    click = button_click(harness.chat.posted[0].message, ClickKind.PROPOSE, **changes)
    return handle_click(harness.start_process(), click).result


def tell(harness: Harness) -> None:
    run_tick(harness)
    look(harness)
    run_tick(harness)


def test_an_approver_turns_an_entry_into_the_question_with_the_same_gates(harness: Harness) -> None:
    tell(harness)
    assert press(harness) is ClickResult.QUESTION_FOLLOWS
    assert press(harness) is ClickResult.QUESTION_FOLLOWS, "a second click asks for the same"
    run_tick(harness)
    ((topic, message),) = harness.bus.waiting
    assert topic == flow.INCIDENT_OPENED
    assert investigate_incident(harness.start_process(), message["incident"]).name == "proposed"
    assert harness.chat.posted[-1].message.standing is ProposalStatus.OPEN
    harness.bus.waiting.clear()
    run_tick(harness)
    assert [topic for topic, _ in harness.bus.waiting] == [], "it is asked for once"
    assert stored(harness).wanted_by == ""


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"user": "U-NOBODY"}, ClickResult.FOREIGN_USER),
        ({"channel": "C-OTHER"}, ClickResult.FOREIGN_CHANNEL),
        ({"incident": "shore.gone"}, ClickResult.UNKNOWN_PROPOSAL),
        ({"evidence_hash": "0" * 16}, ClickResult.CHANGED_SINCE),
    ],
)
def test_whoever_may_not_ask_for_it_is_refused(harness: Harness, changes: dict[str, str], refused: ClickResult) -> None:
    tell(harness)
    assert press(harness, **changes) is refused
    assert stored(harness).wanted_by == ""


def test_the_button_of_the_line_asks_for_the_question(harness: Harness) -> None:
    tell(harness)
    message = harness.chat.posted[0].message
    blocks: list[Any] = list(build_message_blocks(harness.services["shore.tide"], message))
    ((button,),) = [block["elements"] for block in blocks if block["type"] == "actions"]
    assert CLICK_KINDS[button["action_id"]] is ClickKind.PROPOSE
    assert json.loads(button["value"]) == {
        "proposal": message.proposal,
        "incident": "shore.tide",
        "commit": commit_id("fixed"),
        "evidence": message.evidence_hash,
    }


def test_an_old_line_counts_no_more_once_the_branch_has_moved(harness: Harness) -> None:
    tell(harness)
    harness.histories.head = commit_id("fixed")
    run_tick(harness, RADAR_INTERVAL)
    look(harness)
    assert press(harness) is ClickResult.CHANGED_SINCE


def test_what_serves_no_longer_opens_nothing(harness: Harness) -> None:
    tell(harness)
    assert press(harness) is ClickResult.QUESTION_FOLLOWS
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00008-hand", commit_id("later"))
    run_tick(harness)
    assert (harness.bus.waiting, stored(harness).wanted_by) == ([], "")


@pytest.mark.parametrize(("changes", "offered"), [({"line": 0}, False), ({"family": "name"}, True)])
def test_what_no_proof_can_be_asked_for_has_no_button(
    harness: Harness,
    changes: dict[str, Any],
    offered: bool,  # noqa: FBT001
) -> None:
    radar = find_fixes()
    (fix,) = radar.fixes
    harness.prover.radar = replace(radar, fixes=(replace(fix, alarm=replace(fix.alarm, **changes)),))
    tell(harness)
    assert harness.chat.posted[0].message.can_be_proposed is offered
