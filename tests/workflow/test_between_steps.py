"""Between the steps of a rollout the old revision still has its part of the traffic, and fails: nobody is to blame.

And what a revision that logs late explains, however far its incident is.
"""

from datetime import timedelta

from shared.proposal.rollout import ProbeResult
from shared.service import Service
from shared.workflow.record import record_log_entry
from tests.support.drivers import (
    approve_proposal,
    propose_deployment,
    read_documents,
    read_incident,
    read_state,
    redeploy_approved,
    run_tick,
)
from tests.support.harness import Harness, syntax_error, watched_service
from tests.support.logs import FakeProbe

NEW = "wss://pf-1---tide.invalid/ws"


class ByAddress(FakeProbe):
    """Only the new revision works; at the service's own address the old one answers as well."""

    def check(self, service: Service) -> ProbeResult:
        self.probed_services.append(service.probe_url)
        return ProbeResult(ok=service.probe_url == NEW, detail="closed with 1011 (internal error)")


def test_new_revision_is_probed_at_its_own_address_until_full_traffic() -> None:
    harness = Harness({"shore.tide": watched_service(traffic_steps=(10, 50, 100))}, probe=ByAddress())
    harness.cloud.address = "https://pf-1---tide.invalid"
    incident = approve_proposal(harness)
    redeploy_approved(harness)
    while read_state(harness, incident) == "deploying":
        run_tick(harness)
    assert read_state(harness, incident) == "watching"
    assert [percent for _, _, percent in harness.cloud.shifts] == [10, 50, 100]
    *before, last = harness.probe.probed_services
    assert (set(before), last) == ({NEW}, "wss://tide.invalid/ws")


def test_late_entries_of_another_revision_explain_its_1011() -> None:
    harness = Harness()
    incident = propose_deployment(harness)
    closed = harness.log_entry("WebSocket /ws closed: code=1011", revision="tide-00006-older")
    waiting = record_log_entry(harness.start_process(), closed).incident
    assert read_state(harness, waiting) == "waiting"
    late = harness.log_entry(syntax_error(), revision="tide-00006-older")
    assert record_log_entry(harness.start_process(), late).name == "duplicate"
    run_tick(harness, timedelta(seconds=1))
    assert read_state(harness, waiting) == "absorbed"
    assert read_incident(harness, waiting)["ending_why"] == f"explained by {incident}"
    assert len(read_documents(harness, "incidents")) == 2
