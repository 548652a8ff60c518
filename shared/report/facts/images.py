"""Describes whether commits have an image: sentences for issue and message, redacted, "" for nothing to say."""

from collections.abc import Iterator, Sequence

from shared.proof.model.finding import Finding
from shared.proof.model.history import Commit, quote_subject
from shared.proof.model.recommendation import ActionKind
from shared.proof.model.target import IMAGE_GATE, NO_IMAGE_NEEDED, ImageCheck, ImageStatus
from shared.text.phrases import pluralize, quote_untrusted, short_sha

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
