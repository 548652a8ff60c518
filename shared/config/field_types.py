"""The types of the values in `provenfix.yaml`: each is validated, and the error says what to write.

No sentence repeats the value: a secret may have been pasted anywhere.
"""

import json
import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from shared.text.secret_pattern import parse_secret_pattern

_MAX_DELAY_MINUTES = 7 * 24 * 60
OWN_ERROR_TYPE = "provenfix"
"""The error type of messages that are sentences of ours."""


def build_value_error(sentence: str) -> PydanticCustomError:
    """`sentence` follows the key: `must be …`."""
    return PydanticCustomError(OWN_ERROR_TYPE, "{sentence}", {"sentence": sentence})


def _matching(pattern: str, what: str, example: str) -> Any:
    """Returns a validator for text that matches `pattern`. Its message does not repeat the value."""
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise build_value_error(f"must be {what}, such as {example!r}")
        return value

    return AfterValidator(check)


def _require_quotes(value: object) -> object:
    if isinstance(value, int | float):
        raise build_value_error(
            "must be in quotes, such as '3.10': without them YAML reads a number, and 3.10 becomes 3.1"
        )
    return value


def _parse_duration(value: object) -> timedelta:
    units = {"m": "minutes", "h": "hours", "d": "days"}
    match = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", value) if isinstance(value, str) else None
    if match is None:
        raise build_value_error("must be a number of minutes, hours or days, such as '30m', '6h' or '2d'")
    return timedelta(**{units[match[2]]: int(match[1])})


def _parse_delay(value: object) -> timedelta:
    if type(value) is int and 1 <= value <= _MAX_DELAY_MINUTES:
        return timedelta(minutes=value)
    if isinstance(value, str):
        return _parse_duration(value)
    raise build_value_error("must be a number of minutes, such as 15, or a duration such as '2h'")


def _require_relative_folder(value: str) -> str:
    if value.startswith(("/", "-")) or ".." in value.split("/") or "\\" in value:
        raise build_value_error("must be a folder of the repository, as a path from its root such as 'app'")
    return value.strip("/")


def _require_public_key(value: str) -> str:
    text = value.strip()
    if not (text.startswith("-----BEGIN PUBLIC KEY-----\n") and text.endswith("\n-----END PUBLIC KEY-----")):
        raise build_value_error("must be a public key in PEM, from its line BEGIN PUBLIC KEY to END PUBLIC KEY")
    return text + "\n"


def _require_trusted_root(value: str) -> str:
    try:
        root = json.loads(value)
    except (ValueError, RecursionError):
        root = None
    if not isinstance(root, dict) or "trustedroot" not in str(root.get("mediaType")):
        raise build_value_error("must be the JSON of Sigstore's trusted root, with its mediaType")
    return value


def _require_secret_pattern(value: str) -> str:
    try:
        parse_secret_pattern(value)
    except ValueError as error:
        raise build_value_error(str(error)) from None
    return value


def require_rising(value: tuple[int, ...]) -> tuple[int, ...]:
    if value != tuple(sorted(set(value))) or not value or value[0] < 1 or value[-1] != 100:
        raise build_value_error("must be ascending percentages ending with 100, such as [10, 50, 100]")
    return value


PythonVersion = Annotated[
    str, BeforeValidator(_require_quotes), _matching(r"3\.\d{1,2}", "a minor version of Python in quotes", "3.11")
]
ServiceName = Annotated[str, _matching(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", "the name of a Cloud Run service", "chat")]
FolderNumber = Annotated[str, _matching(r"[0-9]{1,20}", "the number of a folder", "123456789012")]
ProjectId = Annotated[
    str, _matching(r"([a-z0-9.-]+:)?[a-z][a-z0-9-]{1,40}", "a Google Cloud project's id", "shop-prod")
]
Region = Annotated[str, _matching(r"[a-z]+-[a-z]+\d{1,2}", "a region", "europe-west1")]
Repository = Annotated[
    str,
    _matching(
        r"[\w.-]+/[\w.-]+|(?:/|\./|\.\./|~/).+|\.{1,2}/?",
        "owner/name, or the path of a repository on this machine",
        "acme/chat",
    ),
]
ChannelId = Annotated[str, _matching(r"[CGD][A-Z0-9]+", "a channel's id, not its name", "C024BE91L")]
ChannelName = Annotated[str, _matching(r"[^\s#@/.<>A-Z]{1,80}", "a channel's name without #", "chat-alerts")]
SlackUserId = Annotated[str, _matching(r"[UW][A-Z0-9]+", "a Slack user's id, not a name", "U024BE7LH")]
UserGroupId = Annotated[str, _matching(r"S[A-Z0-9]+", "a user group's id", "S0614TZR7")]
WorkspaceId = Annotated[str, _matching(r"[TE][A-Z0-9]+", "a workspace's id", "T024BE7LD")]
SlackAppId = Annotated[str, _matching(r"A[A-Z0-9]+", "a Slack app's id", "A024BE7LD")]
BranchName = Annotated[
    str, _matching(r"(?![-/.])(?!.*(?:\.\.|@\{|//))[^\s~^:?*\[\\\x00-\x1f]{1,250}", "a branch", "main")
]
ProbeUrl = Annotated[
    str, _matching(r"(?:ws|http)s?://[^\s/@]+(/\S*)?", "a WebSocket's URL without user and password", "wss://…/ws")
]
ProbeOrigin = Annotated[
    str, _matching(r"https?://[^\s/@?#]+", "an origin: scheme, host and maybe port", "https://chat.acme.example")
]
CodeHostUrl = Annotated[
    str,
    _matching(r"https://[^\s/@?#]+", "a GitHub Enterprise's web address without a path", "https://github.acme.example"),
]
GitHubAppId = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if type(value) is int else value),
    _matching(r"[1-9]\d{0,15}|Iv[\w.]{10,40}", "a GitHub App's id or its client id", "1234567"),
]
TriggerName = Annotated[
    str,
    _matching(
        r"projects/[\w.:-]+/locations/[\w-]+/triggers/[\w.-]+",
        "a Cloud Build trigger's full name",
        "projects/P/locations/europe-west1/triggers/deploy-chat",
    ),
]
WorkflowFile = Annotated[
    str, _matching(r"[\w.-]+\.ya?ml", "the name of a file in .github/workflows, without the folder", "deploy.yml")
]
InputName = Annotated[str, _matching(r"[A-Za-z_][\w-]{0,99}", "the name of an input of the workflow", "commit")]
FunctionUrl = Annotated[
    str,
    _matching(
        r"https://[^\s/@?#]+(/[^\s?#]*)?|http://(127\.0\.0\.1|localhost)(:\d+)?(/\S*)?",
        "the function's https URL",
        "https://compile-py311-….run.app",
    ),
]
SecretVersionName = Annotated[
    str,
    _matching(
        r"projects/[\w.:-]+/secrets/[\w-]+/versions/(?:\d+|latest)",
        "a version in Secret Manager",
        "projects/P/secrets/S/versions/3",
    ),
]
VariableName = Annotated[str, _matching(r"[A-Za-z_][A-Za-z0-9_]*", "an environment variable's name", "SLACK_BOT_TOKEN")]
Duration = Annotated[timedelta, BeforeValidator(_parse_duration)]
Delay = Annotated[timedelta, BeforeValidator(_parse_delay)]
EscalationTarget = Annotated[
    str,
    _matching(r"[UWS][A-Z0-9]+|pager", "a Slack user's or user group's id, or 'pager' for the webhook", "S0614TZR7"),
]
RunbookUrl = Annotated[
    str,
    _matching(r"https://[^\s/@?#<>]+(/[^\s<>]*)?", "an https URL without user and password", "https://wiki…/runbook"),
]
PagerUrl = Annotated[
    str,
    _matching(
        r"https://[^\s/@?#]+(/[^\s?#]*)?",
        "the https URL that takes Events v2 bodies",
        "https://events.pagerduty.com/v2/enqueue",
    ),
]
PublicKey = Annotated[str, AfterValidator(_require_public_key)]
TrustedRoot = Annotated[str, AfterValidator(_require_trusted_root)]
Issuer = Annotated[
    str,
    _matching(
        r"https://[^\s/@?#]+(/[^\s?#]*)?", "the issuer's https URL", "https://token.actions.githubusercontent.com"
    ),
]
SubjectPattern = Annotated[
    str,
    _matching(
        r"[!-~]{1,500}",
        "an identity, in which * is any text",
        "https://github.com/{repository}/.github/workflows/*",
    ),
]
SecretPattern = Annotated[str, AfterValidator(_require_secret_pattern)]
AuthorName = Annotated[
    str,
    _matching(r"[^\s\x00-\x1f](?:[^\x00-\x1f]{0,198}[^\s\x00-\x1f])?", "an author name as Git records it", "Mira Holm"),
]
SourceRoot = Annotated[str, AfterValidator(_require_relative_folder)]
