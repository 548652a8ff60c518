"""An incident and its proof come in, numbered evidence goes out: one fact for everything that a report may say."""

from shared.domain.facts.fact import Fact, Facts, Topic, numbered
from shared.domain.facts.failing import failing
from shared.domain.facts.loading import loading
from shared.domain.facts.logged import logged
from shared.domain.facts.mended import mended
from shared.domain.facts.prevention import prevention
from shared.domain.finding import Proof
from shared.domain.incident import Incident

__all__ = ["Fact", "Facts", "Topic", "gather"]


def gather(incident: Incident, proof: Proof) -> Facts:
    """All facts, in the order in which a report tells them: logged, failing, mended, why it was not caught."""
    parts = (failing, loading, mended, prevention)
    return numbered((*logged(incident, proof.frame), *(fact for part in parts for fact in part(incident, proof))))
