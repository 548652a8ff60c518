"""What a proof beyond syntax costs beside that of a syntax error on the same history: a folder in, rows out.

    python -m tests.bench.claim_rows [COMMITS]

A service of some hundred modules is edited by every commit. One renames a function and leaves its caller behind,
another breaks the caller's syntax; both are fixed soon, and some later states newly fail elsewhere.
"""

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from functions.demo.fast_import import CommitSpec, write_repository
from tests.bench.process import Timing, best_of, measure_command
from tests.bench.table import Row, render_markdown

_MODULES = 120
_SYNTAX_AT, _CLAIM_AT, _MENDED_AFTER = 0.4, 0.5, 6
_START = datetime(2026, 3, 2, tzinfo=UTC)
_CALLER = "harbor/main.py"
_DOCKERFILE = "FROM python:3.11-slim\nWORKDIR /srv\nCOPY . .\nCMD uvicorn harbor.main:app\n"
_IMPORTS = "".join(f"from harbor import part_{number}\n" for number in range(_MODULES))
_FIRST_LINE = "from harbor.tides import read_tide\n"
MOST = 3


def rows(folder: Path, commits: int, runs: int) -> Iterator[Row]:
    """Both investigations, one after the other in every round."""
    folder.mkdir(exist_ok=True)
    ids = write_repository(folder / "harbor.git", list(_plan(commits)))
    commands = {name: _write_question(folder, ids, name, at) for name, at in _list_breaks(commits).items()}
    taken: dict[str, list[Timing]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            taken[name].append(measure_command(command, 1))
    claim, syntax = best_of(taken["claim"]), best_of(taken["syntax"])
    ratio = claim.cpu / syntax.cpu
    yield Row(
        "a missing name: investigate, CPU", f"{claim.cpu:.2f} s of CPU", f"a syntax error: {syntax.cpu:.2f} s",
        f"{ratio:.2f}", f"≤ {MOST}", ratio <= MOST,
    )  # fmt: skip
    fixes = {name: json.loads((folder / f"{name}.json").read_text("utf-8"))[0]["fix"]["commit"] for name in commands}
    same = all(fixes[name] == ids[at + _MENDED_AFTER] for name, at in _list_breaks(commits).items())
    yield Row("a missing name: the right fix", "yes" if same else "no", goal="yes", met=same)


def _list_breaks(commits: int) -> dict[str, int]:
    return {"syntax": int(commits * _SYNTAX_AT), "claim": int(commits * _CLAIM_AT)}


def _plan(commits: int) -> Iterator[CommitSpec]:
    breaks = _list_breaks(commits)
    for number in range(commits):
        part = f"harbor/part_{number % _MODULES}.py"
        files: dict[str, str | bytes | None] = {part: _render_part(number)}
        if number == 0:
            files = {
                "Dockerfile": _DOCKERFILE,
                _CALLER: _render_caller("read_tide"),
                "harbor/tides.py": _render_tides("read_tide"),
            }
            files |= {f"harbor/part_{other}.py": _render_part(other) for other in range(_MODULES)}
        elif number == breaks["syntax"]:
            files[_CALLER] = _render_caller("read_tide") + "app = = 1\n"
        elif number == breaks["syntax"] + _MENDED_AFTER:
            files[_CALLER] = _render_caller("read_tide") + "app = 1\n"
        elif number == breaks["claim"]:
            files["harbor/tides.py"] = _render_tides("measure_tide")
        elif number == breaks["claim"] + _MENDED_AFTER:
            files[_CALLER] = _render_caller("measure_tide")
        elif number > commits * 0.9 and number % 7 == 0:
            files[part] = f"from harbor.tides import gone_{number}\n" + _render_part(number)
        yield CommitSpec(f"Change {part}", _START + timedelta(minutes=number), "Robin Vale", files)


def _render_part(number: int) -> str:
    methods = "".join(
        f"    def step_{at}(self, size={number}):\n        return self.name, size\n\n" for at in range(30)
    )
    return f"LIMIT = {number}\n\n\nclass Berth:\n    def __init__(self, name):\n        self.name = name\n\n{methods}"


def _render_tides(name: str) -> str:
    return f"def {name}():\n    return 1\n"


def _render_caller(name: str) -> str:
    return _FIRST_LINE.replace("read_tide", name) + _IMPORTS


def _write_question(folder: Path, ids: Sequence[str], name: str, at: int) -> list[str]:
    """The log of one break, and the command that investigates it."""
    line, text, error = (
        1,
        _FIRST_LINE.strip(),
        "ImportError: cannot import name 'read_tide' from 'harbor.tides' (/srv/harbor/tides.py)",
    )
    if name == "syntax":
        line, text, error = _MODULES + 2, "app = = 1", "SyntaxError: invalid syntax"
    start = '  File "/usr/local/lib/python3.11/site-packages/uvicorn/config.py", line 437, in load\n'
    start += "    import_from_string(self.app)\n"
    frame = f'  File "/srv/{_CALLER}", line {line}{"" if name == "syntax" else ", in <module>"}\n    {text}\n'
    entry = {
        "insertId": name, "severity": "ERROR", "timestamp": (_START + timedelta(minutes=at, seconds=30)).isoformat(),
        "resource": {"type": "cloud_run_revision", "labels": {"service_name": "harbor", "revision_name": "harbor-1"}},
        "textPayload": f"Traceback (most recent call last):\n{start}{frame}{error}",
    }  # fmt: skip
    log = folder / f"{name}.log"
    log.write_text(json.dumps([entry]), "utf-8")
    command = [str(Path(sys.executable).with_name("provenfix")), "investigate", "--repo", str(folder / "harbor.git")]
    command += ["--log", str(log), "--deployed", ids[at], "--python", f"3.{sys.version_info.minor}"]
    return [*command, "--format", "json", "--out", str(folder / f"{name}.json")]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="provenfix-bench-") as made:
        print(render_markdown(rows(Path(made), int(sys.argv[1]) if len(sys.argv) > 1 else 2_000, 2)), end="")
