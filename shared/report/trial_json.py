"""Renders what can be tried, and what a trial has proven, as the JSON of a report."""

from collections.abc import Callable

from shared.proof.model.finding import Finding
from shared.proof.model.target import Target
from shared.proof.model.trial import Experiment
from shared.text.timestamps import format_rfc3339


def trial_to_json(proof: Finding, target_to_json: Callable[[Target], object]) -> dict[str, object] | None:
    """None where there is nothing to try. `experiment` is None until a trial has proven the commit."""
    candidate = proof.trial_candidate
    if candidate is None:
        return None
    return {
        "commit": candidate.target.commit.id,
        "possible_fix": candidate.possible_fix.id,
        "subject": candidate.possible_fix.subject,
        "reason": candidate.reason,
        "target": target_to_json(candidate.target),
        "proven": proof.experiment is not None,
        "experiment": _experiment_to_json(proof.experiment) if proof.experiment else None,
    }


def _experiment_to_json(experiment: Experiment) -> dict[str, object]:
    return {
        "serving_revision": experiment.serving_revision,
        "tried_revision": experiment.tried_revision,
        "rounds": [
            {"at": format_rfc3339(seen.at), "serving": seen.serving, "tried": seen.tried} for seen in experiment.rounds
        ],
    }
