"""The words before an error's class in; whether the class stands there as the error itself, or a sentence speaks of it.

Python's own last line begins with the class. A logger puts its own words before it (time, level, name of the logger,
`Uncaught exception:`), and those end with a colon. A commit's subject, a message of a deployment, a question and the
answer of a model name errors as well, and nothing failed there.
"""

import re

_MAX_CONTEXT_LENGTH = 240
_PROSE_WORDS = re.compile(
    r"(?i)(?<![\w.])(?:fix(?:e[sd]|ing)?|hotfix|bugfix|feat|chore|refactor|docs?|revert(?:s|ed)?|resolv(?:e[sd]?|ing)"
    r"|mend(?:s|ed)?|commit(?:s|ted)?|deploy(?:s|ed|ing|ment)?|merge[sd]?|release[sd]?|changelog|subject|title|ticket"
    r"|message from|says?|said|answer(?:s|ed)?|repl(?:y|ied|ies)|respon(?:se|ded|ds)|model|assistant|user|customer"
    r"|agent|llm|gpt|gemini|claude|prompt|completion|question|asked|wrote|writes|review(?:s|ed)?|comment(?:s|ed)?"
    r"|about|because|example|snippet|suggest(?:s|ed|ion)?|explain(?:s|ed)?|mention(?:s|ed)?|you|your|we|he|she|they"
    r"|there was|was an?|is an?|has an?|have an?|had an?|no more|without|content|output|text|summary|transcript"
    r"|description|body|note)(?![\w.])"
)
_FAILURE_WORDS = re.compile(
    r"(?i)\b(?:uncaught|unhandled|exception|error|errors|fail(?:ed|ure|s|ing)?|cannot|could not|couldn't|can't|unable"
    r"|crash(?:ed|es)?|fatal|critical|aborted|traceback|raised|stopp(?:ed|ing)|exit(?:ed|ing)?)\b"
)
_SEPARATORS = ":|>-–]"
_STAMP = re.compile(
    r"\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?\]?[ \t]*"
)
_LEVEL = re.compile(
    r"(?i)^[\[(<]*(?:debug|info|notice|warning|warn|error|err|critical|crit|fatal|alert|emergency|default)[ \t]*[\])>]*"
    r"[ \t]*[:|\-]*[ \t]*"
)
_END_OF_SENTENCE = re.compile(r"[ \t\r)\]}>\"'.,!…]*(?:$|[;|\n]|\\n)")


def is_logged_error(before: str) -> bool:
    """`before` is what stands on the line before the class, without the class's module."""
    words = before[-_MAX_CONTEXT_LENGTH:].lstrip(" \t|+│").rstrip()
    if not words:
        return True
    if words.endswith(("#", "=", ",", "except", "raise", "import", "class")):
        return False
    words = _strip_time_and_level(words)
    return not words or (_is_logger_prefix(words) and _PROSE_WORDS.search(words) is None)


def is_end_of_sentence(after: str) -> bool:
    """Whether nothing is said any more on the line behind an error's place: a sentence would go on."""
    return _END_OF_SENTENCE.match(after) is not None


def is_prose(before: str) -> bool:
    """Whether the words before an error are those of somebody who tells of it."""
    return _PROSE_WORDS.search(_strip_time_and_level(before.strip()[-_MAX_CONTEXT_LENGTH:])) is not None


def _strip_time_and_level(words: str) -> str:
    """Without time and level, which name nobody's error."""
    words = _STAMP.sub("", words, count=1)
    words = re.sub(r"^(?:\[[\w .+:\-/]{1,60}\][ \t]*){1,6}", "", words)
    return _LEVEL.sub("", words, count=1).strip()


def _is_logger_prefix(words: str) -> bool:
    """A logger's name, or words of failure that end with a colon, a dash or an opening bracket; quotes are balanced."""
    if any(words.count(quote) % 2 for quote in "\"'`") or words.count("“") != words.count("”"):
        return False
    tokens = words.split()
    pairs = zip(tokens, [*tokens[1:], ""], strict=True)
    if all(one[-1] in _SEPARATORS or (then and not then.strip(_SEPARATORS)) for one, then in pairs):
        return True
    if words[-1] not in {":", "-", "–", "|", "(", ">", "]"}:
        return tokens[-1].lower() in {"exception", "error", "failed"}
    return _FAILURE_WORDS.search(words) is not None
