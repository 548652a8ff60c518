"""Facts about the commits: which one broke the file, what was tried, which one fixes it, what may be deployed.

Also what going back to an earlier commit takes out of service, as one phrase, and whether commits have an image, in
sentences for issue and message; both redacted, "" for nothing to say.
"""

from collections.abc import Callable, Iterator, Sequence

from shared.detection.incident import Incident
from shared.proof.model.finding import Attempt, Finding, Fix, IntroducingCommit, Rollback
from shared.proof.model.history import Commit, FileChange, quote_subject
from shared.proof.model.recommendation import ActionKind
from shared.proof.model.target import IMAGE_GATE, NO_IMAGE_NEEDED, ImageCheck, ImageStatus, Target
from shared.report.evidence import EvidenceKind, Fact, FactTopic
from shared.report.verdict_words import (
    describe_failing,
    describe_fixed,
    describe_introduced,
    describe_target_state,
    get_verdict_kind,
    is_broken_by_image,
)
from shared.text.phrases import join_first_words, join_words, pluralize, quote_untrusted, short_sha
from shared.text.timestamps import format_rfc3339

_MAX_ATTEMPTS = 100
_MAX_REJECTED_COMMITS = 20
_MAX_FILES = 10


def collect_fix_facts(incident: Incident, proof: Finding) -> Iterator[Fact]:
    del incident
    if proof.introduced is not None:
        yield from _collect_introduction_facts(proof, proof.introduced)
    if proof.broken is not None:
        yield from _collect_attempt_facts(proof, proof.broken.path)
        yield from _collect_fix_facts(proof, proof.fix) if proof.fix else _build_no_fix_fact(proof, proof.broken.path)
    if proof.rollback is not None:
        text = (
            f"{_format_commit(proof.rollback.commit)}: no file of the incident "
            "is broken there; it is older than the break."
        )
        yield Fact(FactTopic.ROLLBACK, get_verdict_kind(proof), proof.rollback.commit.id, text)
    if proof.target is not None:
        yield from _collect_target_facts(proof, proof.target)
    for refused in proof.refused_commits[:_MAX_REJECTED_COMMITS]:
        text = (
            f"{_format_commit(refused.commit)} was not chosen ({quote_untrusted(refused.gate)}): "
            f"{quote_untrusted(refused.detail)}."
        )
        yield Fact(FactTopic.REFUSED, EvidenceKind.CHECK, refused.commit.id, text)


def describe_shipped_files(ships: tuple[FileChange, ...]) -> str:
    """`2 files changed, 10 lines added, 3 deleted`; lines that were not counted are said, not taken for none."""
    files = f"{pluralize(len(ships), 'file')} changed"
    lines = [(file.added, file.deleted) for file in ships if file.added is not None and file.deleted is not None]
    if ships and not lines:
        return f"{files}, line counts unavailable"
    added, deleted = (sum(counts) for counts in zip(*lines, strict=True)) if lines else (0, 0)
    text = f"{files}, {pluralize(added, 'line')} added, {deleted} deleted"
    return text if len(lines) == len(ships) else f"{text}, not counted in {len(ships) - len(lines)} of them"


def describe_fix_location(fix: Fix, branch: str) -> str:
    """Where the fix is, as the end of a sentence that began with `it is`."""
    if fix.where == "merged":
        return f"merged into {quote_untrusted(branch)}" if branch else "merged"
    ref = f" ({quote_untrusted(fix.ref)})" if fix.ref else ""
    if fix.where == "open_pull_request":
        number = f" {fix.pull_request}" if fix.pull_request is not None else ""
        return f"in open pull request{number}{ref}, not merged"
    return f"on the unmerged branch {quote_untrusted(fix.ref)}" if fix.ref else "on a branch that is not merged"


def _format_commit(commit: Commit) -> str:
    return (
        f"{commit.id} {quote_subject(commit)} by {quote_untrusted(commit.author, 80)}, "
        f"committed {format_rfc3339(commit.committed_at)}"
    )


def _collect_introduction_facts(proof: Finding, introduced: IntroducingCommit) -> Iterator[Fact]:
    commit = introduced.commit
    merge = f"; a merge of {len(commit.parents)} parents" if len(commit.parents) > 1 else ""
    yield Fact(FactTopic.INTRODUCED, EvidenceKind.COMMIT, commit.id, f"{_format_commit(commit)}{merge}.")
    path = quote_untrusted(introduced.path)
    before = "It did not exist before" if introduced.was_added_broken else "It did not fail before"
    state = describe_introduced(proof, introduced)
    text = f"{path} {describe_failing(proof)} at {commit.id}: {state}. {before}."
    if is_broken_by_image(proof):
        text = f"At {commit.id} {state}. {before}."
    yield Fact(FactTopic.INTRODUCED, get_verdict_kind(proof), f"{commit.id}:{path}", text)


def _collect_attempt_facts(proof: Finding, path: str) -> Iterator[Fact]:
    count = pluralize(len(proof.attempts), "later version")
    way = "to compile" if proof.claim is None else proof.claim.how_it_fails
    text = (
        f"{count} of {quote_untrusted(path)} after the break still fail{'s' if len(proof.attempts) == 1 else ''} {way}."
    )
    start = proof.introduced.commit.id if proof.introduced else ""
    yield Fact(FactTopic.ATTEMPTS, EvidenceKind.QUERY, f"{start}..{proof.branch_head} -- {quote_untrusted(path)}", text)
    for attempt in proof.attempts[:_MAX_ATTEMPTS]:
        ref = f"{attempt.commit.id}:{quote_untrusted(path)}"
        yield Fact(
            FactTopic.ATTEMPT,
            get_verdict_kind(proof),
            ref,
            f"{_format_commit(attempt.commit)}: {describe_errors_left(attempt)}.",
        )


def describe_errors_left(attempt: Attempt) -> str:
    """`6 errors are left, the first on line 624`."""
    verb = "is" if attempt.errors_left == 1 else "are"
    first = f", the first on line {attempt.first_line}" if attempt.first_line is not None else ""
    return f"{pluralize(attempt.errors_left, 'error')} {verb} left{first}"


def _collect_fix_facts(proof: Finding, fix: Fix) -> Iterator[Fact]:
    commit = fix.commit
    yield Fact(
        FactTopic.FIX,
        EvidenceKind.COMMIT,
        commit.id,
        f"{_format_commit(commit)}; it is {describe_fix_location(fix, proof.branch)}.",
    )
    broken = proof.broken.path if proof.broken else ""
    if fix.is_deletion:
        text = f"{quote_untrusted(broken)} no longer exists at {commit.id}."
    else:
        path = quote_untrusted(fix.path or broken)
        moved = f" (before: {quote_untrusted(broken)})" if fix.path and fix.path != broken else ""
        text = f"{path}{moved} compiles at {commit.id} on Python {proof.deployed.python}."
        if proof.claim is not None or fix.python_change is not None:
            text = f"At {commit.id} {describe_fixed(proof)}."
    yield Fact(FactTopic.FIX, get_verdict_kind(proof), f"{commit.id}:{quote_untrusted(fix.path or broken)}", text)
    if proof.deployed.commit is not None and fix.where == "merged":
        deployed = proof.deployed.commit.id
        text = f"{commit.id} descends from the deployed commit {deployed}, which does not contain it."
        yield Fact(FactTopic.NOT_DEPLOYED, EvidenceKind.QUERY, f"{deployed}..{commit.id}", text)


def _build_no_fix_fact(proof: Finding, path: str) -> Iterator[Fact]:
    start = proof.deployed.commit.id if proof.deployed.commit else ""
    head = f" (head {proof.branch_head})" if proof.branch_head else ""
    text = (
        f"No fix was found on {quote_untrusted(proof.branch) or 'the branch'}{head}: "
        f"{quote_untrusted(proof.recommendation.detail, 500)}"
    )
    yield Fact(FactTopic.NO_FIX, EvidenceKind.QUERY, f"{start}..{proof.branch_head} -- {quote_untrusted(path)}", text)


def _collect_target_facts(proof: Finding, target: Target) -> Iterator[Fact]:
    commit = target.commit
    later = pluralize(target.commits_after_deployed, "commit")
    text = (
        f"{_format_commit(commit)}, {later} after the deployed one: {describe_target_state(proof)}, "
        f"{pluralize(len(target.newly_broken), 'file')} newly broken, checks {target.checks.value}."
    )
    yield Fact(FactTopic.TARGET, EvidenceKind.CHECK, commit.id, text)
    if proof.deployed.commit is not None and proof.recommendation.kind is ActionKind.REDEPLOY:
        shown = [quote_untrusted(change.path) for change in target.shipped_changes[: _MAX_FILES + 1]]
        files = f": {join_first_words(shown, _MAX_FILES)}" if shown else ""
        ref = f"{proof.deployed.commit.id}..{commit.id}"
        yield Fact(
            FactTopic.SHIPS, EvidenceKind.QUERY, ref, f"Ships {describe_shipped_files(target.shipped_changes)}{files}."
        )


UNKNOWN_LOSS = "loses all commits merged since then"
_MAX_SUBJECT_LENGTH, _MAX_START_LENGTH = 60, 36
_MAX_SUMMARISED = 3


def describe_lost_commits(rollback: Rollback, limit: int) -> str:
    """`loses 3 commits: f086836883ab (“refactor: …”), …`, the newest first; at most `limit` are named."""
    return _describe_loss(rollback.lost_commits, limit, _describe_with_id)


def summarise_lost_commits(rollback: Rollback) -> str:
    """The same without ids, short enough for a confirmation: `loses 3 commits: “refactor: …”, …`."""
    return _describe_loss(rollback.lost_commits, _MAX_SUMMARISED, _quote_start)


def _describe_with_id(commit: Commit) -> str:
    return f"{short_sha(commit.id)} (“{quote_untrusted(commit.subject, _MAX_SUBJECT_LENGTH)}”)"


def _quote_start(commit: Commit) -> str:
    return f"“{quote_untrusted(commit.subject, _MAX_START_LENGTH)}”"


def _describe_loss(lost: Sequence[Commit], limit: int, describe: Callable[[Commit], str]) -> str:
    if not lost:
        return UNKNOWN_LOSS
    named = [describe(commit) for commit in lost[:limit]]
    more = [f"{len(lost) - limit} more"] if len(lost) > limit else []
    return f"loses {pluralize(len(lost), 'commit')}: {join_words([*named, *more])}"


_MAX_DETAIL_LENGTH = 200


def describe_images(proof: Finding) -> str:
    """What an approver should know: that nobody could see an image, and which newer commit has none."""
    return " ".join(_list_sentences(proof))


def _list_sentences(proof: Finding) -> Iterator[str]:
    image, newer = _find_image(proof), _list_newer_without_image(proof)
    if image.status is ImageStatus.UNKNOWN:
        why = quote_untrusted(image.detail, _MAX_DETAIL_LENGTH)
        yield f"It is not known whether an image of this commit was built: {why}. Without one nothing is deployed."
    if newer:
        others = f", and {pluralize(len(newer) - 1, 'other newer commit')}" if len(newer) > 1 else ""
        which = f"{short_sha(newer[0].id)} ({quote_subject(newer[0])}){others}"
        yield f"No image was built of {which}, which otherwise would be proposed."


def _list_newer_without_image(proof: Finding) -> Sequence[Commit]:
    """Those above the recommended commit that pass every gate and have no image, newest first."""
    if proof.recommendation.kind is ActionKind.NONE:
        return ()
    if proof.recommendation.kind is ActionKind.ROLLBACK:
        return proof.rollback.newer_without_image if proof.rollback is not None else ()
    target = proof.trial_candidate.target if proof.trial_candidate is not None else proof.target
    refused = target.refused_commits if target is not None else ()
    return [entry.commit for entry in refused if entry.gate == IMAGE_GATE]


def _find_image(proof: Finding) -> ImageCheck:
    if proof.recommendation.kind is ActionKind.ROLLBACK:
        return proof.rollback.image if proof.rollback is not None else NO_IMAGE_NEEDED
    if proof.recommendation.kind is ActionKind.NONE:
        return NO_IMAGE_NEEDED
    target = proof.trial_candidate.target if proof.trial_candidate is not None else proof.target
    return target.image if target is not None else NO_IMAGE_NEEDED
