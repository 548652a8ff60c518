"""What can be tried where nothing is proven, and what a trial has seen, round by round."""

from collections.abc import Iterator

from shared.detection.incident import Incident
from shared.proof.model.finding import Finding
from shared.proof.model.history import describe_commit
from shared.proof.model.recommendation import ActionKind
from shared.proof.model.trial import Experiment, TrialCandidate
from shared.report.evidence import EvidenceKind, Fact, FactTopic
from shared.text.phrases import pluralize, quote_untrusted, short_sha
from shared.text.timestamps import format_timestamp


def collect_trial_facts(_: Incident, proof: Finding) -> Iterator[Fact]:
    """Nothing where no trial is asked for and none has proven anything."""
    candidate = proof.trial_candidate
    if candidate is None or proof.recommendation.kind is ActionKind.NONE:
        return
    yield Fact(
        FactTopic.TRIAL_CANDIDATE,
        EvidenceKind.COMMIT,
        candidate.possible_fix.id,
        f"Possible fix {describe_candidate(candidate)}. Suspected.",
    )
    if proof.experiment is not None:
        for text in list(describe_experiment(proof.experiment))[1:]:
            yield Fact(FactTopic.EXPERIMENT, EvidenceKind.PROBE, proof.experiment.tried_revision, text)


def describe_candidate(candidate: TrialCandidate) -> str:
    """Why the commit is worth a trial: a clause that claims nothing more."""
    reason = quote_untrusted(candidate.reason, 300)
    return f"{describe_commit(candidate.possible_fix)}: {reason}"


def describe_experiment(experiment: Experiment) -> Iterator[str]:
    """One sentence for the trial as a whole, then one for each round."""
    serving, tried = quote_untrusted(experiment.serving_revision, 80), quote_untrusted(experiment.tried_revision, 80)
    yield (
        f"Revision {tried}, which runs {short_sha(experiment.commit)} without traffic, held "
        f"{pluralize(len(experiment.rounds), 'time')}, while the serving revision {serving} failed each time under the "
        "same probe."
    )
    for number, seen in enumerate(experiment.rounds, 1):
        at = format_timestamp(seen.at, dated=True)
        yield (
            f"Round {number} at {at}: {serving} (serving) {quote_untrusted(seen.serving, 160)}; {tried} (without "
            f"traffic) {quote_untrusted(seen.tried, 160)}."
        )
