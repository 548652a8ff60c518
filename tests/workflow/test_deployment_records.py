"""Records of deployments: one for each verified redeployment, and read where the platform names no commit."""

from datetime import timedelta

import pytest

from shared.deployment_records import RecordedDeployment
from shared.proof.model.deployed_version import DeployedSource
from shared.proposal.rollout import WATCH_DURATION, ProbeResult
from shared.workflow.investigation.platform_evidence import FailingRevision, gather_platform_evidence
from shared.workflow.ledger import LEASE
from tests.support.commit_graph import commit_id
from tests.support.drivers import MINUTE, read_documents, read_incident, read_state, run_tick, start_watching
from tests.support.harness import OLD_REVISION, Harness, watched_service


def make_harness(*, records: bool = True, others: int = 0) -> Harness:
    services = [watched_service(deployment_records=records)]
    services += [watched_service(f"ebb{number}", repository="Harbour/tide") for number in range(others)]
    return Harness({service.id: service for service in services})


def verify_redeployment(harness: Harness) -> str:
    """It was deployed, watched to the end, and held."""
    incident = start_watching(harness)
    harness.logs.request_counts[harness.cloud.operations[0].revision] = 480
    run_tick(harness, WATCH_DURATION + MINUTE)
    return incident


def test_a_verified_redeployment_is_recorded_once() -> None:
    harness = make_harness()
    incident = verify_redeployment(harness)
    assert read_state(harness, incident) == "resolved"
    run_tick(harness)
    (entry,) = harness.deployment_records.entries
    assert (entry.commit, entry.marker) == (commit_id("later"), f"{incident}-1")
    issue = read_incident(harness, incident)["issue"]
    assert isinstance(issue, dict)
    assert entry.log_url == issue["url"]
    assert harness.deployment_records.succeeded == ["0"]


def test_what_was_not_verified_is_not_recorded() -> None:
    harness = make_harness()
    incident = start_watching(harness)
    harness.probe.result = ProbeResult(ok=False, detail="closed with 1011")
    run_tick(harness)
    run_tick(harness)
    assert read_state(harness, incident) == "rolled_back"
    assert harness.deployment_records.entries == []


def test_nothing_is_recorded_where_nobody_asked_for_it() -> None:
    harness = make_harness(records=False)
    harness.deployment_records.refusal = "it must not be asked"
    assert read_state(harness, verify_redeployment(harness)) == "resolved"
    assert not [key for key in read_documents(harness, "effects") if "deployment_" in key]


def test_a_refused_record_is_stored_and_the_incident_ends_all_the_same() -> None:
    harness = make_harness()
    harness.deployment_records.refusal = "Resource not accessible by integration"
    incident = verify_redeployment(harness)
    run_tick(harness, LEASE)
    assert read_state(harness, incident) == "resolved"
    stored = str(read_documents(harness, "effects"))
    assert harness.deployment_records.refusal in stored


def find_source(harness: Harness) -> tuple[str | None, DeployedSource, str]:
    """What names the commit of a revision of which the platform names none."""
    service = harness.services["shore.tide"]
    context = harness.start_process()
    seen = FailingRevision(OLD_REVISION, context.revisions.get_service_state(service), ())
    with context.open_history(service) as history:
        evidence = gather_platform_evidence(context, service, history, seen)
    return evidence.commit, evidence.source, " ".join(evidence.sentences)


def deploy_unlabelled(harness: Harness) -> None:
    harness.cloud.deploy_manually(harness.services["shore.tide"], OLD_REVISION, None)


def record(harness: Harness, name: str, before: timedelta) -> None:
    made = harness.clock.now() - before
    number = str(len(harness.deployment_records.recorded))
    harness.deployment_records.recorded.append(RecordedDeployment(number, commit_id(name), "production", made))


def test_a_record_names_the_commit_where_the_platform_names_none() -> None:
    harness = make_harness()
    record(harness, "attempt", timedelta(minutes=5))
    deploy_unlabelled(harness)
    commit, source, said = find_source(harness)
    assert (commit, source) == (commit_id("attempt"), DeployedSource.RECORD)
    assert commit_id("attempt") in said


def test_the_platform_comes_first() -> None:
    harness = make_harness()
    record(harness, "later", timedelta(minutes=5))
    assert find_source(harness)[0] == commit_id("attempt")


@pytest.mark.parametrize(
    ("names", "before", "others"),
    [
        (["attempt"], timedelta(hours=3), 0),
        (["attempt", "later"], timedelta(minutes=5), 0),
        (["attempt"], timedelta(minutes=5), 1),
        ([], timedelta(), 0),
    ],
    ids=["too old", "two commits", "another service of the repository", "none"],
)
def test_a_record_that_may_mean_something_else_names_nothing(names: list[str], before: timedelta, others: int) -> None:
    harness = make_harness(others=others)
    for name in names:
        record(harness, name, before)
    deploy_unlabelled(harness)
    assert find_source(harness)[:2] == (None, DeployedSource.GIVEN)


def test_a_refusal_is_said_and_ends_nothing() -> None:
    harness = make_harness()
    harness.deployment_records.refusal = "Resource not accessible by integration"
    deploy_unlabelled(harness)
    commit, _, said = find_source(harness)
    assert commit is None
    assert "Resource not accessible" in said


def test_without_the_setting_no_record_is_read() -> None:
    harness = make_harness(records=False)
    record(harness, "attempt", timedelta(minutes=5))
    deploy_unlabelled(harness)
    assert find_source(harness)[0] is None
