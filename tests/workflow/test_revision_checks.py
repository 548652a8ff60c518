"""A revision that gets traffic is checked: what is definitely broken is an incident before anything is logged."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.errors import Reject
from shared.proof.model.ports import History
from shared.proposal.rollout import WATCH_DURATION
from shared.service import Service
from shared.text.timestamps import format_rfc3339
from shared.workflow import flow
from shared.workflow.commit_checks.check_revision import check_revision
from shared.workflow.commit_checks.watch_service import build_message
from shared.workflow.context import Context
from shared.workflow.decide import handle_click
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.prover import Prover
from shared.workflow.record import record_log_entry
from shared.workflow.redeploy import redeploy
from tests.support.drivers import MINUTE, read_documents, read_incident, read_state
from tests.support.harness import Harness, button_click, watched_service
from tests.support.history_builder import HistoryBuilder, running_python
from tests.support.ticks import play_tick

DOCKERFILE = "FROM python:3.11-slim\nWORKDIR /srv\nCOPY . .\nCMD uvicorn quay.main:app\n"
MAIN = "app = print\n\n\ndef answer():\n    from quay.tides import tide_at\n\n    return tide_at\n"
TIDES = "def tide_at(hour):\n    return hour\n"
BROKEN = TIDES + "level = = 1\n"
FIRST, SECOND = "tide-00008-new", "tide-00009-new"


@dataclass
class Scene:
    """`world` is one process; commits by name."""

    story: HistoryBuilder
    harness: Harness
    world: Context

    @property
    def service(self) -> Service:
        return self.harness.services["shore.tide"]

    def deploy(self, revision: str, commit: str, python: str = "") -> None:
        self.harness.cloud.deploy_manually(self.service, revision, self.story.ids[commit])
        known = self.harness.cloud.services[self.service.id].revisions
        known[revision] = replace(known[revision], python=python)

    def tick(self) -> list[str]:
        """A minute passes; what the checks came to that were asked for."""
        self.harness.clock.advance(MINUTE)
        play_tick(self.world)
        asked = [message for topic, message in self.harness.bus.waiting if topic == flow.CHECK_REQUESTED]
        self.harness.bus.waiting[:] = [each for each in self.harness.bus.waiting if each[0] != flow.CHECK_REQUESTED]
        return [check_revision(self.world, message).name for message in asked]


@pytest.fixture
def scene(tmp_path: Path, compilers: LocalCompilers) -> Scene:
    """start serves; then come broken (a file that only a visitor makes Python load), still, fixed, script."""
    story = HistoryBuilder(tmp_path / "repo.git")
    story.commit(
        "start",
        {"Dockerfile": DOCKERFILE, "quay/__init__.py": "", "quay/main.py": MAIN, "quay/tides.py": TIDES, "t.py": ""},
    )
    story.commit("harmless", {"README.md": "Tides.\n"})
    story.commit("broken", {"quay/tides.py": BROKEN})
    story.commit("still", {"README.md": "Tides, by the hour.\n"})
    story.commit("fixed", {"quay/tides.py": TIDES})
    story.commit("script", {"t.py": "x = (\n"})
    story.commit("misspelt", {"quay/main.py": MAIN + "\n\ndef again():\n    return misspelt\n"})
    story.commit("spelt", {"quay/main.py": MAIN + "\n\ndef again():\n    return app\n"})
    story.write_repository()

    @contextmanager
    def histories(_: Service) -> Iterator[History]:
        with GitRepository(str(story.path)) as repository:
            yield repository

    known = watched_service(check_revisions=True, python=running_python(), probe_url="")
    harness = Harness({known.id: known})
    world = replace(harness.start_process(), open_history=histories, compilers=compilers, prover=Prover())
    opened = Scene(story, harness, world)
    opened.deploy("tide-00007-old", "start")
    assert opened.tick() == []  # what serves already is what later revisions are compared with
    return opened


def test_a_broken_revision_is_found_before_it_is_logged_asked_about_deployed_and_closed(scene: Scene) -> None:
    scene.deploy(FIRST, "still")
    assert scene.tick() == ["opened"]
    [(topic, message)] = scene.harness.bus.waiting
    incident = message["incident"]
    assert topic == flow.INCIDENT_OPENED
    stored = read_incident(scene.harness, incident)
    assert (stored["state"], stored["kind"], stored["path"], stored["revisions"]) == (
        "opened",
        "syntax_error",
        "quay/tides.py",
        [FIRST],
    )
    assert scene.harness.logs.kept == []

    assert investigate_incident(scene.world, incident).name == "proposed"
    report = read_documents(scene.harness, "reports")[incident]["report"]
    assert isinstance(report, dict)
    assert report["fix"]["commit"] == scene.story.ids["fixed"]
    assert report["deployed"]["commit"] == scene.story.ids["still"]
    assert report["introduced"]["commit"] == scene.story.ids["broken"]
    assert report["incident"]["occurrences"] == 0
    (issue,), (posted,) = scene.harness.issues.issues, scene.harness.chat.posted
    assert "ogged 0 times" not in issue.body
    assert "0 times" not in repr(posted.message)
    assert handle_click(scene.world, button_click(posted.message)).is_accepted
    assert redeploy(scene.world, posted.message.proposal).name == "deploying"
    assert scene.tick() == []  # what provenfix deploys itself has passed every gate
    assert scene.tick() == []
    scene.harness.logs.request_counts[scene.harness.cloud.operations[0].revision] = 90
    scene.harness.clock.advance(WATCH_DURATION)
    play_tick(scene.world)
    assert read_state(scene.harness, incident) == "resolved"
    assert not issue.is_open


def test_its_first_log_entry_is_the_same_incident(scene: Scene) -> None:
    scene.deploy(FIRST, "broken")
    assert scene.tick() == ["opened"]
    [incident] = read_documents(scene.harness, "incidents")
    text = '  File "/srv/quay/tides.py", line 3\n    level = = 1\n            ^\nSyntaxError: invalid syntax'
    entry = scene.harness.log_entry(text, FIRST, scene.harness.clock.now() - timedelta(seconds=7))
    outcome = record_log_entry(scene.world, entry)
    assert (outcome.name, outcome.incident) == ("attached", incident)
    assert entry.timestamp is not None
    assert read_incident(scene.harness, incident)["last_seen"] == format_rfc3339(entry.timestamp)
    investigate_incident(scene.world, incident)
    report = read_documents(scene.harness, "reports")[incident]["report"]
    assert isinstance(report, dict)
    assert report["incident"]["occurrences"] == 1


def test_a_sound_revision_opens_nothing_and_is_what_the_next_one_is_compared_with(scene: Scene) -> None:
    scene.deploy(FIRST, "harmless")
    assert scene.tick() == ["sound"]
    assert scene.tick() == []
    [state] = read_documents(scene.harness, "serving_states").values()
    assert state["sound"] == FIRST
    scene.deploy(SECOND, "broken")
    assert scene.tick() == ["opened"]


def test_what_the_service_does_not_load_opens_nothing(scene: Scene) -> None:
    scene.deploy(FIRST, "script")
    assert scene.tick() == ["sound"]
    assert read_documents(scene.harness, "incidents") == {}


def test_a_failure_beyond_syntax_is_proven_and_asked_about_in_the_same_way(scene: Scene) -> None:
    scene.deploy(FIRST, "misspelt")
    assert scene.tick() == ["opened"]
    [incident] = read_documents(scene.harness, "incidents")
    stored = read_incident(scene.harness, incident)
    assert (stored["kind"], stored["path"], stored["error_class"]) == ("found_by_check", "quay/main.py", "NameError")
    assert investigate_incident(scene.world, incident).name == "proposed"
    report = read_documents(scene.harness, "reports")[incident]["report"]
    assert isinstance(report, dict)
    assert (report["claim"]["family"], report["introduced"]["commit"]) == ("name", scene.story.ids["misspelt"])
    assert report["fix"]["commit"] == scene.story.ids["spelt"]
    assert report["incident"]["exception"] is None
    (issue,), (posted,) = scene.harness.issues.issues, scene.harness.chat.posted
    assert posted.message.commit == scene.story.ids["spelt"]
    assert "ogged 0 times" not in issue.body
    assert "0 times" not in repr(posted.message)


def test_going_back_to_an_earlier_commit_is_a_decision_of_users(scene: Scene) -> None:
    scene.deploy(FIRST, "fixed")
    assert scene.tick() == ["sound"]
    scene.deploy(SECOND, "broken")
    assert scene.tick() == ["unknown"]
    assert read_documents(scene.harness, "incidents") == {}


def test_a_revision_without_a_known_commit_or_without_traffic_opens_nothing(scene: Scene) -> None:
    scene.harness.cloud.deploy_manually(scene.service, FIRST, None)
    assert scene.tick() == ["unknown"]
    scene.deploy(SECOND, "broken")
    scene.harness.cloud.services[scene.service.id].traffic = {FIRST: 100}
    assert check_revision(scene.world, build_message(scene.service, SECOND)).name == "unknown"
    assert read_documents(scene.harness, "incidents") == {}


def test_two_deliveries_open_one_incident(scene: Scene) -> None:
    scene.deploy(FIRST, "broken")
    assert scene.tick() == ["opened"]
    assert check_revision(scene.world, build_message(scene.service, FIRST)).name in {"attached", "duplicate"}
    assert len(read_documents(scene.harness, "incidents")) == 1


def test_the_log_cannot_say_that_a_check_has_found_something(scene: Scene) -> None:
    entry = replace(scene.harness.log_entry(), log_name="provenfix-check")
    assert record_log_entry(scene.world, entry).name == "refused:own_line"
    with pytest.raises(Reject):
        check_revision(scene.world, {"kind": "revision", "service": "shore.nobody", "revision": FIRST})
