"""A type checker that reports what a test says, and counts what it is asked."""

from collections.abc import Mapping, Sequence

from shared.proof.model.checker_report import CheckerDiagnostic, CheckerReport


class FakeTypeChecker:
    """Implements `shared.proof.claims.ports.TypeChecker`. Without `is_installed` it gives no answer."""

    checked_by = "fake-1.0"

    def __init__(self, diagnostics: Sequence[CheckerDiagnostic] = (), *, is_installed: bool = True) -> None:
        self.diagnostics = diagnostics
        self.is_installed = is_installed
        self.asked: list[tuple[Mapping[str, bytes], str, Sequence[str], Sequence[str]]] = []

    def check(
        self, files: Mapping[str, bytes], python: str, roots: Sequence[str], judged: Sequence[str]
    ) -> CheckerReport:
        self.asked.append((files, python, roots, judged))
        if not self.is_installed:
            return CheckerReport(self.checked_by, failure_reason="it is not installed")
        return CheckerReport(self.checked_by, self.diagnostics, frozenset(judged))
