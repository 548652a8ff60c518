"""Asks the code host which commit a revision was deployed from, where the platform names none: a weaker source.

A record tells a commit and a time, and no revision. So it counts only where it was made shortly before the revision,
where all records of that time name one commit, and where no other watched service is deployed from the repository.
"""

from dataclasses import dataclass
from datetime import timedelta

from shared.errors import Reject
from shared.proposal.rollout import Revision
from shared.service import Service
from shared.text.phrases import join_words, quote_untrusted, short_sha
from shared.text.timestamps import format_rfc3339
from shared.workflow.context import Context

_LONGEST_DEPLOYMENT = timedelta(hours=2)
"""From the record, which a pipeline makes first, to the revision."""
_CLOCK_SKEW = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class RecordedCommit:
    """`commit` is "" where no record, or more than one, can be meant; `sentence` says which, "" for nothing."""

    commit: str = ""
    sentence: str = ""


def find_recorded_commit(context: Context, service: Service, made: Revision) -> RecordedCommit:
    """The commit that the records name for a revision. Raises Retry; a refusal becomes the sentence."""
    if not service.deployment_records:
        return RecordedCommit()
    others = [other.name for other in context.services.values() if _shares_records(service, other)]
    if others:
        names = join_words([quote_untrusted(name, 80) for name in others])
        return RecordedCommit(
            sentence=f"GitHub's deployments are not asked: {names} is deployed from the same repository."
        )
    since, until = made.created_at - _LONGEST_DEPLOYMENT, made.created_at + _CLOCK_SKEW
    try:
        records = context.deployment_records.list_successes(service, since, until)
    except Reject as refused:
        return RecordedCommit(sentence=f"Not seen: GitHub's deployments ({quote_untrusted(str(refused), 200)}).")
    commits = list(dict.fromkeys(record.commit for record in records))
    if len(commits) > 1:
        named = join_words([short_sha(commit) for commit in commits])
        return RecordedCommit(sentence=f"GitHub's deployments of that time name more than one commit: {named}.")
    if not commits:
        return RecordedCommit()
    first = records[-1]
    where = quote_untrusted(first.environment, 80)
    sentence = (
        f"GitHub's deployment {quote_untrusted(first.id, 40)} ({where}, {format_rfc3339(first.created_at)}) "
        f"names commit {commits[0]}; the platform names none."
    )
    return RecordedCommit(commits[0], sentence)


def _shares_records(service: Service, other: Service) -> bool:
    return other.id != service.id and other.repository.lower() == service.repository.lower()
