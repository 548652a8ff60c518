"""What the history says: which commit broke the file, why later ones did not end it, which one mends it."""

from collections.abc import Sequence

from shared.proof.model.commit_words import claims_fix, describe_commit
from shared.proof.model.finding import Attempt, BrokenFile, Fix, Finding
from shared.report.facts import Facts, FactTopic
from shared.report.facts.mended import describe_errors_left, describe_fix_location
from shared.report.whys.why import Confidence, WhyDraft, WhyKey, Statement
from shared.text.phrases import pluralize, quote_untrusted, short_sha

_MAX_ATTEMPTS = 5


def explain_introduction(proof: Finding, facts: Facts) -> WhyDraft:
    """The commit after which the file no longer compiled."""
    question = "Which change brought the error in?"
    if proof.introduced is None:
        answer = "It is not known: the commit that broke the file was not found in the history that could be read."
        answer += _unseen_phrase(proof)
        return WhyDraft(WhyKey.INTRODUCED, question, answer, Confidence.UNKNOWN, facts.evidence_ids(FactTopic.UNSEEN))
    found = proof.introduced
    first = f", the first on line {found.first_line}" if found.first_line is not None else ""
    answer = f"Commit {describe_commit(found.commit)}. After it {quote_untrusted(found.path)} has {pluralize(found.errors, 'error')}{first}; "
    states: tuple[Statement, ...] = ()
    if found.was_added_broken:
        states = (Statement.ARRIVED_BROKEN,)
        answer += "the file came with this commit and never compiled before it was mended."
    elif len(found.commit.parents) > 1:
        states = (Statement.MERGED_BROKEN,)
        answer += "it is a merge, and the error arose where the histories were joined."
    else:
        answer += "before it the file did not fail."
    return WhyDraft(WhyKey.INTRODUCED, question, answer, Confidence.PROVEN, facts.evidence_ids(FactTopic.INTRODUCED), states)


def explain_attempts(proof: Finding, broken: BrokenFile, facts: Facts) -> WhyDraft:
    """Later versions that still fail, with the errors that each one left."""
    question = "Why did later changes not end it?"
    if not proof.attempts:
        answer = f"No attempt was seen: {pluralize(0, 'later version')} of {quote_untrusted(broken.path)} still fail to compile."
        return WhyDraft(WhyKey.NOT_ENDED, question, answer, Confidence.INFERRED, facts.evidence_ids(FactTopic.ATTEMPTS))
    one = len(proof.attempts) == 1
    told = [_describe_attempt(attempt, proof) for attempt in select_notable_attempts(proof.attempts)]
    versions = f"{pluralize(len(proof.attempts), 'later version')} of the file still fail{'s' if one else ''}"
    answer = (
        f"{versions}: {'; '.join(told)}. "
        "Python logs only the first error of a file, so a change that only moves it can look like progress."
    )
    cited = facts.evidence_ids(FactTopic.ATTEMPTS, FactTopic.ATTEMPT, FactTopic.DEPLOYED)
    return WhyDraft(WhyKey.NOT_ENDED, question, answer, Confidence.PROVEN, cited, _attempt_statements(proof))


def explain_fix(proof: Finding, facts: Facts) -> WhyDraft:
    """The fix and where it is; without one, what there is instead."""
    if proof.fix is not None:
        return _explain_existing_fix(proof, proof.fix, facts)
    question = "Why is there no fix to deploy?"
    answer = quote_untrusted(proof.recommendation.detail, 500)
    if proof.rollback is not None:
        answer += f" {describe_commit(proof.rollback.commit)} predates the break: to go back to it is a rollback, not a fix."
    return WhyDraft(WhyKey.NO_FIX, question, answer, Confidence.PROVEN, facts.evidence_ids(FactTopic.NO_FIX, FactTopic.ROLLBACK))


def _describe_attempt(attempt: Attempt, proof: Finding) -> str:
    claim = "its subject says fix, " if claims_fix(attempt.commit) else ""
    deployed = " (this is the deployed one)" if _is_deployed(attempt, proof) else ""
    return f"{describe_commit(attempt.commit)}: {claim}{describe_errors_left(attempt)}{deployed}"


def _is_deployed(attempt: Attempt, proof: Finding) -> bool:
    return proof.deployed.commit is not None and proof.deployed.commit.id == attempt.commit.id


def _attempt_statements(proof: Finding) -> tuple[Statement, ...]:
    shown = select_notable_attempts(proof.attempts)
    claims = (Statement.CLAIMS_FIX,) if any(claims_fix(attempt.commit) for attempt in shown) else ()
    deployed = any(_is_deployed(attempt, proof) for attempt in shown)
    return (*claims, Statement.DEPLOYED_AMONG_THEM) if deployed else claims


def select_notable_attempts(attempts: Sequence[Attempt]) -> Sequence[Attempt]:
    """All where they are few, else those that claim to be a fix and the last one, in their order."""
    if len(attempts) <= _MAX_ATTEMPTS:
        return attempts
    claiming = [attempt for attempt in attempts if claims_fix(attempt.commit)][: _MAX_ATTEMPTS - 1]
    return [*(attempt for attempt in claiming if attempt != attempts[-1]), attempts[-1]]


def _explain_existing_fix(proof: Finding, fix: Fix, facts: Facts) -> WhyDraft:
    deployed = f"the deployed commit {short_sha(proof.deployed.commit.id)}" if proof.deployed.commit else "the deployed one"
    merged = fix.where == "merged"
    question = "Why does it still fail, although a fix exists?" if merged else "Why is the fix not ready to deploy?"
    if not merged:
        python = f" on Python {proof.deployed.python}" if proof.deployed.python else ""
        answer = f"The file compiles{python} at {describe_commit(fix.commit)}, which is {describe_fix_location(fix, proof.branch)}."
        return WhyDraft(WhyKey.NOT_READY, question, answer, Confidence.PROVEN, facts.evidence_ids(FactTopic.DEPLOYED, FactTopic.FIX))
    answer = (
        f"Commit {describe_commit(fix.commit)} is the first after {deployed} {_describe_fixed_file(proof, fix)}. It is "
        f"{describe_fix_location(fix, proof.branch)}, and what is deployed does not contain it."
    )
    states = (Statement.FILE_DELETED,) if fix.is_deletion else ()
    if not claims_fix(fix.commit):
        states = (*states, Statement.CLAIMS_NO_FIX)
        answer += " Its subject does not say that it mends anything, so the messages alone do not lead to it."
    cited = facts.evidence_ids(FactTopic.DEPLOYED, FactTopic.FIX, FactTopic.NOT_DEPLOYED)
    return WhyDraft(WhyKey.NOT_DEPLOYED, question, answer, Confidence.PROVEN, cited, states)


def _describe_fixed_file(proof: Finding, fix: Fix) -> str:
    broken = proof.broken.path if proof.broken else ""
    if fix.is_deletion:
        return f"without {quote_untrusted(broken)}: the file is not there any more"
    python = f" on Python {proof.deployed.python}" if proof.deployed.python else ""
    if fix.path and fix.path != broken:
        return f"where the file compiles{python}; it is now {quote_untrusted(fix.path)}"
    return f"where the file compiles{python}"


def _unseen_phrase(proof: Finding) -> str:
    return f" {quote_untrusted(proof.gaps[0])}" if proof.gaps else ""
