"""What a type checker says of some files, held to the families of failure that a traceback can claim."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum


class CheckerRule(StrEnum):
    """What a checker can report; whatever else it knows is not read."""

    MODULE = "module"
    """An imported module is nowhere; so are all that the image installs, since the checker does not have them."""
    MODULE_MEMBER = "module_member"
    """`from a import b` finds no `b`."""
    NAME = "name"
    POSSIBLE_NAME = "possible_name"
    """Bound on some paths alone."""
    ATTRIBUTE = "attribute"
    UNION_ATTRIBUTE = "union_attribute"
    """Missing on one of the types that the value may have."""
    POSSIBLE_ATTRIBUTE = "possible_attribute"
    """Bound on some paths alone, or a submodule that may not have been imported."""
    CALL = "call"
    """Arguments that do not bind to the signature."""
    NOT_CALLABLE = "not_callable"
    NOT_SUBSCRIPTABLE = "not_subscriptable"
    NOT_ITERABLE = "not_iterable"
    NOT_AWAITABLE = "not_awaitable"
    OTHER = "other"
    """An error about the same expressions that no claim names: operators, assignments, context managers."""
    REVEALED = "revealed"
    """No error: the type of the argument of a `reveal_type(…)`, as `subject`."""


@dataclass(frozen=True, slots=True)
class CheckerDiagnostic:
    """One thing that the checker reports. Lines and columns count from 1, columns in characters."""

    path: str
    line: int
    column: int
    rule: CheckerRule
    message: str
    name: str = ""
    """The attribute, name, argument or module, where the message names one."""
    subject: str = ""
    """The type, module or function that the message is about, as the checker writes it."""


@dataclass(frozen=True, slots=True)
class CheckerReport:
    """The answer to one question. `judged_paths`: the files of it that the checker could read."""

    checked_by: str
    diagnostics: Sequence[CheckerDiagnostic] = ()
    judged_paths: Collection[str] = frozenset()
    failure_reason: str = ""
    """Why there is no answer at all: the end of a sentence. "" where there is one."""

    def list_at(self, path: str, line: int) -> list[CheckerDiagnostic]:
        """The diagnostics of one line."""
        return [entry for entry in self.diagnostics if entry.path == path and entry.line == line]
