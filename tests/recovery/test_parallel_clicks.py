"""A hundred clicks on Approve and Deny at the same moment, while processes die: one deployment at most, denial wins."""

import random
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from shared.errors import Reject, Retry
from shared.proposal.decision import Click, ClickKind, ClickResult
from shared.workflow.context import Context
from shared.workflow.decide import handle_click
from shared.workflow.ledger import LEASE
from shared.workflow.redeploy import redeploy
from tests.support.crash.faults import Fault, FaultPlan, ProcessDied
from tests.support.crash.story_run import MINUTE
from tests.support.drivers import propose_deployment
from tests.support.harness import Harness, button_click, watched_service
from tests.support.stores import StoreOpener
from tests.support.ticks import play_tick

CLICKS = 100
WORKERS = 20
ROUNDS = 20

Told = TypeVar("Told")


@pytest.fixture(autouse=True)
def interleaved() -> Iterator[None]:
    """Threads take turns ten thousand times as often as usual, so that their calls really mix."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(usual / 10_000)
    yield
    sys.setswitchinterval(usual)


def _pressed(harness: Harness, kind: ClickKind, chance: random.Random) -> ClickResult | None:
    """One click in a process that may die at any of its calls; None where the person saw nothing but an error."""
    plan = FaultPlan(chance.randrange(40), chance.choice(list(Fault)))
    return _attempt(
        harness, plan, lambda world: handle_click(world, button_click(harness.chat.posted[0].message, kind)).result
    )


def _attempt(harness: Harness, plan: FaultPlan, what: Callable[[Context], Told]) -> Told | None:
    try:
        return what(harness.start_process(plan.tap()))
    except (Retry, Reject, ProcessDied):
        return None


def _redeployed(harness: Harness, proposal: str, chance: random.Random) -> None:
    plan = FaultPlan(chance.randrange(60), chance.choice(list(Fault)))
    _attempt(harness, plan, lambda world: redeploy(world, proposal))


def _settled(harness: Harness, proposal: str) -> None:
    """Leases run out, every message is delivered once more, and two ticks pass."""
    for _ in range(2):
        harness.clock.advance(LEASE + MINUTE)
        _attempt(harness, FaultPlan(), lambda world: redeploy(world, proposal))
        play_tick(harness.start_process())


def _clicked(harness: Harness, seed: int, *, deny: float, beside: bool) -> list[tuple[ClickKind, ClickResult | None]]:
    """All clicks at once; `deny` is the share of denials; `beside`: the approval is acted on in the meantime."""
    chance = random.Random(seed)
    kinds = [ClickKind.DENY if chance.random() < deny else ClickKind.APPROVE for _ in range(CLICKS)]
    proposal = f"{propose_deployment(harness)}-1"
    with ThreadPoolExecutor(WORKERS) as pool:
        asked, acting = [], []
        for number, kind in enumerate(kinds):
            asked.append(pool.submit(_pressed, harness, kind, random.Random(chance.random())))
            if beside and number % 3 == 0:
                acting.append(pool.submit(_redeployed, harness, proposal, random.Random(chance.random())))
        replies = [each.result() for each in asked]
        for each in acting:
            each.result()
    _settled(harness, proposal)
    return list(zip(kinds, replies, strict=True))


def _denied(replies: list[tuple[ClickKind, ClickResult | None]]) -> bool:
    return any(reply in {ClickResult.DENIED, ClickResult.ALREADY_DENIED} for _, reply in replies)


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_any_denial_wins_over_all_approvals_that_nobody_acted_on(seed: int) -> None:
    setting = Harness()
    replies = _clicked(setting, seed, deny=0.05, beside=False)
    stored = setting.store.read("decisions", setting.chat.posted[0].message.proposal)
    assert stored is not None
    denied = stored.value["state"] == "denied"
    assert denied or not _denied(replies)
    assert len(setting.cloud.operations) == (0 if denied else 1)


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_clicks_and_the_deployment_at_once_agree_on_what_happened(seed: int) -> None:
    setting = Harness()
    replies = _clicked(setting, seed, deny=0.02, beside=True)
    assert len(setting.cloud.operations) <= 1
    assert not (_denied(replies) and setting.cloud.operations)
    assert not (any(reply is ClickResult.TOO_LATE for _, reply in replies) and not setting.cloud.operations)


def test_approvals_alone_deploy_exactly_once() -> None:
    setting = Harness()
    _clicked(setting, 7, deny=0, beside=True)
    assert len(setting.cloud.operations) == 1


def test_denials_alone_deploy_nothing() -> None:
    setting = Harness()
    _clicked(setting, 7, deny=1, beside=True)
    assert setting.cloud.operations == []


CREW = tuple(f"U-{number:02}" for number in range(12))


@pytest.mark.parametrize("quorum", [1, 3])
@pytest.mark.parametrize("seed", range(5))
def test_concurrent_votes_on_two_options_do_at_most_one(seed: int, quorum: int) -> None:
    """A hundred clicks of a dozen people, who deploy, go back, change their minds, and sometimes deny."""
    setting = Harness({"shore.tide": watched_service("tide", approvers=CREW, quorum=quorum)})
    setting.prover.offers_rollback = True
    chance = random.Random(seed)
    question = f"{propose_deployment(setting)}-1"
    message = setting.chat.posted[0].message
    assert message.alternative is not None
    back = replace(message, proposal=message.alternative.proposal, commit=message.alternative.commit)
    deny = 0.02 if seed % 2 else 0.0
    wanted = [
        button_click(
            chance.choice([message, back]),
            ClickKind.DENY if chance.random() < deny else ClickKind.APPROVE,
            user=chance.choice(CREW),
            token=f"t{number}",
        )
        for number in range(CLICKS)
    ]
    with ThreadPoolExecutor(WORKERS) as pool:
        told = list(pool.map(lambda each: _clicked_once(setting, each, random.Random(each.token)), wanted))
        list(pool.map(lambda each: _redeployed(setting, each, random.Random(each)), [question, back.proposal] * 5))
    for _ in range(2):
        setting.clock.advance(LEASE + MINUTE)
        for proposal in (question, back.proposal):
            _attempt(setting, FaultPlan(), lambda world, it=proposal: redeploy(world, it))  # type: ignore[misc]
        play_tick(setting.start_process())
    stored = setting.store.read("decisions", question)
    assert stored is not None
    value: Any = stored.value
    done = [(each.marker, each.commit) for each in setting.cloud.operations]
    assert len(done) <= 1
    assert not (done and any(reply in {ClickResult.DENIED, ClickResult.ALREADY_DENIED} for reply in told))
    if done:
        chosen = message if value["chosen"] == question else back
        assert done == [(chosen.proposal, chosen.commit)]
        assert len({vote["by"] for vote in value["votes"] if vote["proposal"] == value["chosen"]}) >= quorum
    assert done or deny, "a dozen people with a hundred clicks agree on something"


def _clicked_once(harness: Harness, pressed: Click, chance: random.Random) -> ClickResult | None:
    plan = FaultPlan(chance.randrange(40), chance.choice(list(Fault)))
    return _attempt(harness, plan, lambda world: handle_click(world, pressed).result)


def test_every_store_decides_alike(opened: StoreOpener) -> None:
    setting = Harness(store=opened())
    replies = _clicked(setting, 3, deny=0.03, beside=True)
    assert len(setting.cloud.operations) <= 1
    assert not (_denied(replies) and setting.cloud.operations)
