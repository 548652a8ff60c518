"""What a proof needed and this copy of the repository did not show: a history in, a sentence for each thing out."""

from shared.proof.model.ports import History


def describe_gaps(history: History, *, needs_full_history: bool) -> tuple[str, ...]:
    """`at_boundary`: whether the answer hangs on what came before the oldest commits of a shallow copy."""
    cut = history.shallow_boundary()
    if not needs_full_history or not cut:
        return tuple(history.describe_gaps())
    shallow = f"The repository is a shallow copy: what came before {len(cut)} of its commits is not in it."
    return (shallow, *history.describe_gaps())
