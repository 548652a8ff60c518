"""Compiles blobs for one investigation, each of them once, and none that cannot fail as the log says.

Compiling a version costs milliseconds and a long history has many. `can_fail_with` uses only what follows from the
language: where it returns False, the logged line cannot give the logged message.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from shared.detection.incident import Sighting
from shared.proof.model.compilation import Compilation, Fault, Source
from shared.proof.model.ports import Compiler, Explainer, History

_OUTSIDE_MESSAGE = re.compile(r"'(\w+)' outside ")
_BRACKET_MESSAGE = re.compile(r"(?:unmatched '(?P<one>[)\]}])'|'(?P<two>[(\[{])' was never closed)")
_STRING_MESSAGES = ("unterminated string literal", "EOL while scanning string literal")
_CLOSED_STRINGS = re.compile(rb"""(?:[^"'\\]|\\.|"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+')*+""", re.DOTALL)
_FSTRING_START = re.compile(rb"""[fFtT][rR]?["']|[rR][fFtT]["']""")

SCRIPT_MESSAGES = ("source code cannot contain null bytes", "Non-UTF-8 code starting with")
"""What `python FILE` says of bytes, and an import does not."""
_MAX_UNFILTERED = 64
"""Sources that are compiled one by one without asking first which of them are worth it."""

_MAX_BYTES = 8 * 1024 * 1024
"""Bytes. A longer source is not Python that a service imports; it is left unjudged."""


class CompileVerdicts:
    """The predicate `compiles(path)`, remembered by blob id; `compiled_count` is the number of compiler runs."""

    def __init__(self, history: History, compiler: Compiler, explainer: Explainer) -> None:
        self._history = history
        self._compiler = compiler
        self._explainer = explainer
        self._judged_blobs: dict[str, Compilation] = {}
        self._scripts: set[str] = set()
        self.compiled_count = 0
        self._compiled_by_path: Counter[str] = Counter()

    @property
    def python(self) -> str:
        """The minor version that is asked for."""
        return self._compiler.python

    def judge(self, blob: str, path: str) -> Compilation:
        """Whether a blob compiles. `compiles` is None where it is not in this copy, or is too large."""
        compilation = self._judge_blob(blob, path)
        return compilation.as_script if path in self._scripts else compilation

    def judge_loaded(self, blob: str, path: str, scripts: Collection[str]) -> Compilation:
        """`judge` at a commit that runs `scripts` by their paths and imports the other files."""
        return self._judge_blob(blob, path).as_script if path in scripts else self.judge(blob, path)

    def _judge_blob(self, blob: str, path: str) -> Compilation:
        if blob not in self._judged_blobs:
            self._judged_blobs[blob] = self._compile(Source(path, self._history.read(blob) or b""), blob)
        return self._judged_blobs[blob]

    def add_scripts(self, paths: Iterable[str]) -> None:
        """Files with which a program is started: from now on they are judged as `python FILE` judges them."""
        self._scripts.update(paths)

    def _compile(self, source: Source, blob: str) -> Compilation:
        if not source.content and self._history.read(blob) is None:
            return Compilation(None, None, "", f"{source.path}: its contents (blob {blob}) are not in this copy")
        if len(source.content) > _MAX_BYTES:
            return Compilation(
                None, None, "", f"{source.path}: {len(source.content)} bytes are more than can be judged"
            )
        self.compiled_count += 1
        self._compiled_by_path[source.path] += 1
        return self._compiler.compile(source)

    def count_compiled(self, path: str) -> int:
        """How many versions of one path were given to the compiler."""
        return self._compiled_by_path[path]

    def fails(self, blob: str, path: str) -> bool:
        """Whether a blob is known not to compile."""
        return self.judge(blob, path).compiles is False

    def find_logged_fault(self, blob: str, path: str, sighting: Sighting) -> Fault | None:
        """The blob's first error, if it is on the logged line; a version too short for that line is not compiled.

        Where the log names no line (NUL bytes, too deep nesting), CPython names none either and the message decides.
        A file that fails so as a start file, and not when it is imported, is a start file from now on.
        """
        if sighting.line is not None and blob not in self._judged_blobs and not self._has_line(blob, sighting.line):
            return None
        fault = self.judge(blob, path).fault
        if fault is not None and _is_logged(fault, sighting):
            return fault
        script = self._judge_blob(blob, path).script
        if script is None or script.fault is None or not _is_logged_by_script(script.fault, sighting):
            return None
        self.add_scripts([path])
        return script.fault

    def _has_line(self, blob: str, line: int) -> bool:
        content = self._history.read(blob) or b""
        return content.count(b"\n") + content.count(b"\r") + 1 >= line

    def all_compile(self, blobs_by_path: Mapping[str, str]) -> bool | None:
        """Whether all of these files (path to blob) compile; a file that is not there cannot fail."""
        results = [self.judge(blob, path).compiles for path, blob in blobs_by_path.items()]
        return False if False in results else None if None in results else True

    def select_possible(self, paths_by_blob: Mapping[str, str], sightings: Sequence[Sighting]) -> frozenset[str]:
        """Those of these blobs (blob to path) that can fail with a logged message on a logged line.

        The words are CPython's: where ruff decides, none is ruled in.
        """
        if not self._compiler.checked_by.startswith("cpython"):
            return frozenset()
        return frozenset(blob for blob in paths_by_blob if self._can_fail(blob, sightings))

    def _can_fail(self, blob: str, sightings: Sequence[Sighting]) -> bool:
        content = self._history.read(blob) or b""
        return any(
            sighting.line is not None and can_fail_with(content, sighting.line, sighting.message, self.python)
            for sighting in sightings
        )

    def select_suspects(self, paths_by_blob: Mapping[str, str], _sightings: Sequence[Sighting] = ()) -> frozenset[str]:
        """Those of these blobs (blob to path) that may fail: all of a few; of many, those in which ruff sees an error.

        Ruff parses ten times as fast as CPython compiles. It misses one broken source in two thousand, so that this
        only ever chooses what to compile first: a verdict is the compiler's alone.
        """
        known = frozenset(blob for blob in paths_by_blob if blob in self._judged_blobs)
        unjudged = [blob for blob in paths_by_blob if blob not in known]
        if len(unjudged) <= _MAX_UNFILTERED or self._compiler.checked_by == self._explainer.checked_by:
            return frozenset(paths_by_blob)
        sources = [(Source(paths_by_blob[blob], self._history.read(blob) or b""), self.python) for blob in unjudged]
        answers = self._explainer.explain(sources)
        return known | {
            blob for blob, answer in zip(unjudged, answers, strict=True) if answer.diagnostics or answer.failure_reason
        }

    def prepare(self, blobs: Iterable[tuple[str, str]]) -> None:
        """Announces (path, blob) pairs that will be asked, for compilers that answer many at the cost of one."""
        unknown = {blob: path for path, blob in blobs if blob not in self._judged_blobs}
        self._compiler.prepare(Source(path, self._history.read(blob) or b"") for blob, path in unknown.items())


def _is_logged(fault: Fault, sighting: Sighting) -> bool:
    if sighting.line is None:
        return not fault.line and fault.message == sighting.message
    return fault.line == sighting.line


def _is_logged_by_script(fault: Fault, sighting: Sighting) -> bool:
    """Only the wording of the file tokenizer shows that the file was started and not imported."""
    words = next((words for words in SCRIPT_MESSAGES if fault.message.startswith(words)), None)
    return words is not None and sighting.message.startswith(words) and fault.line == sighting.line


def can_fail_with(content: bytes, line: int, message: str, python: str) -> bool:
    """Whether the first error of `content` may be `message` on `line`, counted from 1."""
    lines = _get_line_and_previous(content, line)
    if lines is None:
        return False
    before, failing_line = lines
    if message.startswith(_STRING_MESSAGES):
        return before.endswith(b"\\") or _can_leave_string_open(content, failing_line, python)
    if match := _BRACKET_MESSAGE.match(message):
        return (match["one"] or match["two"]).encode() in failing_line
    if match := _OUTSIDE_MESSAGE.match(message):
        return match[1].encode() in failing_line
    return True


def _get_line_and_previous(content: bytes, line: int) -> tuple[bytes, bytes] | None:
    """The line before the wanted one (empty for the first), and the wanted one; None where the content is shorter."""
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines = content.split(b"\n", line)
    return None if len(lines) < line else (lines[line - 2] if line > 1 else b"", lines[line - 1])


def _can_leave_string_open(content: bytes, failing_line: bytes, python: str) -> bool:
    """Whether a string of one line can begin here and not end here, whatever state the line begins in."""
    if b'"' not in failing_line and b"'" not in failing_line:
        return False
    if b'"""' in failing_line or b"'''" in failing_line or b"coding" in content[:200]:
        return True  # the line may begin or end inside a longer string; bytes may not be what they seem
    if not _CLOSED_STRINGS.fullmatch(failing_line):
        return True
    # Since 3.12 a line may begin inside an f-string in more ways than one line can show.
    return int(python.partition(".")[2]) >= 12 and _FSTRING_START.search(content) is not None
