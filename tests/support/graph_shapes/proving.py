"""Proves a shape of history: what each shape asserts on, and the table of all shapes."""

from collections.abc import Callable

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.detection.incident import Incident
from shared.proof.model.finding import Finding
from shared.proof.proof_context import ProofRequest
from tests.support.history_builder import (
    HistoryBuilder,
    make_incident,
    make_sighting,
    prove_incident,
    running_python,
)

Shape = Callable[[HistoryBuilder, LocalCompilers], None]
SHAPES: dict[str, Shape] = {}
"""Each shape by its name."""


def shape(function: Shape) -> Shape:
    SHAPES[function.__name__] = function
    return function


def prove_break(
    story: HistoryBuilder, compilers: LocalCompilers, line: int = 5, deployed: str | None = None
) -> Finding:
    """The proof for `app.py` failing on `line`, with the deployed commit given or to be inferred."""
    request = ProofRequest(deployed=story.ids[deployed] if deployed else None, fallback_python=running_python())
    return prove_incident(story.path, make_incident("/srv/app.py", make_sighting(line)), compilers, request)


def prove_break_of(logged: str, story: HistoryBuilder, compilers: LocalCompilers, deployed: str) -> Finding:
    """The proof for a file of another name that fails on line 5."""
    request = ProofRequest(deployed=story.ids[deployed], fallback_python=running_python())
    return prove_incident(story.path, make_incident(logged, make_sighting(5)), compilers, request)


def introducing_subject(proof: Finding) -> str | None:
    return proof.introduced.commit.subject if proof.introduced else None


def fix_subject(proof: Finding) -> str | None:
    return proof.fix.commit.subject if proof.fix else None


def target_subject(proof: Finding) -> str | None:
    return proof.target.commit.subject if proof.target else None


def prove_shape(
    story: HistoryBuilder, failing: Incident, compilers: LocalCompilers, request: ProofRequest | None = None
) -> Finding:
    """The proof of one incident against the story's repository; `prove_incident` of this module can be replaced."""
    return prove_incident(story.path, failing, compilers, request)
