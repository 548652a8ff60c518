"""What a compiler said of one source: it compiles, it fails at a line, or it could not be judged."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """Bytes as git stores them; `path` is only what the compiler is told the file is called."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Fault:
    """The first error that an import of the file would raise. `line` and `column` count from 1; None where not told."""

    error_class: str
    message: str
    line: int | None
    column: int | None = None
    text: str = ""
    """The offending source line, without its line end."""


@dataclass(frozen=True, slots=True)
class Compilation:
    """`ok` is None where no verdict could be had (time or memory limit, blob not there); `why` then says so."""

    ok: bool | None
    fault: Fault | None
    checked_by: str
    """`cpython-3.11.7` or `ruff-0.17.6`: who decided."""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One diagnostic of ruff's parser or of its semantic rules. `line` and `column` count from 1."""

    line: int
    column: int
    message: str
    end_line: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """Ruff's opinion of one source on one Python version: every error it sees, where CPython stops at the first."""

    checked_by: str
    findings: tuple[Finding, ...]
