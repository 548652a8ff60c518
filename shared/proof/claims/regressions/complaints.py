"""The messages that CPython would log for a failure that the code shows before it happens.

The inverse of `shared.proof.claims.calls.call_message` and of what `shared.proof.claims.read_claim` reads.
"""

from collections.abc import Sequence
from dataclasses import replace

from shared.proof.claims.calls.call_message import CallComplaint, ComplaintKind
from shared.proof.claims.claim import Claim, ClaimFamily


def format_call_complaint(complaint: CallComplaint) -> str:
    """The text of the `TypeError`."""
    start, names = f"{complaint.callee}()", complaint.names
    if complaint.kind is ComplaintKind.UNEXPECTED_KEYWORD:
        return f"{start} got an unexpected keyword argument '{names[0]}'"
    if complaint.kind is ComplaintKind.MULTIPLE_VALUES:
        return f"{start} got multiple values for argument '{names[0]}'"
    if complaint.kind is ComplaintKind.POSITIONAL_ONLY:
        listed = ", ".join(names)
        return f"{start} got some positional-only arguments passed as keyword arguments: '{listed}'"
    if complaint.kind is ComplaintKind.NO_ARGUMENTS:
        return f"{start} takes no arguments"
    if complaint.kind is ComplaintKind.TOO_MANY_POSITIONAL:
        return f"{start} {_format_count(complaint)}"
    kind = "positional" if complaint.kind is ComplaintKind.MISSING_POSITIONAL else "keyword-only"
    noun = "argument" if len(names) == 1 else "arguments"
    return f"{start} missing {len(names)} required {kind} {noun}: {_join_names(names)}"


def _format_count(complaint: CallComplaint) -> str:
    least, most, given = complaint.least, complaint.most, complaint.given
    span = f"from {least} to {most}" if least != most else f"{most}"
    takes = f"takes {span} positional argument{'' if (least, most) == (1, 1) else 's'} but {given}"
    keywords = complaint.given_keywords
    if keywords:
        extra = f"(and {keywords} keyword-only argument{'' if keywords == 1 else 's'})"
        return f"{takes} positional argument{'' if given == 1 else 's'} {extra} were given"
    return f"{takes} {'was' if given == 1 else 'were'} given"


def _join_names(names: Sequence[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    if len(quoted) < 3:
        return " and ".join(quoted)
    return f"{', '.join(quoted[:-1])}, and {quoted[-1]}"


def _format_start_complaint(claim: Claim) -> tuple[str, str]:
    """What Python raises where a module, a name in it or a file that a program starts is not there."""
    if claim.module and claim.name:
        return "AttributeError", f"module '{claim.module}' has no attribute '{claim.name}'"
    if claim.module:
        return "ModuleNotFoundError", f"No module named '{claim.module}'"
    return "FileNotFoundError", f"[Errno 2] No such file or directory: '{claim.name}'"


def add_message(claim: Claim, level: int = 0) -> Claim:
    """A claim with the class and the text that a log would show.

    `level`: the dots of a relative import. The module then is named as the statement names it: which package it is in
    depends on how the file is loaded.
    """
    error, message, module = claim.error_class, claim.message, "." * level + claim.module
    match claim.family:
        case ClaimFamily.IMPORT_NAME:
            error, message = "ImportError", f"cannot import name '{claim.name}' from '{module or '.'}'"
        case ClaimFamily.MODULE:
            error, message = "ModuleNotFoundError", f"No module named '{module}'"
        case ClaimFamily.CIRCULAR_IMPORT:
            source = f"cannot import name '{claim.name}' from partially initialized module '{claim.module}'"
            error, message = "ImportError", f"{source} (most likely due to a circular import)"
        case ClaimFamily.NAME:
            error, message = "NameError", f"name '{claim.name}' is not defined"
        case ClaimFamily.LOCAL_NAME:
            error = "UnboundLocalError"
            message = f"cannot access local variable '{claim.name}' where it is not associated with a value"
        case ClaimFamily.MODULE_ATTRIBUTE:
            error, message = "AttributeError", f"module '{claim.module}' has no attribute '{claim.name}'"
        case ClaimFamily.CLASS_ATTRIBUTE if not message:
            error, message = "AttributeError", f"'{claim.owner}' object has no attribute '{claim.name}'"
        case ClaimFamily.START_TARGET:
            error, message = _format_start_complaint(claim)
        case ClaimFamily.FILE if error == "FileNotFoundError":
            message = f"[Errno 2] No such file or directory: '{claim.name}'"
    return replace(claim, error_class=error, message=message)
