"""The rebuilt incident is what it says: compiled with real Python, counted with ruff, read back with git."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from functions.demo import ExampleRepository, Flavour, Role, Shape, build_incident, write_incident_log
from functions.demo.incident_log import DENIED
from shared.errors import InputError

FLAVOURS = sorted({Flavour.EVERYWHERE, Flavour.FSTRING if sys.version_info < (3, 12) else Flavour.EVERYWHERE})
"""Those that the running interpreter can judge."""
STRING = "unterminated string literal"


@pytest.fixture(scope="module", params=FLAVOURS)
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ExampleRepository:
    return build_incident(tmp_path_factory.mktemp("showcase") / "repository.git", flavour=request.param)


def git(story: ExampleRepository, *arguments: str) -> str:
    done = subprocess.run(["git", f"--git-dir={story.path}", *arguments], capture_output=True, check=True, text=True)
    return done.stdout


def module_at(story: ExampleRepository, role: Role) -> str:
    return git(story, "cat-file", "blob", f"{story.commits[role]}:{story.module}")


def test_the_module_first_fails_on_the_lines_of_the_incident(story: ExampleRepository) -> None:
    seen = {}
    for role in Role:
        try:
            compile(module_at(story, role).encode(), "agents_execute.py", "exec", dont_inherit=True)
        except SyntaxError as error:
            seen[role] = error.lineno
    assert seen == {Role.INTRODUCED: 611, Role.CLAIMED_FIX: 624, Role.REFACTORING: 676} == story.first_lines


def test_ruff_counts_seven_six_two_and_no_errors(story: ExampleRepository, tmp_path: Path) -> None:
    roles = (Role.GOOD, Role.INTRODUCED, Role.CLAIMED_FIX, Role.REFACTORING, Role.FIX, Role.HEAD)
    for role in roles:
        (tmp_path / f"{role}.py").write_text(module_at(story, role), "utf-8")
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", "E902"]
    command += ["--target-version", "py311", "--output-format", "json", str(tmp_path)]
    report = json.loads(subprocess.run(command, capture_output=True, check=False).stdout)
    files = [Path(finding["filename"]).stem for finding in report]
    assert [files.count(role) for role in roles] == [0, 7, 6, 2, 0, 0]
    assert {role: files.count(role) for role in story.errors} == dict(story.errors)


def test_the_commits_stand_in_the_order_and_at_the_times_of_the_incident(story: ExampleRepository) -> None:
    rows = [line.split(" ", 2) for line in git(story, "log", "--reverse", "--format=%H %ct %s", "main").splitlines()]
    assert [row[0] for row in rows] == list(story.commits.values())
    moments = {role: datetime.fromtimestamp(int(row[1]), UTC) for role, row in zip(Role, rows, strict=True)}
    assert moments == story.commit_times
    assert f"{moments[Role.INTRODUCED]:%H:%M:%S}" == "01:58:58"
    assert f"{moments[Role.REFACTORING]:%H:%M:%S}" == "03:56:27"


def test_only_the_commit_that_is_not_the_fix_calls_itself_one(story: ExampleRepository) -> None:
    subjects = {role: git(story, "show", "-s", "--format=%s", commit) for role, commit in story.commits.items()}
    assert [role for role, subject in subjects.items() if "fix" in subject.lower()] == [Role.CLAIMED_FIX]


def test_same_arguments_give_same_ids_on_any_machine(
    story: ExampleRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "gitconfig"
    settings.write_text("[user]\nname = Somebody Else\n[core]\nautocrlf = true\n", "utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_AUTHOR_DATE", "2001-01-01T00:00:00Z")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    again = build_incident(tmp_path / "again.git", flavour=story.flavour)
    assert again.commits == story.commits


def test_the_repository_is_whole_and_says_why_nobody_caught_the_break(story: ExampleRepository) -> None:
    git(story, "fsck", "--strict")
    head = story.head
    assert git(story, "show", f"{head}:Dockerfile").startswith("FROM python:3.11-slim\n")
    assert 'python-version: ["3.12", "3.13"]' in git(story, "show", f"{head}:.github/workflows/ci.yml")
    assert git(story, "show", f"{head}:.python-version") == "3.12\n"
    assert 'requires-python = ">=3.11"' in git(story, "show", f"{head}:pyproject.toml")
    assert "tests" in git(story, "show", f"{head}:.dockerignore").split()


def test_every_other_file_compiles_at_every_commit(story: ExampleRepository) -> None:
    for commit in story.commits.values():
        for path in git(story, "ls-tree", "-r", "--name-only", commit).splitlines():
            if path.endswith(".py") and path != story.module:
                compile(git(story, "show", f"{commit}:{path}"), path, "exec", dont_inherit=True)


def test_the_export_of_gcloud_is_newest_first_and_names_where_it_came_from(
    story: ExampleRepository, tmp_path: Path
) -> None:
    entries = json.loads(write_incident_log(story, tmp_path / "log.json").read_text("utf-8"))
    times = [entry["timestamp"] for entry in entries]
    assert times == sorted(times, reverse=True)
    oldest_error = next(entry for entry in reversed(entries) if entry.get("severity") == "ERROR")
    assert oldest_error["textPayload"].endswith("(agents_execute.py, line 624)")
    assert oldest_error["timestamp"].startswith("2026-05-12T03:43:43.")
    labels = oldest_error["resource"]["labels"]
    assert (labels["service_name"], labels["revision_name"]) == (story.service, story.revisions[0])
    assert oldest_error["labels"]["instanceId"]
    assert len({entry["insertId"] for entry in entries}) == len(entries)


def test_json_lines_carry_the_same_entries_oldest_first(story: ExampleRepository, tmp_path: Path) -> None:
    array = json.loads(write_incident_log(story, tmp_path / "log.json").read_text("utf-8"))
    text = write_incident_log(story, tmp_path / "log.jsonl", Shape.JSON_LINES).read_text("utf-8")
    assert [json.loads(line) for line in text.splitlines()] == array[::-1]


def test_line_by_line_has_one_line_in_each_entry_and_no_severity_on_errors(
    story: ExampleRepository, tmp_path: Path
) -> None:
    entries = json.loads(write_incident_log(story, tmp_path / "log.json", Shape.LINE_BY_LINE).read_text("utf-8"))
    assert all("\n" not in entry["textPayload"] for entry in entries)
    assert all("severity" not in entry for entry in entries if entry["logName"].endswith("stderr"))
    assert any(entry["textPayload"] == f'  File "/app/{story.module}", line 676' for entry in entries)


def test_a_whole_traceback_stays_in_one_entry(story: ExampleRepository, tmp_path: Path) -> None:
    entries = json.loads(write_incident_log(story, tmp_path / "log.json", Shape.TRACEBACK).read_text("utf-8"))
    whole = [entry["textPayload"] for entry in entries if "Traceback" in entry["textPayload"]]
    assert len(whole) == 6
    assert all(text.splitlines()[-1].startswith("SyntaxError: ") for text in whole)


def test_a_traceback_quotes_the_lines_that_the_repository_has(story: ExampleRepository, tmp_path: Path) -> None:
    entries = json.loads(write_incident_log(story, tmp_path / "log.json", Shape.TRACEBACK).read_text("utf-8"))
    text = "\n".join(entry["textPayload"] for entry in entries)
    frames = set(re.findall(r'File "/app/(chat/\w+\.py)", line (\d+)(?:, in \w+)?\n    (.*)\n', text))
    assert len(frames) == 4
    for path, number, quoted in frames:
        role = Role.CLAIMED_FIX if number == "624" else Role.REFACTORING
        source = git(story, "show", f"{story.commits[role]}:{path}").splitlines()[int(number) - 1]
        assert source.strip() == quoted


def test_plain_lines_are_those_that_were_copied_from_the_console(story: ExampleRepository, tmp_path: Path) -> None:
    lines = write_incident_log(story, tmp_path / "log.txt", Shape.PLAIN).read_text("utf-8").splitlines()
    message = "Uncaught exception: SyntaxError: {0} (detected at line {1}) (agents_execute.py, line {1})"
    assert f"03:43:43  {message.format(STRING, 624)}" in lines
    assert f"03:43:58  {message.format(STRING, 676)}" in lines
    assert f"03:43:58  {DENIED}" in lines


def test_the_error_was_logged_before_its_tree_was_committed(story: ExampleRepository, tmp_path: Path) -> None:
    entries = json.loads(write_incident_log(story, tmp_path / "log.json").read_text("utf-8"))
    newest = datetime.fromisoformat(entries[0]["timestamp"])
    assert story.commit_times[Role.CLAIMED_FIX] < newest < story.commit_times[Role.REFACTORING]


def test_without_git_one_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(InputError, match=r"\bgit\b.*\bPATH\b"):
        build_incident(tmp_path / "repository.git")
