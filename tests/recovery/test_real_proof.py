"""The whole way with the real proof: the incident's repository and log in; issue, question, deployment, close out."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from functions.demo.build_repository import ExampleRepository, build_incident
from functions.demo.incident_log import Shape, write_incident_log
from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.adapters.logs.log_file import LogFile
from shared.detection.entry import LogEntry
from shared.proof.model.ports import History
from shared.proposal.rollout import WATCH_DURATION
from shared.service import Service
from shared.workflow.context import Context
from shared.workflow.decide import handle_click
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.prover import Prover
from shared.workflow.record import record_log_entry
from shared.workflow.redeploy import redeploy
from tests.support.crash.story_run import MINUTE
from tests.support.drivers import read_documents, read_state
from tests.support.harness import Harness, button_click, watched_service
from tests.support.ticks import play_tick


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> ExampleRepository:
    return build_incident(tmp_path_factory.mktemp("story") / "harbour.git")


def _world(harness: Harness, story: ExampleRepository, compilers: LocalCompilers) -> Context:
    @contextmanager
    def histories(_: Service) -> Iterator[History]:
        with GitRepository(str(story.path)) as repository:
            yield repository

    return replace(harness.start_process(), open_history=histories, compilers=compilers, prover=Prover())


def _setting(entries: list[LogEntry]) -> Harness:
    """The service as it was that night: nobody knows the commit of either revision."""
    known = watched_service(entries[0].service, project=entries[0].project, channel="C-TIDE")
    setting = Harness({known.id: known})
    for revision in dict.fromkeys(entry.revision for entry in entries):
        setting.cloud.deploy_manually(known, revision, None)
    setting.logs.kept += entries
    times = [entry.timestamp for entry in entries if entry.timestamp]
    setting.clock.current_time = max(times) + 2 * MINUTE
    return setting


@pytest.mark.parametrize("shape", [Shape.GCLOUD, Shape.LINE_BY_LINE, Shape.TRACEBACK])
def test_the_incident_is_proven_proposed_deployed_and_closed(
    shape: Shape, story: ExampleRepository, tmp_path: Path, compilers: LocalCompilers
) -> None:
    entries = list(LogFile(str(write_incident_log(story, tmp_path / "log.json", shape))).entries())
    setting = _setting(entries)
    world = _world(setting, story, compilers)
    outcomes = [record_log_entry(world, entry) for entry in entries]
    (incident,) = {
        outcome.incident for outcome in outcomes if outcome.name == "opened" and _is_file(setting, outcome.incident)
    }
    play_tick(world)
    assert setting.bus.waiting == [("incident-opened", {"incident": incident})]

    assert investigate_incident(world, incident).name == "proposed"
    (issue,), (posted,) = setting.issues.issues, setting.chat.posted
    assert posted.message.commit == story.head
    assert story.deployed[:10] in issue.body
    report = read_documents(setting, "reports")[incident]["report"]
    assert isinstance(report, dict)
    assert report["fix"]["commit"] == story.fix
    assert report["deployed"]["uncommitted_tree"]

    assert handle_click(world, button_click(posted.message)).is_accepted
    assert redeploy(world, posted.message.proposal).name == "deploying"
    assert [operation.commit for operation in setting.cloud.operations] == [story.head]
    setting.clock.advance(2 * MINUTE)
    play_tick(world)
    setting.logs.request_counts[setting.cloud.operations[0].revision] = 90
    setting.clock.advance(WATCH_DURATION)
    play_tick(world)
    assert read_state(setting, incident) == "resolved"
    assert not issue.is_open


def test_an_approved_commit_that_has_left_the_branch_is_not_deployed(
    story: ExampleRepository, tmp_path: Path, compilers: LocalCompilers
) -> None:
    entries = list(LogFile(str(write_incident_log(story, tmp_path / "log.json"))).entries())
    setting = _setting(entries)
    world = _world(setting, story, compilers)
    incident = next(each for entry in entries if _is_file(setting, each := record_log_entry(world, entry).incident))
    investigate_incident(world, incident)
    message = setting.chat.posted[0].message
    handle_click(world, button_click(message))
    stored = setting.store.read("proposals", message.proposal)
    assert stored is not None
    setting.store.replace("proposals", message.proposal, {**stored.value, "commit": story.claimed_fix}, stored.version)
    outcome = redeploy(world, message.proposal)
    assert outcome.name.startswith("refused:gate: ")
    assert re.findall(r"\b[0-9a-f]{40}\b", outcome.name) == [story.claimed_fix, story.fix]
    assert setting.cloud.operations == []


def _is_file(harness: Harness, incident: str) -> bool:
    return bool(incident) and read_documents(harness, "incidents")[incident]["kind"] == "syntax_error"
