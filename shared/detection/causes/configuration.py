"""Names the setting or secret that an exception or a line of the log says is missing; "" where none is named."""

import re

from shared.detection.logged_exception import Frame, LoggedException

_NAME = r"[A-Za-z_][A-Za-z0-9_.]{1,80}"
_UPPER_NAME = r"[A-Z][A-Z0-9_]{2,80}"
_IS_MISSING = r"(?:(?:is|are|was|were) )?(?:not set|unset|missing|not defined|undefined|not provided|not configured)"
_MISSING_VARIABLE = re.compile(
    rf"(?i:environment variables?|env(?:ironment)?[ -]vars?|envvars?)[ :]{{1,2}}[`\"']?(?P<a>{_NAME})[`\"']?"
    rf"[, ]{{0,2}}(?i:{_IS_MISSING}|(?:is|are) required|must be set|not found|does(?: not|n't) exist)"
    rf"|[`\"']?\b(?P<b>{_UPPER_NAME})\b[`\"']? (?i:(?:environment variable |env(?:ironment)? ?var(?:iable)? |setting "
    rf"|secret )?(?:{_IS_MISSING}(?! (?:an?|the) )|(?:is|are) required|must be set|must not be empty))"
    rf"|(?i:missing(?: required)?|required|set the|setting the|define the|no|could not find|couldn't find) "
    rf"[`\"']?(?P<c>{_UPPER_NAME})[`\"']? (?i:environment variable|env(?:ironment)? ?var|setting\b|secret\b)"
    rf"|(?i:missing|required|unset|undefined)(?i: required)? "
    rf"(?i:environment variables?|env ?vars?|configuration|config|settings?|secrets?)"
    rf"[ :]{{1,2}}[\[({{]?[`\"']?(?P<d>{_NAME})"
    rf"|[`\"']?(?P<e>{_NAME})[`\"']? not found\. Declare it as envvar"
    rf"|Config [`\"'](?P<f>{_NAME})[`\"'] is missing, and has no default"
)
_DID_NOT_FIND = re.compile(r"Did not find (?P<name>[a-z_]{3,60}_(?:key|token|url|secret)), please add an environment")
_QUOTED = re.compile(r"[`\"']?([A-Za-z_][A-Za-z0-9_.\-]{0,80})[`\"']?")
_READS_ENVIRONMENT = re.compile(r"\benviron(?:b)?\[|\bgetenv\(|\benv\[")
_STANDARD_OS = re.compile(r"^<frozen os>$|/(?:python|pypy)\d(?:\.\d{1,2})?/os\.py$")
_SETTINGS_MODEL = re.compile(
    r"validation errors? for (?P<name>\w{0,60}(?:Settings|Config|Configuration|Env|Environment))\b"
)
_MISSING_FIELD = re.compile(
    r"^(?P<name>[A-Za-z_][\w.]{0,80})[ \t]*\n[ \t]+(?:Field required|field required|none is not an allowed value)",
    re.MULTILINE,
)
_SETTINGS_FRAME = re.compile(r"pydantic_settings[/\\]|pydantic[/\\](?:v1[/\\])?env_settings\.py$")


def find_missing_variable(text: str) -> str:
    """The variable of words such as `environment variable X is not set`, as named there."""
    for line in text[:4_000].splitlines()[:60]:
        match = _MISSING_VARIABLE.search(line[:500]) or _DID_NOT_FIND.search(line[:500])
        if match is not None:
            return next(name for name in match.groups() if name)
    return ""


def find_missing_key(exception: LoggedException) -> str:
    """The name that `os.environ[…]` did not find; "" for any other KeyError."""
    if exception.error_class != "KeyError" or not exception.frames:
        return ""
    name = _QUOTED.fullmatch(exception.message)
    if name is None or not _is_read_of_environment(exception.frames[-1], name[1]):
        return ""
    return name[1]


def _is_read_of_environment(frame: Frame, name: str) -> bool:
    if _STANDARD_OS.search(frame.path):
        return True
    reads = _READS_ENVIRONMENT.search(frame.source_text)
    return reads is not None and name in frame.source_text


def find_key(exception: LoggedException) -> str:
    """The key of any KeyError; "" for other exceptions."""
    name = _QUOTED.fullmatch(exception.message) if exception.error_class == "KeyError" else None
    return name[1] if name is not None else ""


def find_missing_field(exception: LoggedException, text: str) -> str:
    """The field of a settings class that has no value, `Settings.api_key`; "" where it is no such error."""
    if exception.error_class.rpartition(".")[2] != "ValidationError":
        return ""
    model = _SETTINGS_MODEL.search(exception.message)
    from_settings = any(_SETTINGS_FRAME.search(frame.path) for frame in exception.frames)
    if model is None and not from_settings:
        return ""
    field = _MISSING_FIELD.search(text[:8_000])
    name = model["name"] if model is not None else "Settings"
    if field is not None:
        return f"{name}.{field['name']}"
    return name
