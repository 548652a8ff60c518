"""What of a logged error is believed: an incident and its proof in, the incident without unconfirmed words out.

Anybody can make a service log `SyntaxError: …` with words of their own. What the platform sets (revision, time, entry)
is believed as it is, and a path and a line are looked up. The words are believed where the compiler says the same of
the file; otherwise they are no evidence.
"""

import re
from dataclasses import replace

from shared.detection.incident import Incident, Sighting
from shared.detection.signal import SignalKind
from shared.proof.model.finding import Proof

_FIGURES = re.compile(r"\d+")
LEFT_OUT = "(The words of this entry are not what Python says of the file. They are left out.)"


def believed(incident: Incident, proof: Proof) -> Incident:
    """Only a syntax error names words that a compiler can confirm."""
    if incident.kind is not SignalKind.SYNTAX_ERROR:
        return incident
    return replace(incident, sightings=tuple(_believed(each, proof) for each in incident.sightings))


def _believed(sighting: Sighting, proof: Proof) -> Sighting:
    if proof.broken is None:
        return replace(sighting, message="")
    if _blurred(sighting.message) == _blurred(proof.broken.fault.message):
        return sighting
    return replace(sighting, message="", first=replace(sighting.first, text=LEFT_OUT))


def _blurred(message: str) -> str:
    """`detected at line 624` and `detected at line 676` are the same words about two versions of a file."""
    return _FIGURES.sub("0", message)
