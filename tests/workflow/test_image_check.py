"""What an investigation asks of the deployer about images: the proof asks for services that are deployed here."""

from dataclasses import replace
from typing import Any

import pytest

from shared.detection.incident import Incident
from shared.proof.model.ports import Compilers, History
from shared.proof.model.target import NO_IMAGE_NEEDED, ImageCheck, ImageStatus
from shared.proof.proof_context import ProofRequest
from shared.report.report import Report
from shared.service import RolloutMode
from shared.workflow.investigate_incident import investigate_incident
from tests.support.commit_graph import commit_id
from tests.support.drivers import open_incident
from tests.support.harness import Harness, watched_service

MISSING = ImageCheck(ImageStatus.MISSING, "never built")


def ask_for_images(changes: dict[str, Any]) -> tuple[ImageCheck, int]:
    """What the proof of an incident is answered about one commit, and how often the deployer was asked for it."""
    harness = Harness({"shore.tide": watched_service(**changes)})
    harness.cloud.images[commit_id("later")] = MISSING
    incident = open_incident(harness)
    requests: list[ProofRequest] = []
    asked: list[str] = []
    context = harness.start_process()
    prover, answer = context.prover, harness.cloud.check_image

    def prove(failing: Incident, history: History, compilers: Compilers, request: ProofRequest) -> Report:
        requests.append(request)
        return prover.prove_and_report(failing, history, compilers, request)

    harness.cloud.check_image = lambda service, commit: asked.append(commit) or answer(service, commit)  # type: ignore[func-returns-value, method-assign]
    context = replace(context, prover=replace(prover, prove_and_report=prove))
    investigate_incident(context, incident)
    checks = {requests[0].check_image(commit_id("later")) for _ in range(3)}
    return checks.pop(), asked.count(commit_id("later"))


def test_the_deployer_is_asked_once_for_each_commit() -> None:
    check, count = ask_for_images({})
    assert check == MISSING
    assert count <= 2, "once for the branch's head, once for the proof"


@pytest.mark.parametrize(
    "changes",
    [{"is_read_only": True, "channel": ""}, {"rollout_mode": RolloutMode.COMMAND, "deploy_command": ("deploy",)}],
)
def test_no_image_is_asked_for_where_nothing_is_deployed_by_the_platform(changes: dict[str, Any]) -> None:
    assert ask_for_images(changes) == (NO_IMAGE_NEEDED, 0)
