"""Renders the incident's module in each of its versions; they differ in its last seven handlers.

The arithmetic that makes the incident: a fixed handler has 13 lines, so the first broken `yield` is on line 611 where
all seven are broken, on 624 where the first is fixed, on 676 where the first five are.
"""

from enum import StrEnum

EVENT_TOPICS = (
    *("plan", "tool", "search", "draft", "review", "file", "memory", "budget", "vote"),
    *("shell", "fetch", "image", "table", "summary", "citation", "handoff", "approval", "answer"),
)
EVENT_MOMENTS = {"started": "has begun", "progress": "has moved on", "finished": "is done"}
HANDLER_NAMES = tuple((topic, moment) for topic in EVENT_TOPICS for moment in EVENT_MOMENTS)
CHANGED_HANDLERS = 7
"""How many handlers, counted from the end, the incident is about."""


class Flavour(StrEnum):
    """What kind of break the history carries."""

    FSTRING = "fstring"
    """A line break in the replacement field of a single-quoted f-string: rejected up to 3.11, legal since 3.12."""
    EVERYWHERE = "everywhere"
    """A string without its closing quote: rejected by every Python."""


class HandlerForm(StrEnum):
    """How one handler is written."""

    PLAIN = "plain"
    BROKEN = "broken"
    FIXED = "mended"
    FRAMED = "framed"


_HEADER = '''\
"""Streams what an agent does to the browser: one server-sent event for each step that it takes.

Each handler turns one kind of step into `data: {...}` frames; the socket in main.py passes them on as they come.
The names of the events are a contract with the browser: they are never renamed, only added to.
A handler takes the whole run and picks its own steps, so that two of them never share a cursor.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import AsyncIterator


@dataclass
class Step:
    """One thing that the agent did, as the queue delivers it."""

    topic: str
    moment: str
    detail: str
    tokens: int = 0


@dataclass
class Run:
    """One question of one person, and the steps taken for it so far."""

    id: str
    steps: list[Step] = field(default_factory=list)
    sent: int = 0

    def of(self, topic: str, moment: str) -> list[Step]:
        return [step for step in self.steps if (step.topic, step.moment) == (topic, moment)]

    @property
    def tokens(self) -> int:
        return sum(step.tokens for step in self.steps)


# Keep the handlers in the order of TOPICS in docs/events.md: the browser relies on it.


'''

_OPENING = '''\
async def {topic}_{moment}(run: Run) -> AsyncIterator[str]:
    """Tells the browser that the {topic} {phrase}."""
    for step in run.of("{topic}", "{moment}"):
'''

_BODIES = {
    HandlerForm.PLAIN: """\
        event = {
            "kind": "@kind@",
            "detail": step.detail,
            "tokens": step.tokens,
        }
        run.sent += 1
        yield f"data: {json.dumps(event)}\\n\\n"
""",
    HandlerForm.FIXED: """\
        event = json.dumps({
            "kind": "@kind@",
            "run": run.id,
            "detail": step.detail,
            "tokens": step.tokens,
        })
        yield f"data: {event}\\n\\n"
        run.sent += 1
""",
    HandlerForm.FRAMED: """\
        event = {
            "kind": "@kind@",
            "run": run.id,
            "detail": step.detail,
            "tokens": step.tokens,
        }
        yield frame(event)
        run.sent += 1
""",
}

_BREAKS = {
    Flavour.FSTRING: """\
        yield f"data: {json.dumps({
            'kind': '@kind@',
            'run': run.id,
            'detail': step.detail,
            'tokens': step.tokens,
        })}\\n\\n"
        run.sent += 1
""",
    Flavour.EVERYWHERE: """\
        yield "data: " + json.dumps({"kind": "@kind@", "run": run.id}) + "\\n\\n
        run.sent += 1
""",
}

_FRAME = '''\
def frame(event: dict[str, object]) -> str:
    """One server-sent event."""
    return "data: " + json.dumps(event) + "\\n\\n"


'''

_STREAM = '''\
async def stream(run: Run) -> AsyncIterator[str]:
    """All frames of a run, handler by handler."""
    for handler in HANDLERS:
        async for text in handler(run):
            yield text
'''

_HEARTBEAT = '''

def heartbeat(run: Run) -> str:
    """A comment line, so that proxies keep a quiet stream open."""
    return f": {run.id} {run.sent} events, {run.tokens} tokens\\n\\n"
'''


def render_module(forms: tuple[HandlerForm, ...], flavour: Flavour, *, heartbeat: bool = False) -> str:
    """The text of agents_execute.py; `forms` are those of the last `CHANGED_HANDLERS` handlers, in order."""
    plain = (HandlerForm.PLAIN,) * (len(HANDLER_NAMES) - CHANGED_HANDLERS)
    handlers = "\n\n".join(
        _render_handler(*name, form, flavour) for name, form in zip(HANDLER_NAMES, plain + forms, strict=True)
    )
    frame = _FRAME if HandlerForm.FRAMED in forms else ""
    return f"{_HEADER}{handlers}\n\n{frame}{_render_handler_table()}\n\n{_STREAM}{_HEARTBEAT if heartbeat else ''}"


def _render_handler(topic: str, moment: str, form: HandlerForm, flavour: Flavour) -> str:
    body = _BREAKS[flavour] if form is HandlerForm.BROKEN else _BODIES[form]
    opening = _OPENING.format(topic=topic, moment=moment, phrase=EVENT_MOMENTS[moment])
    return opening + body.replace("@kind@", f"{topic}.{moment}")


def _render_handler_table() -> str:
    rows = (", ".join(f"{topic}_{moment}" for moment in EVENT_MOMENTS) for topic in EVENT_TOPICS)
    return "HANDLERS = (\n" + "".join(f"    *({row}),\n" for row in rows) + ")\n"
