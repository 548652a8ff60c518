"""The baseline: answers the question as a person would, with two runs of `git bisect run` in a clone.

In: a question. Out: the seconds that both runs took, checkouts included, and the two commits that they found.
"""

import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.scenario import BenchQuestion

_FOUND = re.compile(r"^([0-9a-f]{40,64}) is the first (?:bad|mended) commit", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class BisectionResult:
    seconds: float
    introduced: str
    fix: str
    compiled: int
    """How many times git ran the compiler."""


def clone_for_bisection(question: BenchQuestion, folder: Path) -> Path:
    """A clone with a work tree; the time for it is not counted."""
    command = ["git", "clone", "--quiet", "--no-hardlinks", str(question.repository), str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def bisect(question: BenchQuestion, folder: Path, *, limited: bool) -> BisectionResult:
    """`limited`: only commits that touch the file are tried, which is the cleverest way to use the tool."""
    paths = ["--", question.file] if limited else []
    compiles = f'"{sys.executable}" -m py_compile "{question.file}"'
    start = time.perf_counter()
    introduced = _run(folder, ["start", question.deployed, question.good, *paths], compiles)
    terms = ["start", "--term-old=broken", "--term-new=mended"]
    fix = _run(folder, [*terms, question.head, question.deployed, *paths], f"! {compiles}")
    seconds = time.perf_counter() - start
    found = [_FOUND.search(said) for said in (introduced, fix)]
    names = [match[1] if match else "" for match in found]
    return BisectionResult(seconds, names[0], names[1], introduced.count("\nrunning ") + fix.count("\nrunning "))


def _run(folder: Path, start: list[str], script: str) -> str:
    _git(folder, *start)
    try:
        return "\n" + _git(folder, "run", "sh", "-c", script)
    finally:
        _git(folder, "reset")


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "bisect", *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout
