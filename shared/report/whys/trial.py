"""Why a commit is tried, or is proposed after a trial, although no compiler proves anything about it."""

from shared.proof.model.finding import Finding
from shared.proof.model.recommendation import ActionKind
from shared.report.evidence import Facts, FactTopic
from shared.report.facts.unproven import describe_candidate, describe_experiment
from shared.report.whys.why import Confidence, WhyDraft, WhyKey


def explain_trial(proof: Finding, facts: Facts) -> WhyDraft | None:
    """None where nothing is tried, and nothing was."""
    candidate = proof.trial_candidate
    if candidate is None or proof.recommendation.kind is ActionKind.NONE:
        return None
    cited = facts.evidence_ids(FactTopic.TARGET, FactTopic.TRIAL_CANDIDATE, FactTopic.EXPERIMENT)
    if proof.experiment is not None:
        answer = (
            f"{next(describe_experiment(proof.experiment))} That proves that this commit holds where the serving "
            "revision fails, not which of its changes does it."
        )
        return WhyDraft(WhyKey.NO_COMMIT, "Why is this commit proposed?", answer, Confidence.OBSERVED, cited)
    answer = (
        f"Nothing is proven: no compiler shows this failure. A possible fix is {describe_candidate(candidate)}. "
        "Whether it holds is found out by an experiment."
    )
    return WhyDraft(WhyKey.NO_COMMIT, "Why is only a trial proposed?", answer, Confidence.INFERRED, cited)
