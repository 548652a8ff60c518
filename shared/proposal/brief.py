"""A report in the fewest words, for a person on call: one short phrase for each question.

Kept with the report as plain JSON; whatever shows it (chat, page) lays it out. All of it is redacted and of one line.
`build_brief` writes it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from shared.proof.model.recommendation import ActionKind


@dataclass(frozen=True, slots=True)
class Brief:
    """One phrase for each question at night; "" for what is not known."""

    title: str = ""
    """What fails, with how far it reaches: the title while a decision is awaited."""
    impact: str = ""
    """How far it reaches: `failing revision has 100 % of the traffic`, `logged 6 times`."""
    first_seen: str = ""
    """RFC 3339; "" where the log has no dates."""
    why: str = ""
    """The cause, in one sentence."""
    effect: str = ""
    """What the proposed commit does about it: `fixes it`."""
    subject: str = ""
    """The first line of its message."""
    ships: str = ""
    """What is deployed with it: `4 commits`, or what is lost."""
    checks: str = ""
    """What the code host says of the commit: `CI green`; "" where it is older than the break."""


NO_BRIEF = Brief()


def brief_to_document(brief: Brief) -> dict[str, object]:
    """As it is stored."""
    return asdict(brief)


def read_brief(document: Mapping[str, object]) -> Brief:
    """The reverse; what an older document lacks is ""."""
    values = {field.name: document.get(field.name) for field in fields(Brief)}
    return Brief(**{name: value for name, value in values.items() if isinstance(value, str)})


def describe_action(kind: ActionKind, commit: str) -> str:
    """What a click on the first button does, before its consequences: ``Deploy `8ae669ac4008` ``."""
    verb = {ActionKind.ROLLBACK: "Roll back to", ActionKind.TRIAL: "Try without traffic"}.get(kind, "Deploy")
    return f"{verb} `{commit[:12]}`"


def format_effect(brief: Brief) -> str:
    """`fixes it; 4 commits, CI unknown`."""
    shipped = ", ".join(part for part in (brief.ships, brief.checks) if part)
    return "; ".join(part for part in (brief.effect, shipped) if part)
