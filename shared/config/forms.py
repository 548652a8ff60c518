"""The forms that a value in `provenfix.yaml` may have: each is checked, and a wrong one says what is wanted.

No sentence repeats the value: a secret may have been pasted anywhere.
"""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from shared.text.secret_pattern import parse_secret_pattern

OWN = "provenfix"
"""The type of an error whose message is a sentence of ours."""


def wrong(sentence: str) -> PydanticCustomError:
    """`sentence` goes on after the key: `must be …`."""
    return PydanticCustomError(OWN, "{sentence}", {"sentence": sentence})


def _text(pattern: str, what: str, example: str) -> Any:
    """A validator for text that has one form. The value itself is not repeated."""
    form = re.compile(pattern)

    def check(value: str) -> str:
        if not form.fullmatch(value):
            raise wrong(f"must be {what}, such as {example!r}")
        return value

    return AfterValidator(check)


def _quoted(value: object) -> object:
    if isinstance(value, int | float):
        raise wrong("must be in quotes, such as '3.10': without them YAML reads a number, and 3.10 becomes 3.1")
    return value


def _duration(value: object) -> timedelta:
    units = {"m": "minutes", "h": "hours", "d": "days"}
    found = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", value) if isinstance(value, str) else None
    if found is None:
        raise wrong("must be a number of minutes, hours or days, such as '30m', '6h' or '2d'")
    return timedelta(**{units[found[2]]: int(found[1])})


def _inside(value: str) -> str:
    if value.startswith(("/", "-")) or ".." in value.split("/") or "\\" in value:
        raise wrong("must be a folder of the repository, as a path from its root such as 'app'")
    return value.strip("/")


def _token_form(value: str) -> str:
    try:
        parse_secret_pattern(value)
    except ValueError as error:
        raise wrong(str(error)) from None
    return value


def rising(value: tuple[int, ...]) -> tuple[int, ...]:
    if value != tuple(sorted(set(value))) or not value or value[0] < 1 or value[-1] != 100:
        raise wrong("must be percentages that rise and end with 100, such as [10, 50, 100]")
    return value


Python = Annotated[str, BeforeValidator(_quoted), _text(r"3\.\d{1,2}", "a minor version of Python in quotes", "3.11")]
Name = Annotated[str, _text(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", "the name of a Cloud Run service", "chat")]
Project = Annotated[str, _text(r"([a-z0-9.-]+:)?[a-z][a-z0-9-]{1,40}", "a Google Cloud project's id", "shop-prod")]
Region = Annotated[str, _text(r"[a-z]+-[a-z]+\d{1,2}", "a region", "europe-west1")]
Repository = Annotated[
    str,
    _text(r"[\w.-]+/[\w.-]+|(?:/|\./|~/).+", "owner/name, or the path of a repository on this machine", "acme/chat"),
]
Channel = Annotated[str, _text(r"[CGD][A-Z0-9]+", "a channel's id, not its name", "C024BE91L")]
User = Annotated[str, _text(r"[UW][A-Z0-9]+", "a Slack user's id, not a name", "U024BE7LH")]
Group = Annotated[str, _text(r"S[A-Z0-9]+", "a user group's id", "S0614TZR7")]
Team = Annotated[str, _text(r"[TE][A-Z0-9]+", "a workspace's id", "T024BE7LD")]
ChatApp = Annotated[str, _text(r"A[A-Z0-9]+", "a Slack app's id", "A024BE7LD")]
Branch = Annotated[str, _text(r"(?![-/.])(?!.*(?:\.\.|@\{|//))[^\s~^:?*\[\\\x00-\x1f]{1,250}", "a branch", "main")]
ProbeUrl = Annotated[
    str, _text(r"(?:ws|http)s?://[^\s/@]+(/\S*)?", "a WebSocket's URL without user and password", "wss://…/ws")
]
CodeHost = Annotated[
    str, _text(r"https://[^\s/@?#]+", "a GitHub Enterprise's web address without a path", "https://github.acme.example")
]
AppId = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if type(value) is int else value),
    _text(r"[1-9]\d{0,15}|Iv[\w.]{10,40}", "a GitHub App's id or its client id", "1234567"),
]
Trigger = Annotated[
    str,
    _text(
        r"projects/[\w.:-]+/locations/[\w-]+/triggers/[\w.-]+",
        "a Cloud Build trigger's full name",
        "projects/P/locations/europe-west1/triggers/deploy-chat",
    ),
]
Workflow = Annotated[
    str, _text(r"[\w.-]+\.ya?ml", "the name of a file in .github/workflows, without the folder", "deploy.yml")
]
InputName = Annotated[str, _text(r"[A-Za-z_][\w-]{0,99}", "the name of an input of the workflow", "commit")]
FunctionUrl = Annotated[
    str,
    _text(
        r"https://[^\s/@?#]+(/[^\s?#]*)?|http://(127\.0\.0\.1|localhost)(:\d+)?(/\S*)?",
        "the function's https URL",
        "https://compile-py311-….run.app",
    ),
]
SecretName = Annotated[
    str,
    _text(
        r"projects/[\w.:-]+/secrets/[\w-]+/versions/(?:\d+|latest)",
        "a version in Secret Manager",
        "projects/P/secrets/S/versions/3",
    ),
]
VariableName = Annotated[str, _text(r"[A-Za-z_][A-Za-z0-9_]*", "an environment variable's name", "SLACK_BOT_TOKEN")]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
TokenForm = Annotated[str, AfterValidator(_token_form)]
Person = Annotated[
    str, _text(r"[^\s\x00-\x1f](?:[^\x00-\x1f]{0,198}[^\s\x00-\x1f])?", "a name as commits carry it", "Mira Holm")
]
SourceRoot = Annotated[str, AfterValidator(_inside)]
