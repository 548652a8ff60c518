"""What the command line's library and the system say of a mistake comes in, one sentence for the user goes out."""

import re

import typer

_REPHRASED = (
    (re.compile(r"Value error, "), ""),
    (re.compile(r"Input should be a valid integer, unable to parse string as an integer"), "it must be a whole number"),
    (re.compile(r"Input should be greater than or equal to (-?\d+)"), r"it must be at least \1"),
    (re.compile(r"Input should be less than or equal to (-?\d+)"), r"it must be at most \1"),
    (re.compile(r"Missing command\."), "Missing command; --help lists them."),
    (re.compile(r"Got unexpected extra argument\(s\) \((.*)\)", re.DOTALL), r"Unexpected argument: \1"),
)


def describe_usage_error(error: Exception) -> str:
    """The words for wrong usage; `--json`, which other tools have, leads to `--format json` where there is one."""
    if not isinstance(error, typer.TyperException):
        return str(error)
    context = getattr(error, "ctx", None)
    parameters = getattr(getattr(context, "command", None), "params", ())
    options = {option for parameter in parameters for option in parameter.opts}
    if getattr(error, "option_name", "") == "--json" and "--format" in options:
        return "No such option: --json. Use --format json."
    message = error.format_message()
    for pattern, words in _REPHRASED:
        message = pattern.sub(words, message)
    return message


def describe_system_error(error: OSError) -> str:
    """The words for what this machine refuses."""
    path = f"{error.filename}: " if error.filename else ""
    if isinstance(error, FileExistsError | NotADirectoryError):
        return f"{path}this is a file, and a folder is needed; name another one."
    return f"{path}{error.strerror}. Fix this and run it again."
