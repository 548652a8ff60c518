"""The whys of every shape of an incident as one text to be read by eye: each answer below the first shape with it."""

from collections.abc import Iterator

from tests.support.proof_samples import SHAPES, build_sample_report


def render_whys() -> str:
    """What is kept as `tests/golden/whys.md`."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    shown: set[tuple[str, str]] = set()
    for shape in SHAPES:
        new = [why for why in build_sample_report(shape).whys if (why.question, why.answer) not in shown]
        if new:
            yield f"## {shape}\n"
        for why in new:
            shown.add((why.question, why.answer))
            yield f"**{why.question}** {why.answer} ({why.confidence})\n"
