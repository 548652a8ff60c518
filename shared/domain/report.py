"""The report: everything about one incident; JSON, terminal text and issue body are drawn from it."""

from dataclasses import dataclass

from shared.domain.evidence import Evidence
from shared.domain.finding import Proof
from shared.domain.incident import Incident
from shared.domain.whys import Why

SCHEMA = "provenfix.report/1"


@dataclass(frozen=True, slots=True)
class Report:
    incident: Incident
    proof: Proof
    whys: tuple[Why, ...]
    evidence: tuple[Evidence, ...]
