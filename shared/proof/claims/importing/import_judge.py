"""Judges claims on imports: a name that a module does not have, and a module that is not in the image.

Takes a claim and the service's modules at one commit: each statement that asks for it finds what the image has.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState, ClaimVerdict, FoundModule, ModuleKind
from shared.proof.claims.importing.bindings import BindingState, find_imported_name
from shared.proof.claims.importing.import_requests import Guard, ImportRequest, list_import_requests
from shared.proof.claims.ports import ServiceModules
from shared.proof.claims.source.module_code import ModuleCode, parse_module
from shared.proof.claims.source.module_table import changes_module_table
from shared.proof.claims.source.python_source import describe_unparsed
from shared.proof.claims.source.standard_library import is_bound_to_version, is_standard_module
from shared.proof.claims.source.standard_names import StandardName, StandardNames
from shared.proof.loading.commit_tree import has_same_inputs

_CHECKED_BY = "the image's files, by Python's rules of imports"
_IN_IMAGE = frozenset((ModuleKind.FILE, ModuleKind.PACKAGE, ModuleKind.NAMESPACE))
_CHANGES_PATH = re.compile(rb"sys\s*\.\s*path|from\s+sys\s|addsitedir")


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one statement finds. `is_claimed`: whether it asks for exactly what the claim names."""

    state: ClaimState
    reason: str
    is_claimed: bool = True
    is_unlike: bool = False
    """Whether it surely fails in another way than was claimed."""


class ImportJudge:
    """Judges `IMPORT_NAME` and `MODULE`.

    `witness`: the service at the commit for which the log shows that the claim fails. What cannot be known fails
    wherever all that it depends on, but for the asking file, is byte for byte the same.
    """

    def __init__(self, witness: ServiceModules | None = None, standard_names: StandardNames | None = None) -> None:
        self._witness = witness
        self._standard_names = standard_names

    def with_witness(self, witness: ServiceModules) -> "ImportJudge":
        """The judge that believes the log for the commit of `witness`."""
        return ImportJudge(witness, self._standard_names)

    def judge(self, claim: Claim, modules: ServiceModules) -> ClaimVerdict:
        """The verdict at the commit of `modules`."""
        source = modules.tree.read(claim.path)
        if source is None:
            return _conclude(ClaimState.HOLDS, f"{claim.path} does not exist any more")
        if (code := parse_module(source)) is None:
            return _conclude(ClaimState.UNKNOWN, describe_unparsed(claim.path))
        requests = list_import_requests(code.tree, modules.python, claim.error_class)
        verdict = _ClaimReader(claim, modules, code, _FINDERS[claim.family], self._standard_names).judge(requests)
        if verdict.state is ClaimState.UNKNOWN and not verdict.fails_otherwise and self._witness is not None:
            return _ask_witness(claim, modules, requests, verdict, self._witness)
        return verdict


class _ClaimReader:
    """One claim at one commit."""

    def __init__(
        self,
        claim: Claim,
        modules: ServiceModules,
        code: ModuleCode,
        find: "_Finder",
        standard_names: StandardNames | None,
    ) -> None:
        self._claim = claim
        self._modules = modules
        self._code = code
        self._find = find
        self._standard_names = standard_names

    def judge(self, requests: Collection[ImportRequest]) -> ClaimVerdict:
        failing: dict[int, str] = {}
        unknown: list[_Answer] = []
        holding = f"nothing in {self._claim.path} asks for it any more"
        for request in requests:
            answer = self._judge_request(request)
            if answer is None:
                continue
            if answer.state is ClaimState.FAILS:
                failing.setdefault(request.line, answer.reason)
            elif answer.state is ClaimState.UNKNOWN and answer.is_claimed:
                unknown.append(answer)
            elif answer.is_claimed:
                holding = answer.reason
        if failing:
            return _conclude(ClaimState.FAILS, next(iter(failing.values())), tuple(sorted(failing)))
        if not unknown:
            return _conclude(ClaimState.HOLDS, holding)
        fails_otherwise = all(answer.is_unlike for answer in unknown)
        return replace(_conclude(ClaimState.UNKNOWN, unknown[0].reason), fails_otherwise=fails_otherwise)

    def _judge_request(self, request: ImportRequest) -> _Answer | None:
        """What a statement says of the claim; None where it has nothing to do with it, or cannot fail."""
        if request.is_dynamic:
            is_statement = self._claim.source_text.startswith(("import ", "from "))
            is_possible = self._claim.family is ClaimFamily.MODULE and not is_statement
            is_possible = is_possible and request.guard is not Guard.CAUGHT
            reason = f"line {request.line} imports a module that no text names"
            return _Answer(ClaimState.UNKNOWN, reason) if is_possible else None
        answer = self._judge_standard(request) or self._find(self._claim, self._modules, request)
        if answer is None or answer.state is ClaimState.HOLDS:
            return answer
        if request.guard is Guard.CAUGHT:
            return _Answer(ClaimState.HOLDS, f"line {request.line} catches an import that fails")
        return self._limit(answer, request) if answer.state is ClaimState.FAILS else answer

    def _judge_standard(self, request: ImportRequest) -> _Answer | None:
        """What the Python of the commit's image says of a part of its own library; None where another rule decides."""
        if request.level or request.parts != tuple(self._claim.module.split(".")):
            return None
        if self._claim.family is ClaimFamily.MODULE:
            return _judge_standard_module(self._modules, request)
        if request.name != self._claim.name or self._standard_names is None:
            return None
        return _judge_standard_name(self._claim, self._modules, self._standard_names, request)

    def _limit(self, answer: _Answer, request: ImportRequest) -> _Answer | None:
        """A failing statement, as far as it is certain that it runs, and that nothing else gives what is missing."""
        if request.guard is Guard.UNCLEAR:
            return _Answer(ClaimState.UNKNOWN, f"what follows an error in line {request.line} is unknown")
        if self._claim.name and self._claim.name in self._code.attribute_stores:
            return _Answer(ClaimState.UNKNOWN, f"{self._claim.path} sets an attribute {self._claim.name} itself")
        if changes_module_table(self._modules.tree.read(self._claim.path) or b""):
            return _Answer(ClaimState.UNKNOWN, f"{self._claim.path} changes what imports find")
        if not request.attempts:
            return answer
        attempts = [_judge_attempt(self._claim, self._modules, attempt) for attempt in request.attempts]
        if ClaimState.FAILS in attempts:
            return answer
        is_dead = all(state is ClaimState.HOLDS for state in attempts)
        reason = f"line {request.line} runs only where an import before it fails"
        return None if is_dead else _Answer(ClaimState.UNKNOWN, reason)


def _ask_witness(
    claim: Claim,
    modules: ServiceModules,
    requests: Collection[ImportRequest],
    verdict: ClaimVerdict,
    witness: ServiceModules,
) -> ClaimVerdict:
    """A verdict that is unknown, where the log says what the same statement does with the same files."""
    lines = list_asking_lines(claim, requests)
    source = modules.tree.read(claim.path) or b""
    is_changing = _CHANGES_PATH.search(source) is not None or changes_module_table(source)
    if not lines or is_changing or not has_same_inputs(modules.tree, witness.tree, claim.path):
        return verdict
    return ClaimVerdict(ClaimState.FAILS, f"as the log shows for the same files: {verdict.reason}", lines, "the log")


def list_asking_lines(claim: Claim, requests: Collection[ImportRequest]) -> tuple[int, ...]:
    """The lines of the statements that nothing guards and that ask for exactly what the claim names."""
    return tuple(request.line for request in requests if _asks_exactly(claim, request))


def _asks_exactly(claim: Claim, request: ImportRequest) -> bool:
    """Whether nothing but a failing import can become of a statement that asks for what the claim names."""
    if request.guard is not Guard.NONE or request.attempts or request.is_dynamic:
        return False
    claimed = claim.module.split(".")
    if claim.family is ClaimFamily.IMPORT_NAME:
        return request.name == claim.name and _is_exact(request.parts, request.level, claimed)
    return any(_is_exact(request.parts[:count], request.level, claimed) for count in range(1, len(request.parts) + 1))


_Finder = Callable[[Claim, ServiceModules, ImportRequest], _Answer | None]


def _judge_attempt(claim: Claim, modules: ServiceModules, request: ImportRequest) -> ClaimState:
    """Whether a statement in a `try` fails for want of a module or a name; what it loads may fail by itself."""
    source = modules.find_module(claim.path, request.module, request.level) if not request.is_dynamic else None
    if source is None:
        return ClaimState.UNKNOWN
    if source.kind is ModuleKind.OUTSIDE and not request.name and is_standard_module(request.module, modules.python):
        return ClaimState.HOLDS
    if source.kind is ModuleKind.MISSING:
        return ClaimState.FAILS
    if not request.name or request.name == "*":
        return ClaimState.UNKNOWN
    binding = find_imported_name(modules, claim.path, request.module, request.level, request.name)
    return ClaimState.FAILS if binding.state is BindingState.UNBOUND else ClaimState.UNKNOWN


def _is_exact(parts: Sequence[str], level: int, claimed: Sequence[str]) -> bool:
    """Whether a dotted name of a statement is the claimed one; a relative one is its end."""
    return tuple(parts) == tuple(claimed[len(claimed) - len(parts) :] if level else claimed)


def _judge_name(claim: Claim, modules: ServiceModules, request: ImportRequest) -> _Answer | None:
    """`from module import name`, and a rewritten form of it that passes through a module of that name."""
    if request.name != claim.name:
        return _judge_rewritten_name(claim, modules, request) if claim.name in request.parts else None
    claimed = claim.module.split(".")
    is_exact = _is_exact(request.parts, request.level, claimed)
    source = modules.find_module(claim.path, request.module, request.level)
    if source.kind is ModuleKind.OUTSIDE:
        return _Answer(ClaimState.UNKNOWN, f"{request.module} is not of the repository", is_claimed=is_exact)
    if source.kind is ModuleKind.MISSING or source.fails_otherwise:
        return _Answer(ClaimState.UNKNOWN, f"it fails in another way: {source.reason}", is_unlike=True)
    binding = find_imported_name(modules, claim.path, request.module, request.level, request.name)
    if binding.state is BindingState.UNBOUND and not is_exact:
        return _Answer(ClaimState.UNKNOWN, f"it fails in another way: {binding.reason}")
    is_near = is_exact or request.level > 0 or request.parts[:1] == tuple(claimed[:1])
    return _Answer(_STATES[binding.state], binding.reason, is_claimed=is_near)


def _judge_rewritten_name(claim: Claim, modules: ServiceModules, request: ImportRequest) -> _Answer | None:
    for count in range(1, len(request.parts) + 1):
        if request.parts[count - 1] == claim.name:
            step = modules.find_module(claim.path, ".".join(request.parts[:count]), request.level)
            if step.kind is ModuleKind.MISSING:
                return _Answer(ClaimState.UNKNOWN, f"it fails in another way: {step.reason}", is_unlike=True)
    return None


def _judge_module(claim: Claim, modules: ServiceModules, request: ImportRequest) -> _Answer | None:
    """Every statement that passes through a module of the claim's last name."""
    claimed = claim.module.split(".")
    for count in range(1, len(request.parts) + 1):
        parts = request.parts[:count]
        is_exact = _is_exact(parts, request.level, claimed)
        if not is_exact and parts[-1] != claimed[-1]:
            continue
        above = modules.find_module(claim.path, ".".join(parts[:-1]), request.level) if count > 1 else None
        step = modules.find_module(claim.path, ".".join(parts), request.level)
        if step.kind is ModuleKind.MISSING:
            fails_so = is_exact and (above is None or above.kind is not ModuleKind.MISSING)
            reason = step.reason if fails_so else f"it fails in another way: {step.reason}"
            return _Answer(ClaimState.FAILS if fails_so else ClaimState.UNKNOWN, reason)
        if is_exact:
            return _describe_module(claim, modules, step)
    return _judge_rewritten_module(claim, modules, request) if request.name == claimed[-1] else None


def _judge_standard_name(
    claim: Claim, modules: ServiceModules, names: StandardNames, request: ImportRequest
) -> _Answer | None:
    """`from typing import Self` fails on 3.10, and not on an image with 3.11."""
    if modules.find_module(claim.path, request.module).kind is not ModuleKind.OUTSIDE:
        return None
    answer = names.judge(StandardName(request.module, request.name), modules)
    return None if answer is None else _Answer(ClaimState.FAILS if answer[0] else ClaimState.HOLDS, answer[1])


def _judge_standard_module(modules: ServiceModules, request: ImportRequest) -> _Answer | None:
    """`import tomllib` fails on 3.10, and not on an image with 3.11."""
    if not is_bound_to_version(request.parts[0]) or is_standard_module(request.parts[0], modules.python):
        return None
    image = modules.image_python
    if not image.version or not is_standard_module(request.parts[0], image.version):
        return None
    return _Answer(ClaimState.HOLDS, f"{request.parts[0]} is of {image}")


def _describe_module(claim: Claim, modules: ServiceModules, step: FoundModule) -> _Answer:
    if step.kind in _IN_IMAGE:
        return _Answer(ClaimState.HOLDS, f"{step.path} is in the image")
    if step.fails_otherwise:
        return _Answer(ClaimState.UNKNOWN, f"it fails in another way: {step.reason}", is_unlike=True)
    first, _, below = claim.module.partition(".")
    if step.kind is ModuleKind.OUTSIDE and not (below and is_standard_module(first, modules.python)):
        return _Answer(ClaimState.HOLDS, step.reason or f"Python or an installed package has {claim.module}")
    return _Answer(ClaimState.UNKNOWN, step.reason or f"which modules {first} has depends on its version")


def _judge_rewritten_module(claim: Claim, modules: ServiceModules, request: ImportRequest) -> _Answer:
    """`from a import b` where the claim is on `a.b`."""
    binding = find_imported_name(modules, claim.path, request.module, request.level, request.name)
    is_exact = _is_exact((*request.parts, request.name), request.level, claim.module.split("."))
    if binding.state is BindingState.UNBOUND:
        return _Answer(ClaimState.UNKNOWN, f"it fails in another way: {binding.reason}")
    return _Answer(_STATES[binding.state], binding.reason, is_claimed=is_exact)


_STATES: Mapping[BindingState, ClaimState] = {
    BindingState.BOUND: ClaimState.HOLDS,
    BindingState.UNBOUND: ClaimState.FAILS,
    BindingState.UNKNOWN: ClaimState.UNKNOWN,
}
_FINDERS: Mapping[ClaimFamily, _Finder] = {
    ClaimFamily.IMPORT_NAME: _judge_name,
    ClaimFamily.MODULE: _judge_module,
}


def _conclude(state: ClaimState, reason: str, lines: tuple[int, ...] = ()) -> ClaimVerdict:
    return ClaimVerdict(state, reason, lines, _CHECKED_BY)
