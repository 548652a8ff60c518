"""Runs ruff to explain syntax errors, and to judge sources where no interpreter is available.

One process handles any number of (source, minor version) pairs, and reports every error that ruff's parser and its
rules for the compiler's own errors see.
"""

import importlib.metadata
import json
import subprocess
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ruff import find_ruff_bin  # type: ignore[import-untyped]

from shared.adapters.compilers.source_decoding import DecodedSource, decode_source
from shared.adapters.compilers.worker import find_script_fault, read_reported_line
from shared.errors import InputError
from shared.proof.model.compilation import Compilation, Diagnostic, Explanation, Fault, Source, split_source_lines

# What CPython's compiler refuses and a parser alone does not: measured, see tests/support/syntax_corpus.
RULES = "E902,F404,F406,F407,F621,F622,F701,F702,F704,F706,F707,PLE0100,PLE0115,PLE0117,PLE0118,PLE1142,PLE1700"
BASE_SECONDS = 30.0
SECONDS_PER_SOURCE = 0.1
# Bytes of stack for each of its threads: deep nesting overflows the usual 2 MiB, and that ends the process.
THREAD_STACK_BYTES = 64 << 20
MAX_FINDINGS = 1000
# A source that kills ruff takes the whole batch with it: the batch is halved to find it, for so many limits' time.
MAX_BISECTION_ROUNDS = 3

SourceKey = tuple[bytes, str]


class _RuffFailed(Exception):
    """Ruff gave no answer for a batch; the text says why, as the end of a sentence."""


class Ruff:
    """Implements `shared.proof.model.ports.Explainer`. `processes_started` counts, for tests and the bench."""

    def __init__(self, *, seconds: float = BASE_SECONDS) -> None:
        self.processes_started = 0
        self._seconds = seconds
        self._deadline = 0.0
        self._checked_by = ""

    @property
    def checked_by(self) -> str:
        """`ruff-0.17.6`, as the installed package says."""
        if not self._checked_by:
            self._checked_by = f"ruff-{importlib.metadata.version('ruff')}"
        return self._checked_by

    def explain(self, requests: Sequence[tuple[Source, str]]) -> Sequence[Explanation]:
        """One explanation for each pair, in their order; equal pairs are judged once."""
        decoded = {key: decode_source(*key) for key in ((source.content, python) for source, python in requests)}
        self._deadline = time.monotonic() + MAX_BISECTION_ROUNDS * self._timeout(len(decoded))
        judged = self._judge([key for key, text in decoded.items() if text.content is not None], decoded)
        explained = {key: self._build_explanation(judged.get(key, ()), text) for key, text in decoded.items()}
        return [explained[source.content, python] for source, python in requests]

    def _build_explanation(self, judged: Sequence[Diagnostic] | str, text: DecodedSource) -> Explanation:
        if isinstance(judged, str):
            return Explanation(self.checked_by, (), failure_reason=judged)
        findings = {(finding.line, finding.message): finding for finding in reversed(judged)}
        if text.fault is not None:
            line = text.row if text.fault.line is None else text.fault.line
            findings[line, text.fault.message] = Diagnostic(line, 1, text.fault.message, text.row)
        ordered = sorted(findings.values(), key=lambda finding: (finding.line, finding.column))
        return Explanation(self.checked_by, tuple(ordered[:MAX_FINDINGS]))

    def _judge(
        self, keys: list[SourceKey], decoded: dict[SourceKey, DecodedSource]
    ) -> dict[SourceKey, list[Diagnostic] | str]:
        if not keys:
            return {}
        try:
            with tempfile.TemporaryDirectory(prefix="provenfix-") as directory:
                return dict(zip(keys, self._check_files(Path(directory), keys, decoded), strict=True))
        except _RuffFailed as failed:
            if len(keys) == 1 or time.monotonic() > self._deadline:
                return dict.fromkeys(keys, f"{self.checked_by} {failed}.")
        half = len(keys) // 2
        return self._judge(keys[:half], decoded) | self._judge(keys[half:], decoded)

    def _check_files(
        self, directory: Path, keys: list[SourceKey], decoded: dict[SourceKey, DecodedSource]
    ) -> list[list[Diagnostic]]:
        versions = {python: "py" + python.replace(".", "") for _, python in keys}
        for name in versions.values():
            (directory / name).mkdir()
        for number, key in enumerate(keys):
            (directory / versions[key[1]] / f"{number}.py").write_bytes(decoded[key].content or b"")
        answers = directory / "answers.jsonl"
        self._run_ruff(directory, answers, versions.values(), self._timeout(len(keys)))
        findings: list[list[Diagnostic]] = [[] for _ in keys]
        with answers.open(encoding="utf-8") as lines:
            for line in lines:
                answer = json.loads(line)
                own = findings[int(Path(answer["filename"]).stem)]
                if answer["name"] == "panic":
                    raise _RuffFailed("panicked on this source")
                if len(own) < MAX_FINDINGS:
                    own.append(_parse_finding(answer))
        return findings

    def _timeout(self, sources: int) -> float:
        return self._seconds + SECONDS_PER_SOURCE * sources

    def _run_ruff(self, directory: Path, answers: Path, versions: Iterable[str], seconds: float) -> None:
        targets = ", ".join(f'"{version}/**" = "{version}"' for version in versions)
        command = [_find_ruff(), "check", "--isolated", "--ignore-noqa", "--no-cache", "--no-respect-gitignore"]
        command += ["--exit-zero", "--output-format", "json-lines", "--select", RULES]
        command += ["--config", "exclude = []", "--config", f"per-file-target-version = {{{targets}}}", "."]
        self.processes_started += 1
        with answers.open("wb") as out:
            try:
                ended = subprocess.run(
                    command,
                    cwd=directory,
                    env={"RUST_MIN_STACK": str(THREAD_STACK_BYTES)},
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.PIPE,  # with a pipe to wait on, `run` need not poll
                    timeout=seconds,
                    check=False,
                )
            except subprocess.TimeoutExpired as expired:
                raise _RuffFailed(f"did not answer within {seconds:g} s") from expired
        if ended.returncode:
            raise _RuffFailed(f"ended with code {ended.returncode} on this source")


_NEWEST_PATCH = 99


class RuffCompiler:
    """Implements `shared.proof.model.ports.Compiler` with ruff's opinion; the same bytes are judged once."""

    def __init__(self, ruff: Ruff, python: str) -> None:
        self.python = python
        self._ruff = ruff
        self._cache: dict[bytes, Explanation] = {}

    @property
    def checked_by(self) -> str:
        """`ruff-0.17.6`."""
        return self._ruff.checked_by

    def prepare(self, sources: Iterable[Source]) -> None:
        """Judge all of these in one process."""
        new = [source for source in sources if source.content not in self._cache]
        explanations = self._ruff.explain([(source, self.python) for source in new])
        self._cache.update((source.content, explanation) for source, explanation in zip(new, explanations, strict=True))

    def compile(self, source: Source) -> Compilation:
        """What ruff sees first, by position. CPython may stop at another line of the same file."""
        self.prepare([source])
        explanation = self._cache[source.content]
        if explanation.failure_reason:
            return Compilation(
                compiles=None, fault=None, checked_by=self.checked_by, unjudged_reason=explanation.failure_reason
            )
        first = explanation.diagnostics[0] if explanation.diagnostics else None
        script = self._judge_script(source, first)
        if first is None:
            return Compilation(compiles=True, fault=None, checked_by=self.checked_by, script=script)
        return Compilation(
            compiles=False, fault=self._build_fault(first, source), checked_by=self.checked_by, script=script
        )

    def _judge_script(self, source: Source, first: Diagnostic | None) -> Compilation | None:
        """The verdict on a start file, where its bytes alone refuse it: the rules are the worker's."""
        if source.content.isascii() and b"\0" not in source.content:
            return None
        version = (*(int(number) for number in self.python.split(".")), _NEWEST_PATCH)
        refusal = find_script_fault(source.content, version, source.path)
        if refusal is None or (first is not None and 0 < first.line < refusal[0] and b"\0" not in source.content):
            return None
        fault = Fault("SyntaxError", refusal[1], read_reported_line(refusal[0], version))
        return Compilation(compiles=False, fault=fault, checked_by=self.checked_by)

    def _build_fault(self, first: Diagnostic, source: Source) -> Fault:
        decoding = decode_source(source.content, self.python).fault
        if decoding is not None and decoding.message == first.message:
            return decoding
        lines = split_source_lines(source.content)
        text = lines[first.line - 1][:4096] if 0 < first.line <= len(lines) else ""
        return Fault(_guess_error_class(first.message), first.message, first.line, first.column, text)


def _parse_finding(answer: dict[str, Any]) -> Diagnostic:
    start, end = answer["location"], answer["end_location"]
    return Diagnostic(int(start["row"]), int(start["column"]), str(answer["message"]), int(end["row"]))


def _guess_error_class(message: str) -> str:
    """The class that CPython would raise, by ruff's wording, which does not distinguish a TabError from its base
    class.
    """
    return "IndentationError" if "indent" in message.lower() else "SyntaxError"


def _find_ruff() -> str:
    try:
        return str(find_ruff_bin())
    except FileNotFoundError as error:
        raise InputError(
            f"The pinned ruff is not installed beside provenfix ({error}); install provenfix again."
        ) from error
