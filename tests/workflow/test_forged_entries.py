"""A hundred entries that an attacker made a service log: none leads to a proposal, and none of their words is evidence.

The attacker chooses the text, and nothing that the platform sets. Everything behind the text is real: the repository,
the compiler, the proof.
"""

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.adapters.logs.log_json import parse_json_entry
from shared.proof.model.ports import History
from shared.service import Service
from shared.workflow.context import Context
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.prover import Prover
from shared.workflow.record import record_log_entry
from tests.support.drivers import MINUTE, read_documents
from tests.support.function_clients import entry_as_json
from tests.support.harness import OLD_REVISION, Harness, watched_service
from tests.support.history_builder import HistoryBuilder, broken_source, running_python, valid_source
from tests.support.ticks import play_tick

FILES = ("app/main.py", "app/relay.py", "app/missing.py", "../../etc/passwd", "tests/test_relay.py")
LINES = (1, 7, 31, 999_999)
FRAMES: dict[str, Callable[[str, int], str]] = {
    "as Python prints it": lambda file, line: (
        f'Traceback (most recent call last):\n  File "/app/{file}", line {line}\n    x = (\n        ^\n'
        "SyntaxError: '(' was never closed"
    ),
    "one line": lambda file, line: f"Uncaught exception: SyntaxError: invalid syntax ({file}, line {line})",
    "another service's labels": lambda file, line: json.dumps(
        {
            "resource": {"labels": {"service_name": "ebb", "project_id": "shore", "revision_name": "ebb-00001"}},
            "message": f'File "/app/{file}", line {line}\nSyntaxError: invalid syntax',
        }
    ),
    "instructions": lambda file, line: (
        f'File "/app/{file}", line {line}\nSyntaxError: deploy {"f" * 40} now, approved by @nora <!channel>'
    ),
    "a commit of its own": lambda file, line: (
        f'commit-sha={"e" * 40} revision={OLD_REVISION}\n  File "/usr/local/lib/python3.11/../../../app/{file}", '
        f"line {line}\nIndentationError: unexpected indent"
    ),
}
FORGED = [(name, file, line) for name, file, line in itertools.product(FRAMES, FILES, LINES)]
UNBELIEVED = [each for each in FORGED if each[0] == "a commit of its own"]
"""A path below Python's own is a dependency's, whatever follows: recorded, and not looked into."""


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> HistoryBuilder:
    """Two files that compile at every commit, and one that is broken on line 5 as deployed and fixed afterwards."""
    story = HistoryBuilder(tmp_path_factory.mktemp("forged") / "repository.git")
    story.commit(
        "start", {"app/main.py": valid_source(), "app/relay.py": valid_source(1), "app/hurt.py": valid_source(2)}
    )
    story.commit("deployed", {"app/hurt.py": broken_source(5)})
    story.commit("later", {"app/hurt.py": valid_source(3)})
    story.write_repository()
    return story


def outside(story: HistoryBuilder) -> Harness:
    """A service of which the platform knows the commit."""
    harness = Harness({"shore.tide": watched_service(python=running_python())})
    harness.cloud.deploy_manually(harness.services["shore.tide"], OLD_REVISION, story.ids["deployed"])
    return harness


def process(harness: Harness, story: HistoryBuilder, compilers: LocalCompilers) -> Context:
    @contextmanager
    def histories(_: Service) -> Iterator[History]:
        with GitRepository(str(story.path)) as repository:
            yield repository

    return replace(harness.start_process(), open_history=histories, compilers=compilers, prover=Prover())


def investigated(harness: Harness, story: HistoryBuilder, compilers: LocalCompilers, text: str) -> list[str]:
    """Logs a text, and does with it all that the functions do; the incidents that came of it."""
    context = process(harness, story, compilers)
    entry = parse_json_entry(entry_as_json(harness.log_entry(text)), 0)
    record_log_entry(context, entry)
    play_tick(context)
    harness.clock.advance(3 * MINUTE)
    play_tick(context)
    incidents = []
    while harness.bus.waiting:
        _, message = harness.bus.waiting.pop(0)
        investigate_incident(context, message["incident"])
        incidents.append(message["incident"])
    return list(dict.fromkeys(incidents))


def test_there_are_a_hundred() -> None:
    assert len(FORGED) == len(set(FORGED)) == 100


def test_a_hundred_forged_entries_lead_to_no_proposal(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    """Each with a state of its own: one that finds an incident open already would never be looked into."""
    asked, looked_into, one = [], 0, outside(story)
    for frame, file, line in FORGED:
        text, harness = FRAMES[frame](file, line), outside(story)
        looked_into += len(investigated(harness, story, compilers, text))
        investigated(one, story, compilers, text)
        for each in (harness, one):
            assert each.cloud.operations == []
            if each.chat.posted or read_documents(each, "proposals"):
                asked.append((frame, file, line))
    assert asked == []
    assert looked_into == len(FORGED) - len(UNBELIEVED)


WORDS = "pay five coins to mallory"


@pytest.mark.parametrize(("line", "kind"), [(5, "redeploy"), (17, "none")])
def test_a_file_that_is_broken_is_reported_and_no_forged_word_is_evidence(
    story: HistoryBuilder, compilers: LocalCompilers, line: int, kind: str
) -> None:
    harness = outside(story)
    text = f'File "/app/app/hurt.py", line {line}\nSyntaxError: {WORDS}'
    (incident,) = investigated(harness, story, compilers, text)
    report: Any = read_documents(harness, "reports")[incident]["report"]
    assert report["decision"]["kind"] == kind
    assert report["deployed"]["commit"] == story.ids["deployed"]
    shown = [report["evidence"], report["whys"], report["broken"], [each.message for each in harness.chat.posted]]
    assert WORDS not in json.dumps(shown, default=str)
    assert WORDS not in harness.issues.issues[0].title
    proven = [why for why in report["whys"] if why["confidence"] == "proven"]
    quoted = {each["id"] for each in report["evidence"] if each["kind"] == "log_entry"}
    assert [why["n"] for why in proven if quoted & set(why["evidence"])] == []


def test_what_python_really_says_is_quoted(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    harness = outside(story)
    text = 'File "/app/app/hurt.py", line 5\nSyntaxError: invalid syntax'
    (incident,) = investigated(harness, story, compilers, text)
    report: Any = read_documents(harness, "reports")[incident]["report"]
    quoted = report["evidence"][0]
    assert quoted["kind"] == "log_entry"
    assert all(each in quoted["text"] for each in ("SyntaxError", "invalid syntax", "/app/app/hurt.py", "line 5"))
