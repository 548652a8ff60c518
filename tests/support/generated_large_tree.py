"""Generates a long history of a large tree: sizes go in; a bare repository and the answers to find in it come out.

A service that loads a few of many files breaks one of them, fixes it, and goes on for thousands of commits; scripts
that no image holds never compile. Everything is deterministic. The break is one that every Python rejects.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from functions.demo.fast_import import run_git
from tests.support.generated_history import FILE, GeneratedHistory, engine_source, first_broken_line

_START = 1_706_770_800
_BROKEN = (9, 17, 26, 34, 43)
_LOADED = 20
"""Folders of the service; of each, one module is loaded."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large: of `commits`, `touching` change the file, and `following` come after its fix."""

    commits: int = 20_000
    touching: int = 500
    following: int = 8_000
    folders: int = 200
    files_in_each: int = 50
    never_compile: int = 40


def generate_large(path: Path, size: Size) -> GeneratedHistory:
    """Writes the repository; its HEAD is `main`."""
    run_git(["init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(path)])
    plan = _Plan(size)
    marks = path / "provenfix-marks"
    command = ["git", f"--git-dir={path}", "fast-import", "--quiet", "--done", f"--export-marks={marks}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as importer:
        assert importer.stdin is not None
        for part in plan.stream():
            importer.stdin.write(part)
    if importer.returncode:
        raise RuntimeError(f"git fast-import ended with {importer.returncode}")
    ids = dict(line.split(" ", 1) for line in marks.read_text("ascii").splitlines())
    marks.unlink()
    at = {name: ids[f":{number + 1}"] for name, number in plan.named.items()}
    attempts = tuple(at[f"attempt {number}"] for number in range(1, len(_BROKEN)))
    return GeneratedHistory(
        path=path,
        file=FILE,
        first=ids[":1"],
        introduced=at["break"],
        attempts=attempts,
        deployed=attempts[-1],
        line=first_broken_line(len(_BROKEN) - 1),
        fix=at["fix"],
        head=ids[f":{size.commits}"],
        versions=size.touching,
    )


class _Plan:
    """Which commit changes what. The edits of the file are spread evenly before the fix and after it."""

    def __init__(self, size: Size) -> None:
        self.size = size
        fix = size.commits - size.following - 1
        self.named = {"break": fix - 50} | {f"attempt {step}": fix - 50 + 10 * step for step in range(1, len(_BROKEN))}
        self.named["fix"] = fix
        early = max(1, size.touching // 2)
        before = {number * (fix - 51) // early for number in range(early)}
        late = size.touching - len(before) - len(self.named)
        self.edits = before | {fix + 1 + number * size.following // max(1, late) for number in range(late)}

    def stream(self) -> Iterator[bytes]:
        names = {number: name for name, number in self.named.items()}
        mended, broken, edit = 0, False, 0
        for number in range(self.size.commits):
            name = names.get(number, "")
            yield _head(number)
            if number == 0:
                yield from self._start()
            if name:
                broken = name != "fix"
                mended += name.startswith("attempt")
            if name or number in self.edits:
                edit += 1
                yield _file(FILE, engine_source(edit, _BROKEN[mended:] if broken else ()))
            elif number:
                index = number * 7919 % (self.size.folders * self.size.files_in_each)
                folder, file = divmod(index, self.size.files_in_each)
                yield _file(_path(folder, file), _source(folder, file, number))
            yield b"\n"
        yield b"done\n"

    def _start(self) -> Iterator[bytes]:
        yield _file("Dockerfile", 'FROM python:3.11-slim\nWORKDIR /app\nCOPY . .\nCMD ["python", "main.py"]\n')
        imports = "".join(f"import area_{folder:03}.part_00\n" for folder in range(_LOADED))
        yield _file("main.py", f"import service.engine\n{imports}")
        yield _file("service/__init__.py", "")
        for folder in range(self.size.folders):
            for file in range(self.size.files_in_each):
                yield _file(_path(folder, file), _source(folder, file, 0))
        for number in range(self.size.never_compile):
            yield _file(f"scripts/old_{number:02}.py", f"print 'step {number}'\n")


def _path(folder: int, file: int) -> str:
    return f"area_{folder:03}/part_{file:02}.py"


def _source(folder: int, file: int, number: int) -> str:
    return (
        f'"""Part {file} of area {folder}."""\n\nREVISION = {number}\n\n\n'
        f"def revision():\n    return REVISION, {folder}, {file}\n"
    )


def _head(number: int) -> bytes:
    who = f"Noor Haddad <noor@example.org> {_START + 1860 * number} +0000"
    message = f"Change {number}\n".encode()
    lines = f"commit refs/heads/main\nmark :{number + 1}\nauthor {who}\ncommitter {who}\n"
    return lines.encode() + b"data %d\n%s" % (len(message), message)


def _file(path: str, content: str) -> bytes:
    payload = content.encode()
    return b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(payload), payload)


if __name__ == "__main__":
    told = generate_large(Path(sys.argv[1]), Size(*map(int, sys.argv[2:])))
    print(json.dumps(asdict(told), default=str))
