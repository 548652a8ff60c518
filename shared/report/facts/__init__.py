"""An incident and its proof come in, numbered evidence goes out: one fact for everything that a report may say."""

from shared.detection.incident import Incident
from shared.proof.model.finding import Proof
from shared.report.facts.fact import Fact, Facts, Topic, numbered
from shared.report.facts.failing import failing
from shared.report.facts.loading import loading
from shared.report.facts.logged import logged
from shared.report.facts.mended import mended
from shared.report.facts.prevention import prevention

__all__ = ["Fact", "Facts", "Topic", "gather"]


def gather(incident: Incident, proof: Proof) -> Facts:
    """All facts, in the order in which a report tells them: logged, failing, mended, why it was not caught."""
    parts = (failing, loading, mended, prevention)
    return numbered((*logged(incident, proof.frame), *(fact for part in parts for fact in part(incident, proof))))
