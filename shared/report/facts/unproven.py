"""Facts and sentences about what is not proven: suspected changes, and what can be tried or was tried.

No sentence about a suspected change says more: none speaks of a proof, of a fix that holds, or of something to deploy.
"""

from collections.abc import Iterator

from shared.detection.incident import Incident
from shared.proof.model.finding import Finding
from shared.proof.model.history import Commit, describe_commit
from shared.proof.model.recommendation import ActionKind
from shared.proof.model.suspected_change import SuspectedChange, SuspectedChanges
from shared.proof.model.target import Experiment, TrialCandidate
from shared.report.evidence import Evidence, EvidenceKind, Fact, FactTopic
from shared.text.phrases import pluralize, quote_untrusted, short_sha
from shared.text.timestamps import format_timestamp

_SUSPECTED_END = ". Suspected."
SUSPECTED_INTRODUCED = "May have introduced it, likeliest first"
SUSPECTED_FIXES = "Later changes of the same code on the branch, which may end it"


def collect_suspected_facts(incident: Incident, proof: Finding) -> Iterator[Fact]:
    """One for the deployed state that the frames fit, and one for each change."""
    del incident
    suspected = proof.suspected
    if suspected.deployed is None or not suspected.changes:
        return
    text = describe_compared_frames(suspected, suspected.deployed)
    yield Fact(FactTopic.COMPARED_FRAMES, EvidenceKind.FILE, suspected.deployed.id, text)
    for change in suspected.changes:
        text = f"{describe_commit(change.commit)}: {change.reason} ({quote_untrusted(change.path, 120)})"
        yield Fact(FactTopic.SUSPECTED, EvidenceKind.COMMIT, change.commit.id, text + _SUSPECTED_END)


def is_suspected_fact(item: Evidence) -> bool:
    """Whether an item of evidence is one of a suspected change."""
    return item.kind is EvidenceKind.COMMIT and item.text.endswith(_SUSPECTED_END)


def describe_compared_frames(suspected: SuspectedChanges, deployed: Commit) -> str:
    """How the deployed state is known."""
    frames = pluralize(suspected.frames_compared, "frame")
    others = len([commit for commit in suspected.candidates if commit != deployed.id])
    source = "the commit that is named as deployed" if suspected.is_given else "inferred from the frames alone"
    more = f"; the files of {pluralize(others, 'other commit')} fit as well" if others else ""
    return (
        f"The exception's {frames} in files of the repository {'fits' if suspected.frames_compared == 1 else 'fit'} "
        f"the files at {short_sha(deployed.id)} ({source}{more})."
    )


def describe_suspected_change(change: SuspectedChange) -> str:
    """The commit, why it is suspected, and where: a sentence without its full stop."""
    return f"{describe_commit(change.commit)}: {change.reason} ({quote_untrusted(change.path, 120)})"


def describe_likeliest_change(suspected: SuspectedChanges) -> str:
    """The first suspect, and the first later change that may end it; "" where there is neither."""
    named = [describe_suspected_change(change) for change in suspected.introduced[:1]]
    later = [describe_suspected_change(change) for change in suspected.possible_fixes[:1]]
    sentences = [f"{words}." for words in named] + [f"Later on the branch, and may end it: {words}." for words in later]
    return " ".join([*sentences, _UNCHECKED]) if sentences else ""


_UNCHECKED = "Nothing was run or compiled to check this."


def list_suspected_lines(suspected: SuspectedChanges) -> Iterator[str]:
    """All of it as lines of plain text; nothing where nothing is suspected."""
    if suspected.deployed is None or not suspected.changes:
        return
    yield describe_compared_frames(suspected, suspected.deployed)
    for title, changes in ((SUSPECTED_INTRODUCED, suspected.introduced), (SUSPECTED_FIXES, suspected.possible_fixes)):
        if changes:
            yield f"{title}:"
        yield from (f"{change.rank}. {describe_suspected_change(change)}." for change in changes)


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
