"""Holds the verdicts on calls against what an interpreter does with the same services."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence

from shared.proof.claims.calls.call_judge import CallJudge
from shared.proof.claims.calls.call_message import ComplaintKind, parse_call_message
from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState
from tests.support.fake_service_modules import FakeServiceModules
from tests.support.generated_calls import RUNNER, generate_service
from tests.support.scope_oracle import OracleTally

PATH = "main.py"
Miss = tuple[str, str, str, int, str, str]


def compare_calls(executable: str, python: str, seeds: Sequence[int]) -> OracleTally:
    """Judge the complaints of the first version at both versions, and make all calls of both."""
    services = [service.files for seed in seeds for service in generate_service(seed)]
    process = subprocess.run(
        [executable, "-I", "-c", RUNNER],
        input=json.dumps(services),
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    answers = json.loads(process.stdout)
    tally = OracleTally()
    for position, seed in enumerate(seeds):
        (old, _), (new, _) = answers[2 * position : 2 * position + 2]
        if isinstance(old, str) or isinstance(new, str):
            tally.states["does not start"] += 1
            continue
        for files, misses in zip(services[2 * position : 2 * position + 2], (old, new), strict=True):
            for problem in _check_version(files, python, old, misses, tally):
                tally.wrong.append(
                    f"seed {seed}, Python {python}: {problem}\n{files['lib.py'][1300:]}\n{_number(files[PATH])}"
                )
    return tally


def _check_version(
    files: Mapping[str, str], python: str, claimed: list[Miss], misses: list[Miss], tally: OracleTally
) -> Iterator[str]:
    lines = files[PATH].split("\n")
    for _, message, path, line, function, source_text in claimed:
        complaint = parse_call_message(message)
        if complaint is None or path != PATH:
            continue
        claim = Claim(ClaimFamily.CALL, PATH, line, "TypeError", message, function, source_text, owner=complaint.callee)
        verdict = CallJudge().judge(claim, FakeServiceModules(files, python))
        is_same = claimed is misses
        tally.states[f"{'same' if is_same else 'other'} version:{verdict.state}"] += 1
        alike = {at for _, text, where, at, *_ in misses if where == PATH and _is_alike(text, message, lines[at - 1])}
        same = {at for _, text, where, at, *_ in misses if where == PATH and text == message}
        if verdict.state is ClaimState.HOLDS and alike:
            yield f"{message}: holds ({verdict.reason}), but lines {sorted(alike)} fail"
        if verdict.state is ClaimState.FAILS and set(verdict.lines) - same:
            yield f"{message}: fails in {verdict.lines} ({verdict.reason}), but {sorted(same)} do"


def _is_alike(text: str, message: str, line: str) -> bool:
    """Whether a call misses the same function; one with stars has to miss it in the same way."""
    other, claimed = parse_call_message(text), parse_call_message(message)
    if other is None or claimed is None or other.callee != claimed.callee:
        return False
    return ("*" not in line and claimed.kind is not ComplaintKind.UNEXPECTED_KEYWORD) or other == claimed


def _number(source: str) -> str:
    return "\n".join(f"{number:3} {line}" for number, line in enumerate(source.split("\n"), 1))
