"""Holds the verdicts on names against what an interpreter does with the same sources."""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState
from shared.proof.claims.scopes.name_judge import NameJudge
from tests.support.fake_service_modules import FakeServiceModules
from tests.support.generated_scopes import RUNNER, generate_module

PATH = "service.py"
_LOCAL_WORDS = ("local variable", "free variable")


@dataclass
class OracleTally:
    """How often each state was given, and each wrong verdict with its source."""

    states: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def compare_scopes(executable: str, python: str, seeds: Sequence[int]) -> OracleTally:
    """Judge and run one module for each seed."""
    minor = int(python.partition(".")[2])
    sources = [generate_module(Random(seed), has_match=minor >= 10) for seed in seeds]
    process = subprocess.run(
        [executable, "-I", "-c", RUNNER],
        input=json.dumps(sources),
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    tally = OracleTally()
    for seed, source, misses in zip(seeds, sources, json.loads(process.stdout), strict=True):
        if misses is None:
            tally.states["does not compile"] += 1
            continue
        for problem in _check_module(source, python, misses, tally):
            tally.wrong.append(f"seed {seed}, Python {python}: {problem}\n{_number(source)}")
    return tally


Miss = tuple[str, str, int]


def _check_module(
    source: str, python: str, run: tuple[list[Miss], list[Miss], list[int]], tally: OracleTally
) -> Iterator[str]:
    """`run`: where the name was missed in a service that started, and in whatever part of it ran; which lines ran."""
    sure, possible, executed = _split_lines(run[0]), _split_lines(run[1]), set(run[2])
    yield from _check_claim(ClaimFamily.NAME, "", (source, python), (sure[0], possible[0], executed), tally)
    for function, span in _find_spans(source).items():
        lines = (sure[1] & set(span), possible[1] & set(span), executed)
        yield from _check_claim(ClaimFamily.LOCAL_NAME, function, (source, python), lines, tally)


def _split_lines(misses: list[Miss]) -> tuple[set[int], set[int]]:
    """Lines that miss a global name, and lines that miss a variable of a function."""
    local_lines = {line for _, message, line in misses if any(word in message for word in _LOCAL_WORDS)}
    return {line for _, message, line in misses if not any(word in message for word in _LOCAL_WORDS)}, local_lines


def _check_claim(
    family: ClaimFamily,
    function: str,
    module: tuple[str, str],
    run: tuple[set[int], set[int], set[int]],
    tally: OracleTally,
) -> Iterator[str]:
    claim = Claim(family, PATH, 1, "NameError", "", function=function, name="n")
    verdict = NameJudge().judge(claim, FakeServiceModules({PATH: module[0]}, module[1]))
    tally.states[f"{family}:{verdict.state}"] += 1
    sure, possible, executed = run
    if verdict.state is ClaimState.HOLDS and sure:
        yield f"{family} {function}: holds ({verdict.reason}), but lines {sorted(sure)} fail"
    if verdict.state is ClaimState.FAILS:
        unseen = set(verdict.lines) - possible - _find_conditional_lines(module[0])
        tally.states[f"{family}: lines that no run reaches"] += len(unseen - executed)
        tally.states[f"{family}: lines"] += len(verdict.lines)
        if unseen & executed:
            yield f"{family} {function}: fails in {verdict.lines} ({verdict.reason}), but {sorted(unseen)} run"
        if sure - set(verdict.lines):
            tally.states[f"{family}: lines left out"] += 1


def _find_conditional_lines(source: str) -> set[int]:
    """Lines that a run can enter without reaching the name in them."""
    words = (" and n", " if ", "lambda", "if a:")
    return {n for n, line in enumerate(source.split("\n"), 1) if any(word in line for word in words)}


def _find_spans(source: str) -> dict[str, range]:
    """The lines of each function of the module."""
    spans: dict[str, range] = {}
    lines = source.split("\n")
    for number, line in enumerate(lines, 1):
        if line.startswith("def f"):
            end = next((n for n in range(number + 1, len(lines) + 1) if not lines[n - 1].startswith(" ")), len(lines))
            spans[line[4:].partition("(")[0]] = range(number, end)
    return spans


def _number(source: str) -> str:
    return "\n".join(f"{number:3} {line}" for number, line in enumerate(source.split("\n"), 1))
