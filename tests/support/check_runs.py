"""The check runs of a code host that keeps what is written, and finds it at once."""
# ruff: noqa: ARG002  # a port's method takes what the real one needs

from dataclasses import dataclass, field

from shared.pushes import CheckRun
from shared.service import Service
from tests.support.memory import ClaimGuard


@dataclass
class FakeCheckRuns:
    """Implements `shared.pushes.CheckRunWriter`."""

    runs: list[CheckRun] = field(default_factory=list)
    merge_bases: dict[tuple[str, str], str] = field(default_factory=dict)
    is_app: bool = True
    require_claim: ClaimGuard = field(default_factory=lambda: ClaimGuard(strict=True))

    def is_available(self) -> bool:
        return self.is_app

    def find_run(self, service: Service, run: CheckRun) -> str | None:
        known = [(kept.commit, kept.name, kept.external_id) for kept in self.runs]
        return "https://code.invalid/checks" if (run.commit, run.name, run.external_id) in known else None

    def create_run(self, service: Service, run: CheckRun) -> str:
        self.require_claim("write a check run")
        self.runs.append(run)
        return "https://code.invalid/checks"

    def find_merge_base(self, service: Service, base: str, head: str) -> str | None:
        return self.merge_bases.get((base, head))
