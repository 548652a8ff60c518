"""The question that all contestants answer: where did this file break, and which later commit fixed it?

In: a generated repository, or any repository and a file. Out: what each contestant gets.
"""

import subprocess
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from shared.errors import InputError
from tests.support.generated_history import GeneratedHistory


@dataclass(frozen=True, slots=True)
class BenchQuestion:
    """`good` compiles, `deployed` does not, `head` does. `log` is one line, as the service logged it."""

    repository: Path
    file: str
    good: str
    deployed: str
    head: str
    log: str


def question_about(generated: GeneratedHistory) -> BenchQuestion:
    """The question on a generated repository."""
    said = f"unterminated string literal (detected at line {generated.line})"
    log = _log_line(generated.file, "SyntaxError", said, generated.line)
    return BenchQuestion(generated.path, generated.file, generated.first, generated.deployed, generated.head, log)


def question_in_repository(repository: Path, file: str) -> BenchQuestion:
    """The newest break of `file` on HEAD that was fixed later, as this interpreter sees it.

    Raises `shared.errors.InputError` where there is none.
    """
    versions = open_git(repository, "rev-list", "--first-parent", "HEAD", "--", file).splitlines()
    errors = [(commit, _error(repository, commit, file)) for commit in versions]
    for (fix, mended), (deployed, broken) in pairwise(errors):
        older = [commit for commit, error in errors[versions.index(deployed) :] if error is None]
        if mended is None and broken is not None and older:
            line = broken.lineno or 1
            log = _log_line(file, type(broken).__name__, broken.msg, line)
            return BenchQuestion(repository, file, older[0], deployed, _last_good(errors, fix), log)
    raise InputError(f"{file} never broke and was mended again in {repository}: there is nothing to ask.")


def open_git(repository: Path, *arguments: str) -> str:
    """What git says; an error ends the bench."""
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


def _last_good(errors: list[tuple[str, SyntaxError | None]], fix: str) -> str:
    """The newest version up to which the file stays whole after the fix: a bisection needs one change, not three."""
    newest = fix
    for commit, error in reversed(errors[: [commit for commit, _ in errors].index(fix) + 1]):
        if error is not None:
            break
        newest = commit
    return newest


def _error(repository: Path, commit: str, file: str) -> SyntaxError | None:
    command = ["git", "-C", str(repository), "cat-file", "blob", f"{commit}:{file}"]
    found = subprocess.run(command, capture_output=True, check=False)
    try:
        compile(found.stdout, file, "exec", dont_inherit=True)
    except SyntaxError as error:
        return error
    return None


def _log_line(file: str, kind: str, said: str, line: int) -> str:
    name = Path(file).name
    return f"Uncaught exception: {kind}: {said} ({name}, line {line})\n"
