"""Holds the verdicts on imports against what Python did with the same services.

Takes services and their executions. Returns for each family how many verdicts were right, unknown, or wrong; a wrong
one is described.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState
from shared.proof.claims.importing.bindings import BindingState, find_binding
from shared.proof.claims.importing.circular_judge import CircularJudge
from shared.proof.claims.importing.image_layout import TracedFiles
from shared.proof.claims.importing.import_judge import ImportJudge
from shared.proof.claims.service_modules import ImageModules, open_service_modules
from tests.support.generated_imports import ASKING_PATH, NAMES, GeneratedService, ImportProbe
from tests.support.import_oracle import Execution
from tests.support.source_tree import FakeSourceTree


@dataclass(slots=True)
class Comparison:
    """`counts`: by (family, what became of the verdict). `wrong`: a description of each wrong one."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    """Of the unknown ones, without paths and names."""

    def add(self, family: str, result: str, description: str) -> None:
        self.counts[family, result] += 1
        if result == "wrong":
            self.wrong.append(description)

    def list_shares(self) -> Iterator[str]:
        """One line for each family."""
        for family in sorted({family for family, _ in self.counts}):
            results = {result: count for (name, result), count in self.counts.items() if name == family}
            total = sum(results.values())
            shares = ", ".join(f"{name} {count} ({count / total:.1%})" for name, count in sorted(results.items()))
            yield f"{family}: {shares}"


def compare_services(
    services: Sequence[GeneratedService],
    executions: Sequence[Sequence[Execution]],
    comparison: Comparison,
    first_number: int = 0,
) -> None:
    """Adds every probe of the services, which are counted from `first_number`."""
    for number, (service, results) in enumerate(zip(services, executions, strict=True), first_number):
        for probe, execution in zip(service.probes, results, strict=True):
            files = {**service.files, ASKING_PATH: probe.text}
            modules = open_service_modules(FakeSourceTree(files), TracedFiles(ASKING_PATH), "3.11")
            _compare_claim(number, probe, execution, modules, comparison)
            _compare_order(number, probe, execution, files, comparison)
        _compare_bindings(number, service, results, comparison)


def _compare_claim(
    number: int, probe: ImportProbe, execution: Execution, modules: ImageModules, comparison: Comparison
) -> None:
    family = ClaimFamily.IMPORT_NAME if probe.name else ClaimFamily.MODULE
    error = "ImportError" if probe.name else "ModuleNotFoundError"
    claim = Claim(family, ASKING_PATH, probe.line, error, "", module=probe.module, name=probe.name)
    verdict = ImportJudge().judge(claim, modules)
    state = verdict.state
    result = "right"
    if state is ClaimState.UNKNOWN:
        result = "unknown"
    elif state is ClaimState.HOLDS:
        result = "wrong" if _fails_so(probe, execution, strict=False) else "right"
    elif not _fails_so(probe, execution, strict=True):
        result = "wrong" if not execution.error or _is_at(probe, execution) else "not reached"
        if not execution.error and _may_not_run(probe.text):
            result = "not reached"
    elif execution.line not in verdict.lines:
        result = "wrong"
    comparison.add(family, result, f"{number} {probe} {verdict} {execution}")
    if result == "unknown":
        comparison.reasons[_generalize(verdict.reason)] += 1


def _compare_order(
    number: int, probe: ImportProbe, execution: Execution, files: Mapping[str, str], comparison: Comparison
) -> None:
    """Whether the name that a start misses in a half-loaded module, or may miss, is found by the order of imports."""
    match = re.match(r"cannot import name '(\w+)' from partially initialized module '([\w.]+)'", execution.message)
    if match is None and (execution.error or not probe.name or "sys.path" in files["main.py"]):
        return
    path, line = (execution.path, execution.line) if match else (ASKING_PATH, probe.line)
    name, module = (match[1], match[2]) if match else (probe.name, probe.module)
    claim = Claim(ClaimFamily.CIRCULAR_IMPORT, path, line, "ImportError", "", module=module, name=name)
    modules = open_service_modules(FakeSourceTree(files), TracedFiles(path), "3.11")
    verdict = CircularJudge().judge(claim, modules)
    result = "right"
    if verdict.state is ClaimState.UNKNOWN:
        result = "unknown"
        comparison.reasons[f"order: {_generalize(verdict.reason)}"] += 1
    elif (verdict.state is ClaimState.FAILS) != bool(match) or (match and line not in verdict.lines):
        result = "wrong"
    comparison.add("circular, fails" if match else "circular, holds", result, f"{number} {claim} {verdict} {execution}")


def _generalize(reason: str) -> str:
    return re.sub(r"[\w/]+\.py|line \d+|(?<=binds )\w+|(?<=submodule )\w+", "…", reason)


def _may_not_run(text: str) -> bool:
    """Whether the statement may not have run: in a function, under a condition, or for an error that is caught."""
    undecided = ("NO_SUCH_THING", "__name__ == '__main__'", "len(sys.path)", "ModuleNotFoundError")
    return any(word in text for word in undecided) or ("def ask():" in text and not text.endswith("ask()\n"))


def _is_at(probe: ImportProbe, execution: Execution) -> bool:
    return execution.path == ASKING_PATH and execution.line == probe.line


def _fails_so(probe: ImportProbe, execution: Execution, *, strict: bool) -> bool:
    """Whether the start ended with the claimed error; not `strict`: with any failed import of that statement."""
    if not _is_at(probe, execution):
        return False
    if not strict:
        return execution.error in {"ImportError", "ModuleNotFoundError"} and "partially" not in execution.message
    expected = f"No module named '{probe.module}'"
    if probe.name:
        expected = f"cannot import name '{probe.name}' from '{probe.module}'"
    return execution.message.startswith(expected)


def _compare_bindings(
    number: int, service: GeneratedService, results: Sequence[Execution], comparison: Comparison
) -> None:
    """Each name of each module that was loaded in a start that came to its end."""
    finished = next(((probe, e) for probe, e in zip(service.probes, results, strict=True) if not e.error), None)
    if finished is None:
        return
    files = {**service.files, ASKING_PATH: finished[0].text}
    modules = open_service_modules(FakeSourceTree(files), TracedFiles(ASKING_PATH), "3.11")
    for path, names in finished[1].names.items():
        for name in NAMES if path in files and path != "main.py" else ():
            binding = find_binding(modules, path, name)
            is_bound, result = name in names, "right"
            if binding.state is BindingState.UNKNOWN:
                result = "unknown"
                comparison.reasons[_generalize(binding.reason)] += 1
            elif (binding.state is BindingState.BOUND) != is_bound:
                folder = path.removesuffix("/__init__.py")
                is_submodule = f"{folder}/{name}.py" in files or any(p.startswith(f"{folder}/{name}/") for p in files)
                result = "not asked" if is_bound and is_submodule else "wrong"
            comparison.add("binding", result, f"{number} {path} {name} {binding} {is_bound}")
