"""Words for what a proof says of a file: of its compilation, or of the claim that a traceback makes about its code."""

from shared.proof.model.finding import Finding, IntroducingCommit, PythonChange
from shared.report.evidence import EvidenceKind
from shared.text.phrases import pluralize, quote_untrusted

_MAX_REASON = 300


def get_verdict_kind(proof: Finding) -> EvidenceKind:
    """What kind of evidence a verdict is."""
    return EvidenceKind.COMPILE if proof.claim is None else EvidenceKind.CODE


def describe_failing(proof: Finding) -> str:
    """`fails to compile`, as the verb of a sentence about the file."""
    return "fails to compile" if proof.claim is None else f"fails {proof.claim.how_it_fails}"


def describe_still_failing(proof: Finding) -> str:
    """The same for several versions: `still fail to compile`."""
    return "still fail to compile" if proof.claim is None else f"still fail {proof.claim.how_it_fails}"


def is_broken_by_image(proof: Finding) -> bool:
    """Whether the introducing commit wrote a line that keeps a file out of the image."""
    return proof.claim is not None and proof.introduced is not None and not proof.introduced.path.endswith(".py")


def describe_introduced(proof: Finding, introduced: IntroducingCommit) -> str:
    """What the introducing commit left: `7 errors, the first on line 611`, or the line that keeps a file out."""
    if proof.claim is not None and proof.claim.is_start and introduced.path == proof.claim.path:
        missing = quote_untrusted(proof.claim.missing_target, 120)
        return f"line {introduced.first_line} of {quote_untrusted(introduced.path)} starts what is not there: {missing}"
    if is_broken_by_image(proof) and proof.claim is not None:
        kept_out = quote_untrusted(proof.claim.module or proof.claim.name, 120)
        return f"line {introduced.first_line} of {quote_untrusted(introduced.path)} keeps {kept_out} out of the image"
    first = f", the first on line {introduced.first_line}" if introduced.first_line is not None else ""
    return f"{pluralize(introduced.errors, 'error')}{first}{_describe_older_image(introduced.python_change)}"


def _describe_older_image(change: PythonChange | None) -> str:
    if change is None:
        return ""
    source = quote_untrusted(change.source)
    return f" on Python {change.after} ({source}); its image had Python {change.before} before"


def describe_fixed(proof: Finding) -> str:
    """What is so at the fix, as a main clause: `the file compiles on Python 3.11`."""
    if proof.claim is not None:
        reason = quote_untrusted(proof.claim.fixed_reason, _MAX_REASON)
        return f"the failure cannot happen: {reason}" if reason else "the failure cannot happen"
    change = proof.fix.python_change if proof.fix is not None else None
    if change is not None:
        source = quote_untrusted(change.source)
        return f"the file compiles on Python {change.after}, the version of that commit's own image ({source})"
    return f"the file compiles on Python {proof.deployed.python}" if proof.deployed.python else "the file compiles"


def describe_target_state(proof: Finding) -> str:
    """What every proposed commit has passed, as a main clause."""
    if proof.claim is not None:
        return "the failure cannot happen there, every file that the service loads compiles"
    return "every file of the incident compiles there"


def describe_checker(proof: Finding) -> str:
    """Who decided: `compiled with cpython-3.11.7`."""
    checked_by = quote_untrusted(proof.broken.checked_by) if proof.broken is not None else ""
    return f"compiled with {checked_by}" if proof.claim is None else f"decided by {checked_by}"


def describe_corroboration(proof: Finding) -> str:
    """How the deployed commit was checked: `corroborated by compiling it`."""
    if not proof.deployed.corroborated:
        return "not corroborated"
    if proof.claim is None:
        return "corroborated by compiling it"
    if proof.claim.is_witnessed_by_log:
        return "its code has the lines that the log quotes"
    if proof.claim.is_start:
        return "corroborated by its start command, which names what its image lacks"
    line = "that line" if proof.claim.is_found_early else "the logged line"
    return f"corroborated by its code, which fails on {line}"
