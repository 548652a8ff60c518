"""A service whose WebSocket closes with 1011 for a reason that nothing proves, and a commit that may end it."""

from shared.proof.model.recommendation import ActionKind, Reason
from shared.proposal.rollout import ProbeOutcome, ProbeResult
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.record import record_log_entry
from tests.support.drivers import MINUTE, press_button, redeploy_approved, run_tick
from tests.support.harness import Harness, watched_service

CLOSE_1011 = "connection closed: received 1011 (internal error)"
SERVING_URL = "wss://tide.invalid/ws"
TRIED_URL = "wss://pf-1---tide.invalid/ws"
HOLDS = ProbeResult(ok=True, detail="connected and stayed open; 2 messages received", outcome=ProbeOutcome.STAYED_OPEN)
FAILS = ProbeResult(
    ok=False, detail="closed with 1011 (internal error) after 1 messages", outcome=ProbeOutcome.CLOSED, code=1011
)
UNREACHABLE = ProbeResult(ok=False, detail="could not be connected to: refused", outcome=ProbeOutcome.UNREACHABLE)


def harness_with_trial(**changes: object) -> Harness:
    """The serving revision fails when it is probed, and what is deployed next holds."""
    setting = Harness({"shore.tide": watched_service("tide", **({"trial": True} | changes))})
    setting.prover.kind, setting.prover.reason = ActionKind.NONE, Reason.CLOSE_1011_UNPROVEN
    setting.prover.trial_commit = "later"
    setting.cloud.address = "https://pf-1---tide.invalid"
    setting.probe.results_by_url |= {SERVING_URL: FAILS, TRIED_URL: HOLDS}
    return setting


def investigate_close(harness: Harness) -> str:
    """A close was logged, nothing explains it, and it was investigated; the id of its incident."""
    incident = record_log_entry(harness.start_process(), harness.log_entry(CLOSE_1011)).incident
    run_tick(harness, 3 * MINUTE)
    investigate_incident(harness.start_process(), incident)
    harness.bus.waiting.clear()
    return incident


def start_trial(harness: Harness) -> str:
    """It was approved as well, and is being deployed without traffic."""
    incident = investigate_close(harness)
    press_button(harness)
    redeploy_approved(harness)
    return incident


def finish_trial(harness: Harness, ticks: int = 3) -> None:
    """One round each minute."""
    harness.clock.advance(MINUTE)
    for _ in range(ticks):
        run_tick(harness)
