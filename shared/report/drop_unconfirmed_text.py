"""Drops those words of a logged error that the compiler does not confirm.

Anybody can make a service log `SyntaxError: …` with words of their own. What the platform sets (revision, time, entry)
is believed as it is, and a path and a line are looked up. The words are believed where the compiler says the same of
the file; otherwise they are no evidence.
"""

import re
from dataclasses import replace

from shared.detection.incident import Incident, Sighting
from shared.detection.signal import SignalKind
from shared.proof.model.finding import Finding

_NUMBERS = re.compile(r"\d+")
OMITTED_TEXT = "(Text of this entry omitted: it does not match Python's own error for the file.)"


def drop_unconfirmed_text(incident: Incident, proof: Finding) -> Incident:
    """Only a syntax error names words that a compiler can confirm."""
    if incident.kind is not SignalKind.SYNTAX_ERROR:
        return incident
    return replace(incident, sightings=tuple(_drop_from_sighting(sighting, proof) for sighting in incident.sightings))


def _drop_from_sighting(sighting: Sighting, proof: Finding) -> Sighting:
    if proof.broken is None:
        return replace(sighting, message="")
    if _mask_numbers(sighting.message) == _mask_numbers(proof.broken.fault.message):
        return sighting
    return replace(sighting, message="", first=replace(sighting.first, text=OMITTED_TEXT))


def _mask_numbers(message: str) -> str:
    """`detected at line 624` and `detected at line 676` are the same words about two versions of a file."""
    return _NUMBERS.sub("0", message)
