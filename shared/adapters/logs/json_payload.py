"""Converts the object that a service logged into one text: its message, its exceptions, its close codes.

A logger may put a traceback under any key, at any depth. One walk looks at all strings, as many and as deep as the
bounds allow; what is under a key of a conversation (a prompt, an answer) is a user's text and is left out, and so are
the variables of frames.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from shared.adapters.logs.json_exception import (
    CLASS_KEYS,
    STACK_KEYS,
    VALUE_KEYS,
    join_lines,
    render_exception,
    render_location,
    render_stack,
)
from shared.text.escaping import MAX_TEXT_LENGTH, truncate_middle

_MESSAGE_KEYS = ("message", "msg", "event", "text", "body", "log", "full_message", "short_message", "@message")
_ERROR_KEYS = frozenset(
    ("exc_info", "exc_text", "exception", "exceptions", "stack_trace", "stacktrace", "stackTrace", "stack", "traceback",
     "error", "errors", "err", "exc", "cause", "__cause__", "__context__", "inner", "values", "trace_chain")
)  # fmt: skip
_CAUSE_KEYS = ("cause", "__cause__", "__context__", "inner", "caused_by", "causedBy")
_FLAT_PREFIXES = frozenset(("exception", "error"))
_CODE_KEYS = ("code", "close_code", "closeCode", "ws_close_code", "websocket_close_code", "websocketCloseCode")
_CODE_CONTEXT_KEYS = ("type", "event", "message", "msg", "reason", "name", "action")
_EVENT_KEYS = ("event", "type", "event_type", "eventType", "name", "action", "message", "msg")
_DETAIL_KEYS = frozenset(
    ("details", "detail", "data", "payload", "info", "extra", "context", "attributes", "meta", "args")
)
_CLOSE_EVENT = re.compile(
    r"(?:web ?socket|ws|socket)[._:\-]{0,2}(?:clos(?:e|ed|ing)|disconnect(?:ed|ion)?)", re.IGNORECASE
)
_WORDS_OF_OTHERS = frozenset(
    ("provenfix", "prompt", "prompts", "completion", "completions", "question", "answer", "reply", "conversation",
     "history",
     "messages", "query", "input", "inputs", "output", "outputs", "arguments", "diff", "patch", "commit", "subject",
     "title", "review", "comment", "transcript", "chat", "choices", "user_message", "user_input", "question_text",
     "response", "response_body", "request", "request_body", "content", "snippet", "vars", "locals", "pre_context",
     "post_context", "context_line", "headers", "httpRequest", "form", "cookies", "params", "url", "user", "email",
     "labels", "resource")
)  # fmt: skip
"""Keys under which users, models and clients are quoted, and the variables of a frame."""
_SHOWS_FAILURE = re.compile(
    r"Traceback \(most recent call last|\bFile \\?\"[^\"\n]{1,300}\\?\", ?line \d"
    r"|(?<![A-Za-z])(?:Syntax|Indentation|Tab)Error|\.pyw?, line \d{1,9}\)|(?<!\d)1011(?!\d)"
    r"|\b[A-Z]\w{0,60}(?:Error|Exception)(?::|\(|$)|failed to (?:boot|start)|startup failed|called exit\("
)
_CHAIN = "\n\nThe above exception was the direct cause of the following exception:\n\n"
_MAX_OBJECTS = 2_000
_MAX_STRINGS = 4_000
_MAX_DEPTH = 16
_MAX_PIECES = 64
_MAX_CAUSES = 8
_MAX_EMBEDDED_LENGTH = 256 * 1024


@dataclass(slots=True)
class _Walk:
    """What is left of the bounds, and where the walk has been."""

    objects: int = _MAX_OBJECTS
    strings: int = _MAX_STRINGS
    characters: int = 2 * MAX_TEXT_LENGTH
    pieces: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        if text.strip() and len(self.pieces) < _MAX_PIECES and self.characters > 0:
            self.pieces.append(truncate_middle(text))
            self.characters -= len(text)


def read_payload(payload: Mapping[str, object]) -> Iterator[str]:
    """The pieces of the text, in the order in which they are to be read; the last exception is last."""
    walk = _Walk()
    for key in _MESSAGE_KEYS:
        walk.add(_read_embedded_text(payload.get(key), walk) or _format_value(payload.get(key)))
    _read_object(payload, walk, depth=0, key="")
    yield from walk.pieces


def _read_object(value: Mapping[str, object], walk: _Walk, *, depth: int, key: str, event: str = "") -> None:
    """One object and all in it; `event` is the close that the object around it names."""
    walk.objects -= 1
    if walk.objects < 0 or depth > _MAX_DEPTH or ("role" in value and ("content" in value or "parts" in value)):
        return
    value = _unflatten(value)
    is_error = key in _ERROR_KEYS
    shown = _render_chain(value, walk, is_error=is_error)
    walk.add(shown)
    _add_location(value, walk)
    done = {*CLASS_KEYS, *VALUE_KEYS, *_CAUSE_KEYS} if shown else set[str]()
    for name, member in value.items():
        is_message = not depth and name in _MESSAGE_KEYS and _format_value(member)
        if name not in done and name not in _WORDS_OF_OTHERS and not is_message:
            _read_member(name, member, walk, depth, _find_close_event(value) if name in _DETAIL_KEYS else "")
    _add_close_code(value, walk, depth=depth, key=event or key)


def _find_close_event(value: Mapping[str, object]) -> str:
    """`websocket.disconnect`, where an object says so in one word; its close code may be among its details."""
    named = (value.get(key) for key in _EVENT_KEYS)
    return next((name for name in named if isinstance(name, str) and _CLOSE_EVENT.fullmatch(name)), "")


def _read_member(name: str, member: object, walk: _Walk, depth: int, event: str = "") -> None:
    is_error = name in _ERROR_KEYS
    if isinstance(member, str):
        walk.strings -= 1
        if walk.strings >= 0 and (is_error or _SHOWS_FAILURE.search(member[:MAX_TEXT_LENGTH])):
            walk.add(_read_embedded_text(member, walk) or member)
    elif isinstance(member, Mapping):
        _read_object(member, walk, depth=depth + 1, key=name, event=event)
    elif isinstance(member, list) and member:
        _read_list(name, member, walk, depth)


def _read_list(name: str, items: list[object], walk: _Walk, depth: int) -> None:
    if depth >= _MAX_DEPTH:
        return
    if all(isinstance(item, str) for item in items[:3]):
        text = join_lines(items)
        if name in _ERROR_KEYS or _SHOWS_FAILURE.search(text[:MAX_TEXT_LENGTH]):
            walk.add(text)
        return
    frames = render_stack(items) if name in STACK_KEYS else ""
    if frames:
        walk.add(frames)
        return
    for item in reversed(items) if _is_newest_first(items) else items:
        if walk.objects <= 0 or walk.strings <= 0:
            return
        _read_member(name, item, walk, depth + 1)


def _is_newest_first(items: list[object]) -> bool:
    """structlog lists the exception before its cause; Python prints, and Sentry lists, the cause first."""
    return any(isinstance(item, Mapping) and "is_cause" in item for item in items[:2])


def _render_chain(error: Mapping[str, object], walk: _Walk, *, is_error: bool) -> str:
    """An exception behind its causes, as Python prints a chain."""
    chain: list[str] = []
    link: object = error
    while isinstance(link, Mapping) and len(chain) < _MAX_CAUSES:
        walk.objects -= 1
        shown = render_exception(link, is_known=is_error or bool(chain))
        if not shown:
            break
        chain.append(shown.rstrip("\n"))
        link = next((cause for key in _CAUSE_KEYS if isinstance(cause := link.get(key), Mapping)), None)
    return _CHAIN.join(reversed(chain))


def _add_location(value: Mapping[str, object], walk: _Walk) -> None:
    """Error Reporting's `context.reportLocation` beside a message that is the last line of a traceback."""
    context, message = value.get("context"), _format_value(value.get("message"))
    location = context.get("reportLocation") if isinstance(context, Mapping) else value.get("reportLocation")
    if isinstance(location, Mapping):
        walk.add(render_location(message[:MAX_TEXT_LENGTH], location))


def _add_close_code(value: Mapping[str, object], walk: _Walk, *, depth: int, key: str) -> None:
    """A close code in a field of its own; deeper, a plain `code` counts with the words that are beside it."""
    for name in _CODE_KEYS:
        if value.get(name) not in (1011, "1011") or isinstance(value.get(name), bool):
            continue
        if not depth or name != "code":
            walk.add(f"{name}=1011")
            continue
        words = [key, *(_format_value(value.get(word))[:100] for word in _CODE_CONTEXT_KEYS)]
        walk.add(" ".join([*filter(None, (word.partition("\n")[0].strip() for word in words)), "code=1011"]))


def _unflatten(value: Mapping[str, object]) -> Mapping[str, object]:
    """`exception.type` and `error.stack` as an object `exception` and `error`; a list of keys and values likewise."""
    grouped: dict[str, dict[str, object]] = {}
    for name, member in value.items():
        prefix, dot, rest_of_name = name.partition(".")
        if dot and prefix in _FLAT_PREFIXES:
            grouped.setdefault(prefix, {})[rest_of_name] = member
    attributes = value.get("attributes")
    if isinstance(attributes, list):
        grouped["attributes"] = {
            str(item["key"]): _read_attribute_value(item.get("value"))
            for item in attributes[:_MAX_OBJECTS]
            if isinstance(item, Mapping) and isinstance(item.get("key"), str)
        }
    if not grouped:
        return value
    rest = {name: member for name, member in value.items() if "." not in name or name.partition(".")[0] not in grouped}
    for prefix, members in grouped.items():
        own = rest.get(prefix)
        kept = own if isinstance(own, Mapping) else {"message": own} if isinstance(own, str) else {}
        rest[prefix] = {**kept, **members}
    return rest


def _read_attribute_value(value: object) -> object:
    """OpenTelemetry's `{"stringValue": …}`."""
    if not isinstance(value, Mapping):
        return value
    return value.get("stringValue", value.get("intValue"))


def _read_embedded_text(value: object, walk: _Walk) -> str:
    """The text of a JSON object that was logged as a string; "" where it is none."""
    if not isinstance(value, str) or len(value) > _MAX_EMBEDDED_LENGTH or walk.objects <= 0:
        return ""
    bare = value.strip()
    if not (bare.startswith("{") and bare.endswith("}") and '"' in bare):
        return ""
    try:
        embedded = json.loads(bare)
    except (ValueError, RecursionError):
        return ""
    inner = _Walk(walk.objects // 2, walk.strings // 2)
    for key in _MESSAGE_KEYS:
        inner.add(_format_value(embedded.get(key)))
    _read_object(embedded, inner, depth=_MAX_DEPTH // 2, key="")
    walk.objects -= _MAX_OBJECTS // 20
    return "\n".join(dict.fromkeys(inner.pieces))


def _format_value(value: object) -> str:
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value[:3]):
        return join_lines(value)
    return value if isinstance(value, str) else ""
