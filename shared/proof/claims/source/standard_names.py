"""Whether the standard library of a Python has a name in one of its modules, as the type checker's stubs say.

Takes a module, a name and a minor version; the answer is None without a checker, and for what its stubs do not cover.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.proof.claims.ports import ServiceModules
from shared.proof.claims.source.standard_library import is_standard_module, parse_minor
from shared.proof.model.checker_report import CheckerRule
from shared.proof.model.ports import TypeChecker

_PROBE = "probe.py"
_COLLECTIONS = frozenset((
    "Awaitable", "Coroutine", "AsyncIterable", "AsyncIterator", "AsyncGenerator", "Hashable", "Iterable", "Iterator",
    "Generator", "Reversible", "Collection", "Container", "Callable", "Sized", "Set", "MutableSet", "Mapping",
    "MutableMapping", "MappingView", "KeysView", "ItemsView", "ValuesView", "Sequence", "MutableSequence", "ByteString",
))  # fmt: skip
_REMOVED_IN: Mapping[tuple[str, str], int] = {
    **{("collections", name): 10 for name in _COLLECTIONS},
    ("cgi", "escape"): 8,
    ("platform", "dist"): 8,
    ("platform", "linux_distribution"): 8,
    ("time", "clock"): 8,
    ("base64", "decodestring"): 9,
    ("base64", "encodestring"): 9,
    ("fractions", "gcd"): 9,
    ("sys", "getcheckinterval"): 9,
    ("sys", "setcheckinterval"): 9,
}
"""The minor version of Python 3 that is the first without a name which the stubs no longer know, from "What's New"."""


_OLDEST_MINOR = 10
"""The stubs tell no version before 3.10 from it."""


_MISTAKEN = frozenset((("importlib.resources", "Anchor"), ("socket", "CAN_RAW_ERR_FILTER")))
"""Of 686 names that not every Python from 3.9 to 3.13 has, those for which the stubs name another version than the
interpreters show, measured in November 2026.
"""


@dataclass(frozen=True, slots=True)
class StandardName:
    """What a program asks the standard library for: `from module import name`, or the attribute `module.name`."""

    module: str
    name: str
    is_attribute: bool = False
    """A submodule can be imported, and is no attribute before something has imported it."""

    @property
    def is_plain(self) -> bool:
        """Whether it can be written into a program."""
        return all(part.isidentifier() for part in (*self.module.split("."), self.name))

    @property
    def program(self) -> str:
        """Two lines: the module alone, and what is asked of it."""
        asking = f"{self.module}.{self.name}" if self.is_attribute else f"from {self.module} import {self.name}"
        return f"import {self.module}\n{asking}\n"


@dataclass(slots=True)
class StandardNames:
    """Asks the checker once for each name and version."""

    checker: TypeChecker
    _answers: dict[tuple[StandardName, str], bool | None] = field(default_factory=dict)

    def judge(self, asked: StandardName, modules: ServiceModules) -> tuple[bool, str] | None:
        """Whether asking fails in the image of a commit, and why; None where the version does not decide it."""
        if not is_standard_module(asked.module.partition(".")[0], modules.python):
            return None
        image = modules.image_python
        if not image.version:
            return None
        fails = self.fails_so(asked, modules.python, image.version)
        has = "does not have" if fails else "has"
        return None if fails is None else (fails, f"{asked.module} {has} {asked.name} on {image}")

    def fails_so(self, asked: StandardName, failing: str, python: str) -> bool | None:
        """Whether asking fails on `python`, where the log shows that it does on `failing`; both minor versions.

        Names that no version of the stubs has say nothing of a version that the log does not show.
        """
        if self.has_name(asked, failing) is not False:
            return None
        if python == failing:
            return True
        return False if self.has_name(asked, python) else None

    def has_name(self, asked: StandardName, python: str) -> bool | None:
        """Whether the library of a minor version such as `3.11` has what is asked."""
        if (asked, python) not in self._answers:
            self._answers[asked, python] = self._find(asked, python)
        return self._answers[asked, python]

    def _find(self, asked: StandardName, python: str) -> bool | None:
        key, minor = (asked.module, asked.name), parse_minor(python)
        if minor is None or key in _MISTAKEN:
            return None
        if key in _REMOVED_IN:
            return minor < _REMOVED_IN[key]
        is_standard = asked.is_plain and is_standard_module(asked.module.partition(".")[0], python)
        return self._ask_checker(asked, python) if is_standard and minor >= _OLDEST_MINOR else None

    def _ask_checker(self, asked: StandardName, python: str) -> bool | None:
        report = self.checker.check({_PROBE: asked.program.encode()}, python, [""], [_PROBE])
        if _PROBE not in report.judged_paths or report.list_at(_PROBE, 1):  # the stubs do not have the module itself
            return None
        entries = report.list_at(_PROBE, 2)
        rule = CheckerRule.ATTRIBUTE if asked.is_attribute else CheckerRule.MODULE_MEMBER
        if any(entry.rule is rule and entry.name == asked.name for entry in entries):
            return False
        return None if entries else True
