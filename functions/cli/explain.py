"""`provenfix explain REASON`: says what a reason of a decision means and what to do; without one it lists all."""

import difflib
from typing import Annotated

import typer

from functions.cli import reasons
from shared.errors import UsageError


def explain(
    reason: Annotated[
        str | None,
        typer.Argument(
            metavar="REASON",
            help="As a report names it, such as fix_merged_not_deployed.",
            autocompletion=lambda: sorted(reasons.EXPLANATIONS),
        ),
    ] = None,
) -> int:
    """Explain the reason of a decision, and what to do.

    Without REASON it lists all of them.
    """
    if reason is None:
        width = max(map(len, reasons.EXPLANATIONS))
        for name, explanation in sorted(reasons.EXPLANATIONS.items()):
            print(f"{name:<{width}}  {explanation.meaning}")
        return 0
    explanation_of_reason = reasons.EXPLANATIONS.get(reason)
    if explanation_of_reason is None:
        near = difflib.get_close_matches(reason, reasons.EXPLANATIONS, 1)
        hint = f"did you mean {near[0]}?" if near else "run `provenfix explain` to list all"
        raise UsageError(f"No such reason: {reason!r}; {hint}")
    print(f"{reason}\n{explanation_of_reason.meaning}\n{explanation_of_reason.advice}")
    return 0
