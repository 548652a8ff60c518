"""Finds a WebSocket close with code 1011 in a text without colours, with or without a keepalive timeout as its reason.

The number alone proves nothing: it may be a port, a microsecond, a count, a part of a UUID. It counts where the words
around it say that a connection was closed with it (RFC 6455, 7.4.1).
"""

import re
from enum import StrEnum

_CLOSE_CODE = "1011"
_CODE_NAMES = ("CloseCode.INTERNAL_ERROR", "WS_1011_INTERNAL_ERROR")
"""What websockets and aiohttp call it, and Starlette, where the number itself is not printed."""
_MAX_CANDIDATES = 200
_CHARACTERS_BEFORE = 100
_CHARACTERS_AFTER = 300

_SENT_OR_RECEIVED = re.compile(r"\b(?:received|receive|recv|rcvd|sent|sending|CLOSE) {1,3}$", re.IGNORECASE)
_CODE_WORD = re.compile(
    r"(?P<what>[A-Za-z]{1,20}[ _-]?)?(?<![A-Za-z])code(?:\\?[\"'])?(?: {0,3}(?:[=:]|is|was) {0,3}| {1,3}|\()[\"'(]?$",
    re.IGNORECASE,
)
_ENUM = re.compile(r"\b(?:WS)?CloseCode\.[A-Za-z_]{1,40}: ?$")
"""`<CloseCode.INTERNAL_ERROR: 1011>`, as the enumerations of websockets and aiohttp are printed."""
_CLOSE_MESSAGE = re.compile(
    r"\bWSMsgType\.CLOSE\w{0,8}[^\n]{0,20}\bdata=$|\bweb ?socket error:? ?[\[(]?$", re.IGNORECASE
)
_STATUS_CODE = re.compile(r"\bstatusCode(?:\\?[\"'])? {0,3}[=:] {0,3}[\"']?$")
_NO_REASON = re.compile(r" {1,2}None(?=[.,;:)\]'\"]|$| \{|\n)")
_NO_STATUS = re.compile(r" {1,2}None\b")
_CLOSED_CLIENT = re.compile(
    r"\bAPIError\b[^\n]{0,20}$|ConnectionClosed|\b(?:clos|disconnect|web ?socket|session)", re.IGNORECASE
)
_UPSTREAM_ERROR = re.compile(r"\bAPIError: {0,2}$")
"""The error of a client of another service's API: its socket was closed by the other end."""
_PROCESS_ENDED = re.compile(r"\b(?:exit(?:ed|s|ing)?|terminated|died|killed|quit)\b[^,;\n]{0,24}$", re.IGNORECASE)
_OF_PROXY = re.compile(r"cloudflare|access denied|\bray id\b|\bbanned\b", re.IGNORECASE)
"""What surrounds `error code: 1011` of a proxy in front of the service."""
_QUOTED_KEY = re.compile(r"[\"']code\\?[\"'] {0,3}: {0,3}[\"']?$")
_NAMED_CLOSE = re.compile(
    r"\b(?:clos(?:e|ed|ing|ure)|disconnect(?:ed|ing)?|code|reason|data)(?: (?:by|on|the|a|an|of|from|its|\w{0,20}socket"
    r"|connection|session|client|handler|server)){0,4}[ :=(]{1,3}(?:with |by |code |status )?(?:code ?[=:]? ?)?<?"
    r"(?:status\.)?(?:WS)?$",
    re.IGNORECASE,
)
_CALL_IN_SOURCE = re.compile(r"\w\.close\(|\bawait \w|\bimport\b")
_CAMEL_CODE = re.compile(r"\b(?:close|disconnect|ws|websocket)Code(?:\\?[\"'])? {0,3}[=:]? {0,3}[\"']?$", re.IGNORECASE)
_CLOSED_WITH = re.compile(
    r"\b(?:(?:on)?clos(?:e|ed|ing|ure)|disconnect(?:ed|ing|ion)?)\b(?: (?:with|by|status|code|frame|reason|the|socket|"
    r"connection|websocket)){0,4}[ :=(]{1,3}$",
    re.IGNORECASE,
)
_MEANING = re.compile(
    r"[,:]? {0,2}[\"'(]{0,2}(?:internal(?: server)?[ _]?error|unexpected (?:error|condition)|server error"
    r"|keepalive ping|ping timeout)",
    re.IGNORECASE,
)
_END_OF_CODE = re.compile(
    r" {0,2}(?:$|[;,.)\"'\]\n]|\((?:internal|unexpected|server)|then\b|after\b|and\b|no close|keepalive"
    r"|- (?!\d))",
    re.IGNORECASE,
)
_QUANTITY = re.compile(
    r" ?(?:[kKMG]?i?[bB](?:ytes?)?\b|m?s\b|sec|min|req|mess|msg|row|item|event|packet|time|token|char|%"
    r"|EUR\b|USD\b|GBP\b|CHF\b|JPY\b|euros?\b|dollars?\b|pounds?\b|francs?\b|[€$£])"
)
_WEBSOCKET_WORD = re.compile(r"web ?socket|\bwss?\b|ConnectionClosed", re.IGNORECASE)
_CLOSING_WORD = re.compile(
    r"clos(?:e|ed|ing|ure)\b|(?<!http\.)disconnect|ConnectionClosed|dropp(?:ed|ing) connection", re.IGNORECASE
)
_KEEPALIVE = re.compile(
    r"keep-?alive (?:ping )?time-?d?\s?out|ping time-?d?\s?out|timed out waiting for (?:keepalive )?pong", re.IGNORECASE
)
_RECEIVED = re.compile(r"\b(?:received|receive|recv|rcvd) {1,3}$", re.IGNORECASE)
_RECEIVED_FRAME = re.compile(
    r"\b(?:received|got) (?:a )?close frame(?: with| from \S{1,100})?(?: status)?(?: code)? ?[:=]? ?$", re.IGNORECASE
)
_SENT_FIRST = re.compile(r"\b(?:sent|sending) {1,3}$", re.IGNORECASE)
_THEN_SENT = re.compile(r"\bthen sent\b|\bno close frame sent\b", re.IGNORECASE)
_THEN_RECEIVED = re.compile(r"\bthen received\b|\bno close frame received\b", re.IGNORECASE)
_OWN_CODES = frozenset(
    ("", "close", "closed", "closing", "closure", "ws", "websocket", "socket", "disconnect", "disconnected")
)
"""Words that make a `code` that of a connection; after any other (`exit code`, `with code`) the line must say more."""
_GENERAL_WORDS = frozenset(
    ("a", "an", "and", "as", "because", "by", "error", "had", "has", "in", "its", "reason", "response", "result",
     "return", "returned", "status", "that", "the", "their", "this", "to", "was", "whose", "with", "without")
)  # fmt: skip
"""Words before a `code` that may be a connection's also where its closing is named only after it."""
_OTHER_CODES = frozenset(
    ("access", "activation", "airport", "area", "bar", "booking", "branch", "color", "colour", "confirmation",
     "country", "coupon", "currency", "department", "dial", "discount", "exit", "gift", "invite", "item", "order",
     "pin", "post", "postal", "product", "promo", "promotion", "qr", "referral", "security", "sort", "tax", "ticket",
     "tracking", "verification", "voucher", "zip")
)  # fmt: skip
"""Words that make a `code` that of something else, whatever was closed beside it."""
_COUNTED_NOUN_BEFORE = re.compile(
    r"(?:\b(?:(?:account|contract|deal|invoice|issue|loan|order|poll|position|(?:pull|merge) request|ticket|trade)s?"
    r"|alerts|calls|cases|channels|clients|connections|emails|events|files|frames|incidents|items|jobs|messages"
    r"|packets|peers|records|requests|rows|sessions|sockets|streams|tabs|tasks|users|windows)"
    r"(?: (?:have|has|had|were|was|are|is|been|now|just|already|so|far|today)){0,3}"
    r" (?:closed|closing|disconnected|received|sent)(?: (?:so far|today|now)){0,1}"
    r"|\bopen(?:ed)? ?[:=] ?\d{1,9}[,;|/ ]{1,3}(?:and )?closed) {0,2}[:=]? {0,2}$",
    re.IGNORECASE,
)
"""What is closed or sent by the number: `tickets closed: `, `open=4 closed=`."""
_BARE_CODE = re.compile(
    r"(?:connectionclosed\w{0,8}|websocket(?:disconnect|close)\w{0,10}|\bdisconnect(?:ed|ing|ion)?|\bclos(?:e|ed|ing|ure)"
    r"|\berror|\breason|\bevent|\bwith|\b(?:unexpected|abnormal|clean|sudden)ly"
    r"|\bby (?:the )?(?:server|client|peer|handler|remote|host|proxy|app|application|upstream|backend|service|us"
    r"|other (?:end|side)))[:=,;\-]{0,1} {0,2}[(\[]?[\"']?$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"\b(?:connection|socket|websocket) {1,3}$", re.IGNORECASE)
"""Connections that have a number: `closing connection 1011`."""


class CloseKind(StrEnum):
    INTERNAL_ERROR = "internal_error"
    """The text does not say which end closed first."""
    LOCAL_END = "ours"
    """This end sent the code first."""
    REMOTE_END = "other_end"
    """This end received the code and answered it: what failed there is not in this log."""
    KEEPALIVE = "keepalive"
    """The other end did not answer a ping in time: a blocked loop or a slow network."""
    EXCEPTION = "exception"
    """The server's own exception ended the connection; no close code was logged."""


def detect_close_1011(text: str) -> CloseKind | None:
    """What the text says of a connection closed with 1011; a keepalive timeout anywhere beside it wins."""
    kind = CloseKind.INTERNAL_ERROR if _names_internal_error(text) else None
    at = text.find(_CLOSE_CODE)
    for _ in range(_MAX_CANDIDATES):
        if at < 0:
            break
        if _is_close_code(text, at):
            around = text[max(0, at - _CHARACTERS_AFTER) : at + _CHARACTERS_AFTER]
            if _KEEPALIVE.search(around):
                return CloseKind.KEEPALIVE
            kind = kind or _close_direction(text, at)
        at = text.find(_CLOSE_CODE, at + len(_CLOSE_CODE))
    return kind


def _close_direction(text: str, at: int) -> CloseKind:
    """`received 1011 …; then sent …` is how websockets says that the other end closed first."""
    before, after = text[max(0, at - _CHARACTERS_BEFORE) : at], text[at : at + _CHARACTERS_AFTER].partition("\n")[0]
    if _UPSTREAM_ERROR.search(before):
        return CloseKind.REMOTE_END
    if (_RECEIVED.search(before) and _THEN_SENT.search(after)) or _RECEIVED_FRAME.search(before):
        return CloseKind.REMOTE_END
    if _SENT_FIRST.search(before) and _THEN_RECEIVED.search(after):
        return CloseKind.LOCAL_END
    return CloseKind.INTERNAL_ERROR


def may_show_close_code(text: str) -> bool:
    """False where `detect_close_1011` finds nothing; costs next to nothing."""
    return _CLOSE_CODE in text or any(name in text for name in _CODE_NAMES)


def _names_internal_error(text: str) -> bool:
    """Whether the text says that a connection was closed, with the code's name; a quoted source line does not count."""
    return any(_is_closed_with_name(text, name) for name in _CODE_NAMES)


def _is_closed_with_name(text: str, name: str) -> bool:
    at = text.find(name)
    for _ in range(_MAX_CANDIDATES):
        if at < 0:
            return False
        line_start = text.rfind("\n", max(0, at - _CHARACTERS_BEFORE), at) + 1
        before = text[max(line_start, at - _CHARACTERS_BEFORE) : at]
        is_source = before.startswith(("    ", "\t")) or _CALL_IN_SOURCE.search(before)
        if not is_source and _NAMED_CLOSE.search(before):
            return True
        at = text.find(name, at + len(name))
    return False


def _is_close_code(text: str, at: int) -> bool:
    line_start = text.rfind("\n", max(0, at - _CHARACTERS_BEFORE), at) + 1
    before = text[max(line_start, at - _CHARACTERS_BEFORE) : at]
    after = text[at + len(_CLOSE_CODE) : at + len(_CLOSE_CODE) + _CHARACTERS_AFTER]
    if not _is_standalone_number(before, after) or _QUANTITY.match(after):
        return False
    if _MEANING.match(after) or _ENUM.search(before) or _CLOSE_MESSAGE.search(before):
        return True
    if _PROCESS_ENDED.search(before) or _COUNTED_NOUN_BEFORE.search(before):
        return False
    return _is_told_as_code(before, after)


def _is_told_as_code(before: str, after: str) -> bool:
    """Whether the words around a number that may be a close code say that a connection was closed with it."""
    ends = _END_OF_CODE.match(after) is not None
    if _NO_REASON.match(after) and _CLOSED_CLIENT.search(before):
        return True
    if _NO_STATUS.match(after) and _UPSTREAM_ERROR.search(before):
        return True
    if (_SENT_OR_RECEIVED.search(before) or _RECEIVED_FRAME.search(before)) and ends and after[:1] != ",":
        return True
    around = before + " " + after.partition("\n")[0][:_CHARACTERS_BEFORE]
    if _names_close_code(before, around):
        return True
    is_closed_with = _CLOSED_WITH.search(before) is not None and _NUMBERED.search(before) is None
    return ends and (is_closed_with or _is_bare_close_code(before, around))


def _is_standalone_number(before: str, after: str) -> bool:
    """The four digits are a number of their own: not in a word, a UUID, a decimal, a path, a port or an amount."""
    left, right = before[-1:], after[:1]
    if (
        left.isalnum()
        or right.isalnum()
        or left in {"_", "-", ".", "/", "#", "$", "€", "£", "+"}
        or right in {"_", "%"}
    ):
        return False
    return not (right in {".", ",", ":"} and after[1:2].isdigit()) and not (
        right in {"-", "/"} and after[1:2].isalnum()
    )


def _names_close_code(before: str, around: str) -> bool:
    named = _CODE_WORD.search(before)
    if named is not None:
        what = (named.group("what") or "").strip(" _-").lower()
        if _QUOTED_KEY.search(before):
            return (_WEBSOCKET_WORD.search(around) or _CLOSING_WORD.search(around)) is not None
        if what in _OWN_CODES or what in _OTHER_CODES:
            return what in _OWN_CODES
        if what == "error" and _OF_PROXY.search(around):
            return False
        closing = around if what in _GENERAL_WORDS else before
        return (_WEBSOCKET_WORD.search(around) or _CLOSING_WORD.search(closing)) is not None
    if _STATUS_CODE.search(before):
        return _WEBSOCKET_WORD.search(around) is not None
    return _CAMEL_CODE.search(before) is not None


def _is_bare_close_code(before: str, around: str) -> bool:
    """The bare number, right behind words that a WebSocket was closed; behind any other word it is that word's."""
    is_of_websocket = _WEBSOCKET_WORD.search(around) is not None and _CLOSING_WORD.search(around) is not None
    return is_of_websocket and _BARE_CODE.search(before) is not None
