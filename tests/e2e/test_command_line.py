"""The command as a person uses it, and misuses it: one sentence on stderr, an exit code, and nothing else on stdout."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from functions.cli import command_line
from shared.adapters.logs.log_file import LogFile
from shared.errors import InputError
from tests.support.cli_runs import (
    EXPECTED_COMMITS,
    SYNTAX_ERROR_LOG,
    CommandResult,
    create_blob,
    create_commit,
    create_tree,
    export_traceback,
    named_commits,
    run_investigate,
    run_plumbing,
    run_provenfix,
    write_broken_history,
    write_log,
)
from tests.support.history_builder import HistoryBuilder, broken_source, running_python

NOT_A_COMMIT = (
    *("--upload-pack=touch canary", "--all", "-", "..", "a..b", "a...b", "@{1}", "@{-1}", "x@{upstream}", ":/start"),
    *(
        "main:app/relay.py",
        "main^{blob}",
        "^main",
        "main^9",
        "../../etc/passwd",
        "/etc/passwd",
        "refs/heads",
        "a" * 100_000,
    ),
    *(
        "",
        " ",
        "two words",
        "a\nmain",
        "main\n",
        "\0",
        "\x1b[31m",
        "caf\udce9",
        "\u2028",
        "main commit",
        "$(touch canary)",
    ),
)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> HistoryBuilder:
    return write_broken_history(tmp_path_factory.mktemp("story") / "told.git")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write_log(tmp_path)


def started(*arguments: str | Path, **options: object) -> "subprocess.CompletedProcess[bytes]":
    """The command as a process of its own."""
    command = [sys.executable, "-c", "from provenfix.command import main; main()", *map(str, arguments)]
    return subprocess.run(command, timeout=60, check=False, **{"capture_output": True, **options})  # type: ignore[call-overload, no-any-return]


# -- what was named ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NOT_A_COMMIT)
def test_a_name_that_is_no_commit_is_wrong_usage(
    story: HistoryBuilder, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = run_investigate(story.path, log, f"--branch={name}")
    assert ended.exit_code == 2
    assert len(ended.error_line) < 500
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("name", ["", "--all", "@{1}", "main:app", "nowhere"])
def test_non_commit_is_refused_wherever_a_commit_is_named(story: HistoryBuilder, log: Path, name: str) -> None:
    for ended in (
        run_investigate(story.path, log, f"--deployed={name}"),
        run_provenfix("check", "--repo", str(story.path), f"--ref={name}"),
    ):
        assert ended.exit_code == 2
        assert ended.error_line


@pytest.mark.parametrize(
    "version", ["2.7", "4.0", "abc", "3.110", "3.6", "3", "", "3.11.2", "3.11 ", "-1", "٣.١١", "3.11\n"]
)
def test_a_python_that_cannot_be_judged_is_wrong_usage(story: HistoryBuilder, tmp_path: Path, version: str) -> None:
    log = write_log(tmp_path, "[]")  # also where nothing would have to be judged
    ended = run_investigate(story.path, log, f"--python={version}")
    assert ended.exit_code == 2
    assert "minor version" in ended.error_line


def test_check_judges_no_other_python_either(story: HistoryBuilder) -> None:
    ended = run_provenfix("check", "--repo", str(story.path), "--python=2.7")
    assert (ended.exit_code, "minor version" in ended.error_line) == (2, True)


@pytest.mark.parametrize(
    "path", ["nowhere", "service.log", ".", "", "a" * 5000, "a\nb", "x/" * 3000, "\udcff", "--bare"]
)
def test_what_is_no_repository_cannot_be_read(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (["investigate", f"--log={log}"], ["check"]):
        ended = run_provenfix(*command, f"--repo={path}")
        assert ended.exit_code == 3
        assert "--repo" in ended.error_line


@pytest.mark.parametrize("arguments", [
    (), ("--log", "x"), ("--repo", "."), ("--format", "xml"), ("--nonsense",), ("extra",), ("--log",),
])  # fmt: skip
def test_wrong_arguments_are_one_sentence(story: HistoryBuilder, arguments: tuple[str, ...]) -> None:
    given = ("--repo", str(story.path), "--log", "x") if arguments and arguments[0] in {"--format", "extra"} else ()
    ended = run_provenfix("investigate", *given, *arguments)
    assert ended.exit_code == 2
    assert ended.error_line


def test_an_unknown_command_is_one_sentence() -> None:
    ended = run_provenfix("investigat")
    assert (ended.exit_code, "investigat" in ended.error_line) == (2, True)


@pytest.mark.parametrize("arguments", [(), ("--help",), ("investigate", "--help"), ("check", "--help")])
def test_help_is_no_error(arguments: tuple[str, ...]) -> None:
    ended = run_provenfix(*arguments)
    assert (ended.exit_code, ended.err) == (0, "")
    assert "Usage: provenfix" in ended.out


# -- the log ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [b'[{"textPayload": "x"', b'[{"textPayload": "x"},', b'{"a": [1, 2', b'[{"a": \xff}]'])
def test_a_broken_export_cannot_be_read(story: HistoryBuilder, tmp_path: Path, text: bytes) -> None:
    log = tmp_path / "broken.json"
    log.write_bytes(text)
    ended = run_investigate(story.path, log)
    assert ended.exit_code in {0, 3}
    if ended.exit_code:
        assert str(log) in ended.error_line
    else:
        assert ended.reports == []


def test_a_log_that_is_not_there_or_a_directory_cannot_be_read(story: HistoryBuilder, tmp_path: Path) -> None:
    for log in (tmp_path / "nowhere", tmp_path, tmp_path / ("n" * 300)):
        ended = run_investigate(story.path, log)
        assert ended.exit_code == 3
        assert str(log) in ended.error_line


def test_a_log_that_may_not_be_read(story: HistoryBuilder, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log.chmod(0o000)
    if os.access(log, os.R_OK):  # root may read everything

        def refusing(path: Path, mode: str = "r", *more: Any, **options: Any) -> Any:
            if path == log:
                raise PermissionError(13, "Permission denied", str(path))
            return genuine(path, mode, *more, **options)

        genuine = Path.open
        monkeypatch.setattr(Path, "open", refusing)
    ended = run_investigate(story.path, log)
    assert ended.exit_code == 3
    assert str(log) in ended.error_line
    with pytest.raises(InputError) as refused:
        list(LogFile(str(log)).entries())
    assert (str(refused.value) in ended.error_line, type(refused.value.__cause__)) == (True, PermissionError)


def test_a_binary_log_holds_no_incident(story: HistoryBuilder, tmp_path: Path) -> None:
    log = tmp_path / "binary"
    log.write_bytes(bytes(range(256)) * 200)
    ended = run_investigate(story.path, log)
    assert (ended.exit_code, ended.out, ended.err) == (0, "[]\n", "")


@pytest.mark.parametrize("text", ["", "[]", "{}\n", "2026-03-01 00:00:00 All is well.\n", "\n\n"])
def test_no_incident_is_an_empty_array(story: HistoryBuilder, tmp_path: Path, text: str) -> None:
    ended = run_investigate(story.path, write_log(tmp_path, text))
    assert (ended.exit_code, ended.out, ended.err) == (0, "[]\n", "")


def test_the_log_may_come_from_stdin(story: HistoryBuilder) -> None:
    ended = run_provenfix(
        "investigate", f"--repo={story.path}", "--log=-", "--format=json", stdin=SYNTAX_ERROR_LOG.encode()
    )
    assert named_commits(story, ended) == EXPECTED_COMMITS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_the_log_may_be_in_any_unicode_encoding(story: HistoryBuilder, tmp_path: Path, encoding: str) -> None:
    log = tmp_path / "log"
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    log.write_bytes((mark + SYNTAX_ERROR_LOG).encode(encoding))
    assert named_commits(story, run_investigate(story.path, log)) == EXPECTED_COMMITS


@pytest.mark.parametrize("python", ["3.6", "3.99"])
def test_a_python_that_only_the_log_names_is_no_usage_error(story: HistoryBuilder, tmp_path: Path, python: str) -> None:
    text = export_traceback("/app/relay.py").replace("/app/main.py", f"/usr/local/lib/python{python}/site.py")
    ended = run_investigate(story.path, write_log(tmp_path, text))
    assert ended.exit_code == 0
    (report,) = ended.reports
    assert report["decision"]["kind"] == "none"
    assert f"Python {python}" in report["decision"]["detail"]


# -- logged paths -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def audited() -> list[str]:
    """What this process opens from now on under the name of a decoy; an audit hook stays for good, so there is one."""
    opened: list[str] = []

    def watch(event: str, details: tuple[object, ...]) -> None:
        if event == "open" and "decoy_canary" in str(details[0]):
            opened.append(str(details[0]))

    sys.addaudithook(watch)
    return opened


@pytest.fixture
def decoys_opened(audited: list[str], tmp_path: Path) -> list[str]:
    (tmp_path / "decoy_canary.py").write_text("")
    assert audited  # the hook hears
    audited.clear()
    return audited


@pytest.mark.parametrize("kind", ["relative", "absolute", "NUL", "URL", "home", "variable", "surrogate", "long"])
@pytest.mark.parametrize("output", ["json", "text", "markdown"])
def test_a_logged_path_is_never_opened(
    story: HistoryBuilder, tmp_path: Path, decoys_opened: list[str], kind: str, output: str
) -> None:
    """A decoy lies where the path leads, with the very error that was logged; nothing of it may be seen."""
    decoy = tmp_path / "decoy_canary.py"
    decoy.write_text(broken_source(5).replace("oops", "CANARY"))
    decoys_opened.clear()
    path = {
        "relative": os.path.relpath(decoy),
        "absolute": str(decoy),
        "NUL": f"{decoy}\0.py",
        "URL": decoy.as_uri(),
        "home": f"~/../..{decoy}",
        "variable": f"$PWD/{decoy}",
        "surrogate": f"{decoy.parent}/\ud800/../{decoy.name}",
        "long": f"{'/.' * 1500}{decoy}",
    }[kind]
    ended = run_provenfix(
        "investigate",
        f"--repo={story.path}",
        f"--log={write_log(tmp_path, export_traceback(path))}",
        f"--format={output}",
    )
    assert (ended.exit_code, decoys_opened) == (0, [])
    assert "CANARY" not in ended.out + ended.err
    if output == "json":
        assert [each["decision"]["kind"] for each in ended.reports] in (["none"], [])


# -- what is printed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("output", ["json", "text", "markdown"])
def test_what_goes_to_a_file_is_what_would_be_printed(
    story: HistoryBuilder, log: Path, tmp_path: Path, output: str
) -> None:
    out = tmp_path / "report"
    given = ("investigate", f"--repo={story.path}", f"--log={log}", f"--format={output}")
    printed, written = run_provenfix(*given), run_provenfix(*given, f"--out={out}")
    assert (written.exit_code, written.out, written.err) == (0, "", "")
    assert out.read_text() == printed.out != ""


@pytest.mark.parametrize("out", ["missing/report", ".", "service.log/report", "n" * 300])
def test_a_file_that_cannot_be_written_is_told_before_the_work(
    story: HistoryBuilder, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = run_provenfix("investigate", f"--repo={story.path}", f"--log={log}", f"--out={out}")
    assert ended.exit_code in {2, 3}
    assert Path(out).name[:20] in ended.error_line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["service.log"]


def test_odd_bytes_in_paths_and_subjects_survive(story: HistoryBuilder, tmp_path: Path) -> None:
    name = "caf\udce9 ä\u2028[red].py"
    subject = "Break \x1b[31mit\u202e [bold]now[/bold] | `x` <b>"
    blob = create_blob(story.path, broken_source(5).encode())
    bad = create_commit(
        story.path, create_tree(story.path, [("100644", blob, name)]), story.ids["later"], subject=subject
    )
    good = create_commit(story.path, run_plumbing(story.path, "rev-parse", "main^{tree}"), bad, subject="Mend it")
    run_plumbing(story.path, "update-ref", "refs/heads/odd", good)
    text = export_traceback(f"/srv/{name}".encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    for deployed in ((), ("--deployed", bad)):
        ended = run_investigate(story.path, write_log(tmp_path, text), "--branch", "odd", *deployed)
        assert (ended.exit_code, ended.err) == (0, "")
        assert len(ended.reports) == 1
    for output in ("text", "markdown"):
        shown = run_provenfix(
            "investigate", f"--repo={story.path}", f"--log={write_log(tmp_path, text)}", "--branch=odd",
            f"--deployed={bad}", f"--format={output}",
        )  # fmt: skip
        assert (shown.exit_code, shown.err) == (0, "")
        assert "\x1b[31mit" not in shown.out
        assert "\u202e" not in shown.out
    checked = run_provenfix("check", f"--repo={story.path}", "--ref", bad, f"--python={running_python()}")
    assert checked.exit_code == 1
    assert checked.out.startswith("caf")
    assert "oops = = 1" in checked.out


# -- the process ------------------------------------------------------------------------------------------------------


def test_json_is_alone_on_stdout(story: HistoryBuilder, log: Path) -> None:
    ended = started("investigate", "--repo", story.path, "--log", log, "--format", "json")
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert [report["schema"] for report in json.loads(ended.stdout)] == ["provenfix.report/1"]


def test_one_sentence_from_the_real_process(story: HistoryBuilder, log: Path) -> None:
    for arguments, code in ((["--branch", "nowhere"], 2), (["--log", "nowhere"], 3), (["--python", "abc"], 2)):
        ended = started("investigate", "--repo", story.path, "--log", log, *arguments)
        assert (ended.returncode, ended.stdout) == (code, b"")
        assert ended.stderr.startswith(b"provenfix: ")
        assert ended.stderr.count(b"\n") == 1


def test_a_closed_stdin_cannot_be_read(story: HistoryBuilder) -> None:
    ended = started("investigate", "--repo", story.path, "--log", "-", preexec_fn=lambda: os.close(0))
    assert (ended.returncode, ended.stdout) == (3, b"")
    assert ended.stderr.startswith(b"provenfix: stdin: ")


@pytest.mark.parametrize("output", ["json", "text"])
def test_a_closed_stdout_is_told(story: HistoryBuilder, log: Path, output: str) -> None:
    given = ("investigate", "--repo", story.path, "--log", log, "--format", output)
    ended = started(*given, preexec_fn=lambda: os.close(1))
    assert ended.returncode == 3
    assert ended.stderr.decode().startswith("provenfix: ")
    assert ended.stderr.count(b"\n") == 1


def test_a_closed_stdout_does_not_matter_where_the_report_goes_to_a_file(
    story: HistoryBuilder, log: Path, tmp_path: Path
) -> None:
    out = tmp_path / "report"
    given = ("investigate", "--repo", story.path, "--log", log, "--format", "json", "--out", out)
    ended = started(*given, preexec_fn=lambda: os.close(1))
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert len(json.loads(out.read_text())) == 1


def test_a_closed_stderr_sends_nothing_to_stdout(story: HistoryBuilder, log: Path) -> None:
    ended = started(
        "investigate", "--repo", story.path, "--log", log, "--python", "abc", preexec_fn=lambda: os.close(2)
    )
    assert (ended.returncode, ended.stdout) == (2, b"")
    checked = started("check", "--repo", story.path, "--ref", "main", preexec_fn=lambda: os.close(2))
    assert (checked.returncode, checked.stdout.count(b"\n")) == (0, 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")
@pytest.mark.parametrize("command", ["investigate json", "investigate text", "check"])
def test_a_full_disk_is_told(story: HistoryBuilder, log: Path, command: str) -> None:
    name, _, output = command.partition(" ")
    given = ["--log", str(log), "--format", output] if output else []
    with Path("/dev/full").open("wb") as full:
        ended = started(name, "--repo", story.path, *given, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert ended.returncode == 3
    *_, last = ended.stderr.decode().splitlines()
    assert last.startswith("provenfix: ")
    assert os.strerror(errno.ENOSPC) in last
    assert "Traceback" not in ended.stderr.decode()


@pytest.mark.parametrize("output", ["json", "text", "markdown"])
def test_a_reader_that_goes_away_ends_it_quietly(story: HistoryBuilder, log: Path, output: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    given = ("investigate", "--repo", story.path, "--log", log, "--format", output)
    with os.fdopen(writing, "wb") as pipe:
        ended = started(*given, capture_output=False, stdout=pipe, stderr=subprocess.PIPE)
    assert (ended.returncode, ended.stderr) == (command_line.EXIT_BROKEN_PIPE, b"")


def test_output_in_another_locale_is_still_whole(story: HistoryBuilder, log: Path) -> None:
    plain = {"PATH": os.environ["PATH"], "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for output in ("json", "text", "markdown"):
        given = ("investigate", "--repo", story.path, "--log", log, "--format", output)
        ended = started(*given, env=plain)
        assert (ended.returncode, ended.stderr) == (0, b"")
    assert CommandResult(0, ended.stdout.decode("utf-8", "replace"), "").out


# -- what must not be written over ------------------------------------------------------------------------------------


def test_the_log_and_what_git_keeps_are_never_written_over(story: HistoryBuilder, log: Path) -> None:
    before = log.read_bytes()
    for out in (log, story.path / "HEAD", story.path / "objects" / "report"):
        ended = run_investigate(story.path, log, f"--out={out}")
        assert ended.exit_code == 2
        assert all(each in ended.error_line for each in (str(out), "--out"))
    assert log.read_bytes() == before
    assert (story.path / "HEAD").read_text("utf-8").startswith("ref: ")


def test_a_named_interpreter_that_is_none_is_wrong_usage(
    story: HistoryBuilder, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = f"PROVENFIX_PYTHON_{running_python().replace('.', '_')}"
    monkeypatch.setenv(variable, "/bin/true")
    ended = run_investigate(story.path, log, f"--python={running_python()}")
    assert ended.exit_code == 2
    assert f"{variable}=/bin/true" in ended.error_line
