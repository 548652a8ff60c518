"""A real interpreter as compiler: sources go through a pipe to one process of it, verdicts come back.

It is a `shared.proof.model.ports.Compiler`, keeps one process for any number of sources, and starts another only when a
source killed the last one or used up its time.
"""

from collections.abc import Iterable
from types import TracebackType
from typing import Self

from shared.adapters.compilers.pipe import InterpreterError, WorkerLost, WorkerProcess
from shared.adapters.compilers.verdict import parse_verdict
from shared.proof.model.compilation import Compilation, Source

# How often a process may be lost to a source before this compiler gives no more verdicts: each loss costs a start.
MAX_CRASHES = 25


# Own worker: the verdict must be the deployed minor version's, from 3.7 on, and no package can be installed into an
# interpreter that happens to be there. It is one file of the standard library.
class CPython:
    """Implements `shared.proof.model.ports.Compiler`. Use as a context manager, or call `close()`.

    `seconds` is the most that one source may take, `memory` the address space in bytes that the process may use.
    `processes_started` and `sources_compiled` count, for tests and the bench.
    """

    def __init__(self, interpreter: str, *, timeout: float = 20.0, memory_limit: int = 1 << 30) -> None:
        self.interpreter = interpreter
        self.processes_started = 0
        self.sources_compiled = 0
        self._seconds = timeout
        self._memory = memory_limit
        self._crashes = 0
        self._process: WorkerProcess | None = None
        self._implementation = ""
        self._version = ""

    @property
    def implementation(self) -> str:
        """`cpython` or what else answers there. Raises `InterpreterError`."""
        self._identify()
        return self._implementation

    @property
    def version(self) -> str:
        """`3.11.7`. Raises `InterpreterError`."""
        self._identify()
        return self._version

    @property
    def python(self) -> str:
        """`3.11`."""
        return ".".join(self.version.split(".")[:2])

    @property
    def checked_by(self) -> str:
        """`cpython-3.11.7`."""
        return f"{self.implementation}-{self.version}"

    def prepare(self, sources: Iterable[Source]) -> None:
        """Nothing to gain: a source costs what its compilation costs."""

    def compile(self, source: Source) -> Compilation:
        """The verdict; `compiles` is None, with a sentence, where the process died of the source or hit a limit."""
        self._identify()
        if self._crashes >= MAX_CRASHES:
            return self._undecided(f"{self.checked_by} was lost {self._crashes} times and is not asked again")
        self.sources_compiled += 1
        try:
            answer = self._ensure_process().judge(source, self._seconds)
        except (WorkerLost, InterpreterError) as lost:
            self._stop_process()
            return self._undecided(f"{self.checked_by} {lost}")
        if not answer["ok"] and answer["class"] == "MemoryError" and answer["peak"] * 2 > self._memory:
            self._stop_process()  # its peak stays high, which would make the next MemoryError look like this one
            return self._undecided(f"{self.checked_by} needed more than {self._memory >> 20} MiB of memory")
        return parse_verdict(answer, source, self.checked_by)

    def close(self) -> None:
        """End the process; a later question would start a new one."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _identify(self) -> None:
        if not self._version:
            try:
                self._ensure_process()
            except WorkerLost as lost:
                self.close()
                raise InterpreterError(f"{self.interpreter} {lost}") from lost

    def _ensure_process(self) -> WorkerProcess:
        if self._process is None:
            self.processes_started += 1
            self._process = WorkerProcess(self.interpreter, self._memory)
            self._implementation, self._version = self._process.identify()
        return self._process

    def _stop_process(self) -> None:
        self._crashes += 1
        self.close()

    def _undecided(self, why: str) -> Compilation:
        return Compilation(compiles=None, fault=None, checked_by=self.checked_by, unjudged_reason=why + ".")
