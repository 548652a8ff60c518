"""Words a mistake that a library or the system reports as one sentence for the user."""

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


_EXTRA_BY_MODULE = {
    "google": "cloud",
    "grpc": "cloud",
    "github": "cloud",
    "jwt": "cloud",
    "slack_sdk": "slack",
    "mcp": "mcp",
    "mcp_types": "mcp",
}
"""Which extra of the distribution brings a module: pyproject.toml, `optional-dependencies`."""


def describe_missing_extra(error: ModuleNotFoundError) -> str:
    """The words for a command that needs an extra which is not installed; "" for any other missing module."""
    extra = _EXTRA_BY_MODULE.get((error.name or "").partition(".")[0])
    return f"This needs what a light installation leaves out: install provenfix[{extra}]." if extra else ""


def describe_system_error(error: OSError) -> str:
    """The words for what this machine refuses."""
    path = f"{error.filename}: " if error.filename else ""
    if isinstance(error, FileExistsError | NotADirectoryError):
        return f"{path}this is a file, and a folder is needed; name another one."
    return f"{path}{error.strerror}. Fix this and run it again."
