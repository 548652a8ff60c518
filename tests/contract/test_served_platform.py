"""The local platform with real processes: what its ports promise holds while they run, fail, and are killed."""

import itertools
import os
import re
import signal
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from functions.demo.fast_import import CommitSpec, run_git, write_repository
from functions.local.platform.revision_files import export_commit, prepare_files
from shared.adapters.standins.process_platform import ManualRevision, RevisionSource
from shared.errors import Reject
from shared.ports import CHANGED_BY_HAND
from shared.proposal.rollout import DeploymentProgress
from tests.support.local_platform import LocalPlatform, run_local_platform

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def module_shore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPlatform]:
    with run_local_platform(tmp_path_factory.mktemp("shore")) as running:
        running.deploy_manually("tide-00007-old", "old")
        yield running


@pytest.fixture
def here(module_shore: LocalPlatform) -> LocalPlatform:
    """One platform for the tests of this file; each begins with the old revision in service."""
    name = f"tide-by-hand-{next(_numbers)}"
    assert module_shore.deploy_manually(name, "old").progress is DeploymentProgress.DONE
    module_shore.wait_until(lambda: module_shore.fetch() == f"old {name}")
    module_shore.opened_at = datetime.now(UTC)
    return module_shore


def rolled_out(here: LocalPlatform, version: str = "fix", marker: str = "") -> str:
    """A revision that is ready, or has failed."""
    marker = marker or here.opened_at.isoformat()
    etag = here.ports.get_service_state(here.service).etag
    operation = here.ports.start(here.service, marker, here.commits[version], etag)
    here.wait_for_operation(operation)
    return operation


def test_connections_are_split_by_the_shares_of_the_revisions(here: LocalPlatform) -> None:
    old, new = here.ports.get_service_state(here.service).revision.name, rolled_out(here)
    assert {here.fetch() for _ in range(5)} == {f"old {old}"}
    here.ports.shift_traffic(here.service, new, 10)
    here.wait_until(lambda: here.fetch() == f"fix {new}")
    assert Counter(here.fetch() for _ in range(20)) == {f"old {old}": 18, f"fix {new}": 2}
    here.ports.shift_traffic(here.service, new, 100)
    here.wait_until(lambda: here.fetch() == f"fix {new}")
    assert {here.fetch() for _ in range(5)} == {f"fix {new}"}


def test_a_revision_without_traffic_is_reached_at_an_address_of_its_own(here: LocalPlatform) -> None:
    new = rolled_out(here)
    url = here.ports.state(here.service, new).url
    assert here.fetch(port=urlsplit(url).port or 0) == f"fix {new}"


def test_all_of_the_traffic_for_who_served_before_puts_the_split_back(here: LocalPlatform) -> None:
    old, first = (
        here.ports.get_service_state(here.service).revision.name,
        rolled_out(here, marker=f"{here.opened_at} 1"),
    )
    here.ports.shift_traffic(here.service, first, 30)
    second = rolled_out(here, "next", f"{here.opened_at} 2")
    here.ports.shift_traffic(here.service, second, 50)
    assert here.ports.get_service_state(here.service).traffic == {second: 50, first: 15, old: 35}
    here.ports.shift_traffic(here.service, old, 100)
    assert here.ports.get_service_state(here.service).traffic == {first: 30, old: 70}


def test_what_a_person_deploys_meanwhile_is_left_alone(here: LocalPlatform) -> None:
    new = rolled_out(here)
    here.ports.deploy_by_hand(here.service, ManualRevision("tide-99999-hand", RevisionSource(here.commits["next"])))
    with pytest.raises(Reject, match="tide-99999-hand") as refused:
        here.ports.shift_traffic(here.service, new, 100)
    assert refused.value.reason == CHANGED_BY_HAND


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("ends", " exit code 3: no such tide."),
        ("python", "Python 3.99 (Dockerfile: FROM python:3.99-slim) "),
    ],
)
def test_a_revision_that_never_comes_up_has_failed(here: LocalPlatform, version: str, told: str) -> None:
    operation = rolled_out(here, version)
    stands = here.ports.state(here.service, operation)
    assert stands.progress is DeploymentProgress.FAILED
    assert told in stands.detail


def test_a_port_that_does_not_answer_in_time_has_failed(tmp_path: Path) -> None:
    with run_local_platform(tmp_path, start_seconds=0.3) as here:
        stands = here.deploy_manually("tide-00001-new", "silent")
    assert stands.progress is DeploymentProgress.FAILED
    assert " 0.3 s" in stands.detail


def test_what_is_printed_and_answered_is_logged_as_on_the_platform(here: LocalPlatform) -> None:
    revision = here.ports.get_service_state(here.service).revision.name
    here.fetch("/nowhere")
    here.wait_until(lambda: here.logs.count_requests(here.service, revision, here.opened_at) > 0)
    found = [
        each
        for each in here.logs.latest_raw(here.service, 50)
        if str(each["timestamp"]) >= here.opened_at.isoformat()[:26]
    ]
    plain = next(each for each in found if each.get("textPayload") == "answering /nowhere")
    assert plain["resource"] == {
        "type": "cloud_run_revision",
        "labels": {
            "configuration_name": "tide",
            "location": "europe-west6",
            "project_id": "shore",
            "revision_name": revision,
            "service_name": "tide",
        },
    }
    assert plain["logName"] == "projects/shore/logs/run.googleapis.com%2Fstdout"
    assert "severity" not in plain
    assert re.fullmatch(r"[0-9a-f]{98}", str(plain["labels"]["instanceId"]))  # type: ignore[index]
    told = next(each for each in found if each.get("jsonPayload") == {"message": "told /nowhere"})
    assert told["severity"] == "NOTICE"
    error = next(each for each in found if str(each["logName"]).endswith("stderr"))
    assert error["textPayload"] == "an error of /workspace/serve.py"
    assert len({each["insertId"] for each in found}) == len(found)


def test_a_process_that_is_killed_is_started_again_as_another_instance(here: LocalPlatform) -> None:
    revision = here.ports.get_service_state(here.service).revision.name
    before = instances(here)
    serving = process_of(revision)
    assert b"PROVENFIX_" not in Path(f"/proc/{serving}/environ").read_bytes()  # a service gets none of its secrets
    os.kill(serving, signal.SIGKILL)
    here.wait_until(lambda: here.fetch() == f"old {revision}" and len(instances(here) - before) == 1)
    assert here.ports.state(here.service, revision).progress is DeploymentProgress.DONE


def test_after_the_platform_was_killed_everything_is_as_it_was(here: LocalPlatform) -> None:
    old, new = here.ports.get_service_state(here.service).revision.name, rolled_out(here, marker=f"{here.opened_at} k")
    here.ports.shift_traffic(here.service, new, 50)
    [(_, process)] = here.supervised.running.values()
    process.kill()
    process.wait()
    assert here.supervised.restart_ended() == ["platform"]
    here.wait_until(lambda: {here.fetch(), here.fetch()} == {f"old {old}", f"fix {new}"})
    assert here.ports.find(here.service, f"{here.opened_at} k") == new
    assert here.ports.get_service_state(here.service).traffic == {new: 50, old: 50}
    assert here.fetch(port=urlsplit(here.wait_for_operation(new).url).port or 0) == f"fix {new}"


def test_a_commit_is_written_out_without_its_hooks_and_filters(tmp_path: Path) -> None:
    files: dict[str, str | bytes | None] = {
        "serve.py": "x = 1\n",
        ".gitattributes": "secret.txt export-ignore\n*.py filter=planted\n",
        "secret.txt": "left out",
    }
    repository = tmp_path / "tide.git"
    [commit] = write_repository(
        repository, [CommitSpec("a change", datetime(2026, 3, 1, tzinfo=UTC), "Kim Reed", files)]
    )
    for name in ("smudge", "process"):
        run_git([f"--git-dir={repository}", "config", f"filter.planted.{name}", f"touch {tmp_path}/ran"])
    folder = export_commit(str(repository), commit, tmp_path / "out")
    assert sorted(path.name for path in folder.iterdir()) == [".gitattributes", "serve.py"]
    assert (folder / "serve.py").read_text("utf-8") == "x = 1\n"
    assert not (tmp_path / "ran").exists()


def instances(here: LocalPlatform) -> set[str]:
    """Ids of the instances that have printed something since the test began."""
    here.fetch("/who")
    found = [
        each
        for each in here.logs.latest_raw(here.service, 200)
        if str(each["timestamp"]) >= here.opened_at.isoformat()[:26]
    ]
    return {str(each["labels"]["instanceId"]) for each in found}  # type: ignore[index]


def process_of(revision: str) -> int:
    """The id of the process that serves a revision, found by the name that the platform gave it."""
    wanted = f"K_REVISION={revision}".encode()
    for place in Path("/proc").iterdir():
        try:
            if place.name.isdigit() and wanted in (place / "environ").read_bytes().split(b"\0"):
                return int(place.name)
        except OSError:  # it has ended meanwhile, or belongs to another user
            continue
    raise AssertionError(revision)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({".dockerignore": "# x\n**/b/\n*.md\n!keep.md\n"}, {"Dockerfile", ".dockerignore", "a/c.py", "keep.md"}),
        ({".dockerignore": "*\n"}, {"Dockerfile"}),
        (
            {".dockerignore": "a\n", "Dockerfile.dockerignore": "keep.md\n"},
            {"Dockerfile", ".dockerignore", "Dockerfile.dockerignore", "a/b/x.py", "a/c.py", "b/y.py"},
        ),
        ({}, {"Dockerfile", "a/b/x.py", "a/c.py", "b/y.py", "keep.md"}),
    ],
)
def test_what_the_ignore_file_leaves_out_is_in_no_revision(
    tmp_path: Path, files: dict[str, str], expected: set[str]
) -> None:
    tree = {"Dockerfile": "FROM x\n", "a/b/x.py": "", "a/c.py": "", "b/y.py": "", "keep.md": "", **files}
    for path, text in tree.items():
        written = tmp_path / "tree" / path
        written.parent.mkdir(parents=True, exist_ok=True)
        written.write_text(text, "utf-8")
    made = prepare_files("", RevisionSource(folder=str(tmp_path / "tree")), tmp_path / "made")
    assert {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()} == expected
