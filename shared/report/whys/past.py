"""What the history says: which commit broke the file, why later ones did not end it, which one mends it."""

from collections.abc import Sequence

from shared.proof.model.commit_words import claims_fix, named
from shared.proof.model.finding import Attempt, Broken, Fix, Proof
from shared.report.facts import Facts, Topic
from shared.report.facts.mended import errors_left, place_of
from shared.report.whys.why import Confidence, Draft, Key, Statement
from shared.text.phrases import pluralize, quote_untrusted, short_sha

_MOST_ATTEMPTS = 5


def introduced(proof: Proof, facts: Facts) -> Draft:
    """The commit after which the file no longer compiled."""
    question = "Which change brought the error in?"
    if proof.introduced is None:
        answer = "It is not known: the commit that broke the file was not found in the history that could be read."
        answer += _unseen(proof)
        return Draft(Key.INTRODUCED, question, answer, Confidence.UNKNOWN, facts.ids(Topic.UNSEEN))
    found = proof.introduced
    first = f", the first on line {found.first_line}" if found.first_line is not None else ""
    answer = f"Commit {named(found.commit)}. After it {quote_untrusted(found.path)} has {pluralize(found.errors, 'error')}{first}; "
    states: tuple[Statement, ...] = ()
    if found.arrived:
        states = (Statement.ARRIVED_BROKEN,)
        answer += "the file came with this commit and never compiled before it was mended."
    elif len(found.commit.parents) > 1:
        states = (Statement.MERGED_BROKEN,)
        answer += "it is a merge, and the error arose where the histories were joined."
    else:
        answer += "before it the file did not fail."
    return Draft(Key.INTRODUCED, question, answer, Confidence.PROVEN, facts.ids(Topic.INTRODUCED), states)


def not_ended(proof: Proof, broken: Broken, facts: Facts) -> Draft:
    """Later versions that still fail, with the errors that each one left."""
    question = "Why did later changes not end it?"
    if not proof.attempts:
        answer = f"No attempt was seen: {pluralize(0, 'later version')} of {quote_untrusted(broken.path)} still fail to compile."
        return Draft(Key.NOT_ENDED, question, answer, Confidence.INFERRED, facts.ids(Topic.ATTEMPTS))
    one = len(proof.attempts) == 1
    told = [_attempt(attempt, proof) for attempt in telling(proof.attempts)]
    versions = f"{pluralize(len(proof.attempts), 'later version')} of the file still fail{'s' if one else ''}"
    answer = (
        f"{versions}: {'; '.join(told)}. "
        "Python logs only the first error of a file, so a change that only moves it can look like progress."
    )
    cited = facts.ids(Topic.ATTEMPTS, Topic.ATTEMPT, Topic.DEPLOYED)
    return Draft(Key.NOT_ENDED, question, answer, Confidence.PROVEN, cited, _states(proof))


def mended(proof: Proof, facts: Facts) -> Draft:
    """The fix and where it is; without one, what there is instead."""
    if proof.fix is not None:
        return _mended(proof, proof.fix, facts)
    question = "Why is there no fix to deploy?"
    answer = quote_untrusted(proof.recommendation.detail, 500)
    if proof.rollback is not None:
        answer += f" {named(proof.rollback.commit)} predates the break: to go back to it is a rollback, not a fix."
    return Draft(Key.NO_FIX, question, answer, Confidence.PROVEN, facts.ids(Topic.NO_FIX, Topic.ROLLBACK))


def _attempt(attempt: Attempt, proof: Proof) -> str:
    claim = "its subject says fix, " if claims_fix(attempt.commit) else ""
    deployed = " (this is the deployed one)" if _is_deployed(attempt, proof) else ""
    return f"{named(attempt.commit)}: {claim}{errors_left(attempt)}{deployed}"


def _is_deployed(attempt: Attempt, proof: Proof) -> bool:
    return proof.deployed.commit is not None and proof.deployed.commit.id == attempt.commit.id


def _states(proof: Proof) -> tuple[Statement, ...]:
    shown = telling(proof.attempts)
    claims = (Statement.CLAIMS_FIX,) if any(claims_fix(attempt.commit) for attempt in shown) else ()
    deployed = any(_is_deployed(attempt, proof) for attempt in shown)
    return (*claims, Statement.DEPLOYED_AMONG_THEM) if deployed else claims


def telling(attempts: Sequence[Attempt]) -> Sequence[Attempt]:
    """All where they are few, else those that claim to be a fix and the last one, in their order."""
    if len(attempts) <= _MOST_ATTEMPTS:
        return attempts
    claiming = [attempt for attempt in attempts if claims_fix(attempt.commit)][: _MOST_ATTEMPTS - 1]
    return [*(attempt for attempt in claiming if attempt != attempts[-1]), attempts[-1]]


def _mended(proof: Proof, fix: Fix, facts: Facts) -> Draft:
    deployed = f"the deployed commit {short_sha(proof.deployed.commit.id)}" if proof.deployed.commit else "the deployed one"
    merged = fix.where == "merged"
    question = "Why does it still fail, although a fix exists?" if merged else "Why is the fix not ready to deploy?"
    if not merged:
        python = f" on Python {proof.deployed.python}" if proof.deployed.python else ""
        answer = f"The file compiles{python} at {named(fix.commit)}, which is {place_of(fix, proof.branch)}."
        return Draft(Key.NOT_READY, question, answer, Confidence.PROVEN, facts.ids(Topic.DEPLOYED, Topic.FIX))
    answer = (
        f"Commit {named(fix.commit)} is the first after {deployed} {_how(proof, fix)}. It is "
        f"{place_of(fix, proof.branch)}, and what is deployed does not contain it."
    )
    states = (Statement.FILE_DELETED,) if fix.deleted else ()
    if not claims_fix(fix.commit):
        states = (*states, Statement.CLAIMS_NO_FIX)
        answer += " Its subject does not say that it mends anything, so the messages alone do not lead to it."
    cited = facts.ids(Topic.DEPLOYED, Topic.FIX, Topic.NOT_DEPLOYED)
    return Draft(Key.NOT_DEPLOYED, question, answer, Confidence.PROVEN, cited, states)


def _how(proof: Proof, fix: Fix) -> str:
    broken = proof.broken.path if proof.broken else ""
    if fix.deleted:
        return f"without {quote_untrusted(broken)}: the file is not there any more"
    python = f" on Python {proof.deployed.python}" if proof.deployed.python else ""
    if fix.path and fix.path != broken:
        return f"where the file compiles{python}; it is now {quote_untrusted(fix.path)}"
    return f"where the file compiles{python}"


def _unseen(proof: Proof) -> str:
    return f" {quote_untrusted(proof.unseen[0])}" if proof.unseen else ""
