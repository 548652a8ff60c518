"""The stored trials: what is tried, and what every round of it saw. One document for each proposal of a trial."""

from dataclasses import dataclass, replace

from shared.errors import Reject
from shared.ports import Document
from shared.proof.model.target import Experiment, ExperimentRound, TrialCandidate
from shared.proposal.trial import TrialRound, TrialVerdict, judge_trial
from shared.text.phrases import quote_untrusted
from shared.workflow.context import Context
from shared.workflow.records.documents import Collection

KIND = "trials"
_MAX_SHIPPED_FILES = 1_000
"""Of a candidate that is stored: a document may have a million characters."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial, from its question on."""

    proposal: str
    candidate: TrialCandidate
    serving: str
    """The revision that served when it was asked for, and with which the tried one is compared."""
    revision: str = ""
    """The tried revision; "" until there is one."""
    rounds: tuple[TrialRound, ...] = ()

    @property
    def commit(self) -> str:
        """What is tried."""
        return self.candidate.target.commit.id

    @property
    def verdict(self) -> TrialVerdict:
        """By all rounds so far."""
        return judge_trial(self.rounds)

    @property
    def experiment(self) -> Experiment:
        """The trial as a report shows it; only a proven one counts."""
        rounds = tuple(
            ExperimentRound(
                entry.at, quote_untrusted(entry.serving.detail, 160), quote_untrusted(entry.tried.detail, 160)
            )
            for entry in self.rounds
        )
        return Experiment(self.commit, self.serving, self.revision, rounds)


TRIALS = Collection(KIND, Trial)
_CANDIDATES = Collection("trial_candidates", TrialCandidate)
"""Only the form in which evidence holds one."""


def candidate_to_document(candidate: TrialCandidate) -> Document:
    """As evidence holds it."""
    target = replace(candidate.target, shipped_changes=candidate.target.shipped_changes[:_MAX_SHIPPED_FILES])
    return _CANDIDATES.encode("", replace(candidate, target=target))


def create_trial(context: Context, proposal: str, candidate: Document, serving: str) -> None:
    """Stores what a proposal is about to try; where it is stored already, that stays."""
    TRIALS.create(context.store, proposal, Trial(proposal, _CANDIDATES.decode(candidate), serving))


def load_trial(context: Context, proposal: str) -> Trial | None:
    """The trial of a proposal; None where that is none, and for ""."""
    return TRIALS.read(context.store, proposal) if proposal else None


def add_round(context: Context, trial: Trial, revision: str, seen: TrialRound) -> Trial:
    """The trial with one more round, unless a parallel worker has added one: two ticks of one minute are one round."""

    def with_round(now: Trial | None) -> Trial:
        if now is None:
            raise Reject("unknown_trial", trial.proposal)
        if len(now.rounds) != len(trial.rounds):
            return now
        return replace(now, revision=revision, rounds=(*now.rounds, seen))

    return TRIALS.change(context.store, trial.proposal, with_round)
