"""Verdicts on attributes against what Python does: every program is run, every verdict compared.

In: how many programs, and a seed. Out: how many verdicts there are of each state, and the wrong ones.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState, ClaimVerdict
from shared.proof.claims.ports import ClaimJudge
from tests.support.attribute_programs import NAME, Program, make_versions
from tests.support.listed_modules import ListedModules

RUNNER = Path(__file__).with_name("program_runner.py")
BATCH = 250


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a program ended with, if not well: class, message, file, line and function; and the lines that were run."""

    error: Sequence[object] | None
    lines: Sequence[int]

    def is_claimed(self, claim: Claim) -> bool:
        return self.error is not None and str(self.error[1]).startswith(claim.message) and self.error[2] == claim.path


@dataclass(slots=True)
class Comparison:
    """`wrong`: a program, the claim, the verdict, and what Python does instead."""

    counts: Counter[tuple[ClaimFamily, ClaimState]] = field(default_factory=Counter)
    run_count: int = 0
    wrong: list[tuple[Program, Claim, ClaimVerdict, RunResult]] = field(default_factory=list)

    def get_unknown_share(self, family: ClaimFamily) -> float:
        """Of the verdicts of a family, how many are unknown."""
        total = sum(count for (other, _), count in self.counts.items() if other is family)
        return self.counts[family, ClaimState.UNKNOWN] / max(1, total)


def compare_with_python(judge: ClaimJudge, programs: int, seed: int) -> Comparison:
    """Judge so many programs, and their other versions, by the claims of both."""
    random, comparison = Random(seed), Comparison()
    pairs = [make_versions(random) for _ in range(programs)]
    for start in range(0, len(pairs), BATCH):
        versions = [version for pair in pairs[start : start + BATCH] for version in pair]
        outcomes = run_programs(versions)
        for first, second in zip(range(0, len(versions), 2), range(1, len(versions), 2), strict=True):
            for index, claim in _list_claims(versions, outcomes, first, second):
                _compare(judge, comparison, versions[index], claim, outcomes[index])
    return comparison


def run_programs(programs: Sequence[Program]) -> list[RunResult]:
    """What each one ends with, in a real interpreter."""
    ended = subprocess.run(
        [sys.executable, "-I", "-B", str(RUNNER)],
        input=json.dumps([dict(program.files) for program in programs]),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return [RunResult(error, lines) for error, lines in json.loads(ended.stdout)]


def _list_claims(
    versions: Sequence[Program], outcomes: Sequence[RunResult], first: int, second: int
) -> Iterator[tuple[int, Claim]]:
    """The claim of each version at itself, and that of the first at the second; with the frame that Python names."""
    claims = {}
    for index in (first, second):
        claim, outcome = versions[index].claim, outcomes[index]
        is_made = outcome.error is not None and outcome.is_claimed(claim)
        claims[index] = replace(claim, function=str(outcome.error[4])) if is_made and outcome.error else claim
        yield index, claims[index]
    yield second, claims[first]


def _compare(judge: ClaimJudge, comparison: Comparison, program: Program, claim: Claim, outcome: RunResult) -> None:
    """A program that ends with another error says nothing of the claim; nor does one that does not run the lines."""
    is_claimed = outcome.is_claimed(claim)
    if outcome.error is not None and not is_claimed:
        return
    verdict = judge.judge(claim, ListedModules(program.files))
    comparison.run_count += 1
    comparison.counts[claim.family, verdict.state] += 1
    if verdict.state is ClaimState.HOLDS:
        is_wrong = is_claimed
    elif verdict.state is ClaimState.FAILS:
        is_wrong = not _is_failing(program, claim, verdict, outcome)
    else:
        is_wrong = False
    if is_wrong:
        comparison.wrong.append((program, claim, verdict, outcome))


def _is_failing(program: Program, claim: Claim, verdict: ClaimVerdict, outcome: RunResult) -> bool:
    """Whether the lines that are said to fail do: the one that failed is among them, or none of them was run."""
    if outcome.error is None:
        return not set(verdict.lines) & set(outcome.lines)
    text = program.files["main.py"].split("\n")[int(str(outcome.error[3])) - 1]
    is_own = outcome.error[4] == claim.function and f".{NAME}" in text
    return outcome.error[3] in verdict.lines or not is_own
