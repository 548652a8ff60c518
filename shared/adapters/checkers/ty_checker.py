"""ty as a `shared.proof.claims.ports.TypeChecker`: sources in a scratch folder of its own, one process each question.

No configuration of the repository, of the user or of the machine counts, and no installed package: what the service's
image has beyond the repository is unknown here, and must stay so. Where ty is not installed there is no verdict.

Its diagnostics are read from the JSON that it writes for GitLab, limited to the families of failure that a traceback
can claim. Rules that are not listed here are skipped.
"""

import importlib.metadata
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

from shared.adapters.checkers.scratch_folder import ScratchFolder
from shared.proof.loading.commit_tree import is_relative_path
from shared.proof.model.checker_report import CheckerDiagnostic, CheckerReport, CheckerRule

RULES: Mapping[str, CheckerRule] = {
    "import-not-found": CheckerRule.MODULE,
    "missing-module-member": CheckerRule.MODULE_MEMBER,
    "unresolved-reference": CheckerRule.NAME,
    "possibly-unresolved-reference": CheckerRule.POSSIBLE_NAME,
    "missing-attribute": CheckerRule.ATTRIBUTE,
    "missing-union-attribute": CheckerRule.UNION_ATTRIBUTE,
    "possibly-missing-attribute": CheckerRule.POSSIBLE_ATTRIBUTE,
    "possibly-missing-import": CheckerRule.POSSIBLE_ATTRIBUTE,
    "possibly-missing-submodule": CheckerRule.POSSIBLE_ATTRIBUTE,
    "missing-argument": CheckerRule.CALL,
    "unknown-argument": CheckerRule.CALL,
    "too-many-positional-arguments": CheckerRule.CALL,
    "parameter-already-assigned": CheckerRule.CALL,
    "positional-only-parameter-as-kwarg": CheckerRule.CALL,
    "no-matching-overload": CheckerRule.CALL,
    "not-callable": CheckerRule.NOT_CALLABLE,
    "not-subscriptable": CheckerRule.NOT_SUBSCRIPTABLE,
    "not-iterable": CheckerRule.NOT_ITERABLE,
    "invalid-await": CheckerRule.NOT_AWAITABLE,
    "invalid-assignment": CheckerRule.OTHER,
    "invalid-argument-type": CheckerRule.OTHER,
    "invalid-attribute-access": CheckerRule.OTHER,
    "invalid-context-manager": CheckerRule.OTHER,
    "possibly-missing-implicit-call": CheckerRule.OTHER,
    "unsupported-operator": CheckerRule.OTHER,
}
"""The rules that are switched on, by ty's names of the pinned version."""

MAX_DIAGNOSTICS = 20_000
_SYNTAX = "invalid-syntax"
_REVEALED = "revealed-type"
_QUOTED = r"`([^`]{1,2000})`"
_MESSAGES = tuple(
    re.compile(pattern.replace("@", _QUOTED), re.DOTALL)
    for pattern in (
        r"Attribute (?P<name>@) is not defined on (?P<subject>@)",
        r"(?:Module|Object of type|Class|Function) (?P<subject>@) has no (?:member|attribute) (?P<name>@)",
        r"(?:Member|Attribute) (?P<name>@) may be missing on (?:module|object of type|class) (?P<subject>@)",
        r"Submodule (?P<name>@) might not have been imported",
        r"Name (?P<name>@) used when",
        r"Cannot resolve imported module (?P<name>@)",
        r"(?:Object|Cannot (?:subscript|delete subscript on) (?:an )?object) of type (?P<subject>@)",
        r"(?P<subject>@) is not awaitable",
        r"Revealed type: (?P<subject>@)",
    )
)


def read_diagnostics(answers: list[Any]) -> Iterator[CheckerDiagnostic]:
    """Those of the rules that are read. Raises KeyError, TypeError or ValueError where the text is no answer of ty."""
    for answer in answers[:MAX_DIAGNOSTICS]:
        rule = CheckerRule.REVEALED if answer["check_name"] == _REVEALED else RULES.get(answer["check_name"])
        if rule is not None:
            begin = answer["location"]["positions"]["begin"]
            message = str(answer["description"]).removeprefix(f"{answer['check_name']}: ")
            name, subject = _parse_call(message) if rule is CheckerRule.CALL else _parse_message(message)
            path = str(answer["location"]["path"])
            yield CheckerDiagnostic(path, int(begin["line"]), int(begin["column"]), rule, message, name, subject)


def find_unreadable_paths(answers: list[Any]) -> frozenset[str]:
    """The files whose syntax ty does not accept, or over which it panicked: it says nothing else of them."""
    return frozenset(
        str(answer["location"]["path"])
        for answer in answers
        if answer["check_name"] == _SYNTAX or answer["severity"] in {"blocker", "critical"}
    )


def _parse_message(message: str) -> tuple[str, str]:
    """The name and the subject of a message, "" where it has none."""
    for pattern in _MESSAGES:
        if match := pattern.match(message):
            groups = match.groupdict()
            return (groups.get("name") or "").strip("`"), (groups.get("subject") or "").strip("`")
    return "", ""


def _parse_call(message: str) -> tuple[str, str]:
    """The first argument that a call lacks or has too much, and the function, which every message names last."""
    quoted = re.findall(_QUOTED, message)
    return (quoted[0] if len(quoted) > 1 else "", quoted[-1]) if quoted else ("", "")


BASE_SECONDS = 20.0
SECONDS_PER_FILE = 0.05
MEMORY_BYTES = 3 << 30
"""Of address space; what ty really uses is a small part of it."""
ANSWER_BYTES = 32 << 20
"""Of its answer, beyond which it is ended."""
_MAX_PARALLELISM = "2"
_LIMITED = Path(__file__).with_name("limited.py")


_SUPPORTED_VERSIONS = frozenset(f"3.{minor}" for minor in range(7, 16))
"""The minor versions for which ty answers."""


class _TyFailed(Exception):
    """ty gave no answer; the text says why, as the end of a sentence."""


def find_ty() -> str | None:
    """The path of the installed program, or None."""
    try:
        from ty import find_ty_bin  # noqa: PLC0415  # a witness that may be absent
    except ImportError:
        return None
    try:
        return str(find_ty_bin())
    except FileNotFoundError:
        return None


class TyChecker:
    """Implements `shared.proof.claims.ports.TypeChecker`. Use as a context manager, or call `close()`.

    `processes_started` and `files_written` count, for tests and the bench.
    """

    def __init__(
        self,
        *,
        find_program: Callable[[], str | None] = find_ty,
        seconds: float = BASE_SECONDS,
        memory_limit: int = MEMORY_BYTES,
        answer_limit: int = ANSWER_BYTES,
    ) -> None:
        self.processes_started = 0
        self._find_program = find_program
        self._seconds = seconds
        self._limits = (str(memory_limit), str(answer_limit))
        self._scratch = ScratchFolder()
        self._checked_by = ""
        self._lock = Lock()

    @property
    def checked_by(self) -> str:
        """`ty-0.0.107`, as the installed package says; `ty` where there is none."""
        if not self._checked_by:
            try:
                self._checked_by = f"ty-{importlib.metadata.version('ty')}"
            except importlib.metadata.PackageNotFoundError:
                self._checked_by = "ty"
        return self._checked_by

    @property
    def files_written(self) -> int:
        """In all questions together: from commit to commit only what differs is written."""
        return self._scratch.files_written

    def check(
        self, files: Mapping[str, bytes], python: str, roots: Sequence[str], judged: Sequence[str]
    ) -> CheckerReport:
        """One process, however many files are judged; none where there is nothing to judge."""
        with self._lock:
            try:
                return self._check(files, python, roots, judged)
            except _TyFailed as failed:
                self._scratch.close()
                return CheckerReport(self.checked_by, failure_reason=str(failed))

    def close(self) -> None:
        """Remove the scratch folder."""
        with self._lock:
            self._scratch.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _check(
        self, files: Mapping[str, bytes], python: str, roots: Sequence[str], judged: Sequence[str]
    ) -> CheckerReport:
        program = self._find_program()
        if program is None:
            raise _TyFailed("ty is not installed")
        if python not in _SUPPORTED_VERSIONS:
            raise _TyFailed(f"ty does not know Python {python}")
        try:
            readable = self._scratch.write_files(files)
        except OSError as error:
            raise _TyFailed(f"the files could not be laid out for {self.checked_by}: {error}") from error
        paths = [path for path in dict.fromkeys(judged) if path in readable]
        if not paths:
            return CheckerReport(self.checked_by)
        self._write_settings(python, roots)
        answers = self._run(program, paths, self._seconds + SECONDS_PER_FILE * len(readable))
        try:
            unreadable = find_unreadable_paths(answers)
            return CheckerReport(self.checked_by, tuple(read_diagnostics(answers)), frozenset(paths) - unreadable)
        except (KeyError, TypeError, ValueError) as error:
            raise _TyFailed(f"{self.checked_by} answered something else than diagnostics") from error

    def _write_settings(self, python: str, roots: Sequence[str]) -> None:
        """Settings of our own, an empty home and an environment without packages, all beside the sources."""
        folder = self._scratch.path
        environment = folder / "environment"
        (environment / "lib" / f"python{python}" / "site-packages").mkdir(parents=True, exist_ok=True)
        (folder / "home").mkdir(exist_ok=True)
        (environment / "pyvenv.cfg").write_text(f"home = {environment}\nversion = {python}\n", encoding="utf-8")
        inside = [root for root in roots if is_relative_path(root)]
        search_roots = [str(self._scratch.tree / root) for root in inside] or [str(self._scratch.tree)]
        lines = [
            "[environment]",
            f"root = {json.dumps(search_roots)}",
            f'python-version = "{python}"',
            'python-platform = "linux"',
            f"python = {json.dumps(str(environment))}",
            "[src]",
            "respect-ignore-files = false",
            "[analysis]",
            "respect-type-ignore-comments = false",
            "[rules]",
            'all = "ignore"',
            *(f'{rule} = "error"' for rule in RULES),
        ]
        (folder / "settings.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _run(self, program: str, paths: Sequence[str], seconds: float) -> list[Any]:
        folder = self._scratch.path
        command = [sys.executable, "-I", "-S", str(_LIMITED), *self._limits, program, "check"]
        command += ["--project", str(self._scratch.tree), "--config-file", str(folder / "settings.toml")]
        command += ["--output-format", "gitlab", "--exit-zero", "--no-progress", "--color", "never", "--", *paths]
        self.processes_started += 1
        with (folder / "answers.json").open("w+b") as out:
            try:
                ended = subprocess.run(
                    command,
                    cwd=self._scratch.tree,
                    env={
                        "HOME": str(folder / "home"),
                        "XDG_CONFIG_HOME": str(folder / "home"),
                        "TY_MAX_PARALLELISM": _MAX_PARALLELISM,
                    },
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.DEVNULL,
                    timeout=seconds,
                    check=False,
                )
            except subprocess.TimeoutExpired as expired:
                raise _TyFailed(f"{self.checked_by} did not answer within {seconds:g} s") from expired
            except OSError as error:
                raise _TyFailed(f"{self.checked_by} could not be started: {error}") from error
            out.seek(0)
            return self._parse_answers(out.read(), ended.returncode)

    def _parse_answers(self, text: bytes, code: int) -> list[Any]:
        if code:
            raise _TyFailed(f"{self.checked_by} ended with code {code} on these files")
        try:
            answers = json.loads(text)
        except ValueError as error:
            raise _TyFailed(f"{self.checked_by} answered something else than diagnostics") from error
        if not isinstance(answers, list):
            raise _TyFailed(f"{self.checked_by} answered something else than diagnostics")
        return answers
