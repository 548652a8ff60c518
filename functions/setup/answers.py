"""What a user decides before provenfix is installed: parses answers from text, checked and frozen."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from shared.config import field_types
from shared.errors import UsageError

DEFAULT_PYTHONS = ("3.11", "3.12", "3.13")
"""Of which a `compile` function is made: what services of today run on."""
READ_ONLY_TARGETS = ("issue", "log")
"""Where a profile without deploy rights reports to."""
_SERVICE_SEPARATOR = "@"


@dataclass(frozen=True, slots=True)
class WatchedService:
    """A service of Cloud Run that is to be watched."""

    name: str
    region: str


@dataclass(frozen=True, slots=True)
class Answers:
    """Empty is what nobody has answered yet; `read_only` is "" for the profile that may deploy."""

    project: str = ""
    watched_project: str = ""
    services: tuple[WatchedService, ...] = ()
    region: str = ""
    repositories: Mapping[str, str] = field(default_factory=dict)
    """`owner/name` by the service's name."""
    channel: str = ""
    approvers: tuple[str, ...] = ()
    email: str = ""
    pythons: tuple[str, ...] = DEFAULT_PYTHONS
    read_only: str = ""
    socket_mode: bool = False
    """Whether nothing may be reached from outside: Slack's clicks come over a connection, and no webhook is taken."""
    github_app: str = ""
    """An App that exists already, with `installation`; "" lets setup register one."""
    installation: int = 0

    @property
    def owner(self) -> str:
        """Whose repositories are watched: the account that the App is registered for."""
        return next(iter(self.repositories.values()), "").partition("/")[0]

    @property
    def uses_chat(self) -> bool:
        """Whether users are asked in Slack."""
        return not self.read_only

    @property
    def takes_webhooks(self) -> bool:
        """Whether GitHub reaches provenfix."""
        return self.uses_chat and not self.socket_mode


def list_missing(answers: Answers) -> list[str]:
    """The options that a setup without a terminal still needs, such as `--project`."""
    needed = {
        "--project": answers.project,
        "--watched-project": answers.watched_project,
        "--service": answers.services,
        "--region": answers.region,
        "--repository": len(answers.repositories) == len(answers.services) and answers.repositories,
        "--channel": answers.channel or not answers.uses_chat,
        "--approver": answers.approvers or not answers.uses_chat,
    }
    return [option for option, value in needed.items() if not value]


def merge_answers(earlier: Answers, given: Mapping[str, Any]) -> Answers:
    """The earlier answers with those that are given now; None and empty ones change nothing."""
    return replace(earlier, **{name: value for name, value in given.items() if value})


def parse_services(texts: Sequence[str], known: Sequence[WatchedService]) -> tuple[WatchedService, ...]:
    """`chat`, or `chat@europe-west1` where the name is in two regions. Raises UsageError."""
    services = []
    for text in texts:
        name, _, region = text.partition(_SERVICE_SEPARATOR)
        candidates = [service for service in known if service.name == name and region in {"", service.region}]
        if len(candidates) != 1:
            names = ", ".join(sorted(f"{service.name}@{service.region}" for service in known)) or "none"
            raise UsageError(f"{text!r} names {len(candidates) or 'no'} service; these are deployed: {names}.")
        services += candidates
    return tuple(dict.fromkeys(services))


def parse_repositories(texts: Sequence[str], services: Sequence[WatchedService]) -> dict[str, str]:
    """`acme/chat` for every service, or `chat=acme/chat` for one. Raises UsageError."""
    names = {service.name for service in services}
    repositories: dict[str, str] = {}
    for text in texts:
        name, separator, repository = text.rpartition("=")
        if separator and name not in names:
            raise UsageError(f"{text!r} names no chosen service.")
        check_value(field_types.Repository, "The repository", repository)
        if repository.count("/") != 1 or repository.startswith((".", "/", "~")):
            raise UsageError(f"{repository!r} is no repository of GitHub, such as 'acme/chat'.")
        repositories |= {name: repository} if separator else dict.fromkeys(names, repository)
    owners = {repository.partition("/")[0] for repository in repositories.values()}
    if len(owners) > 1:
        raise UsageError(f"One App is installed on one account, and these belong to {', '.join(sorted(owners))}.")
    return repositories


def parse_people(texts: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """The channel's id and the approvers' ids, which their first letters tell apart. Raises UsageError."""
    channels = [text for text in texts if text[:1] in "CG"]
    people = [text for text in texts if text[:1] in "UW"]
    if len(channels) != 1 or not people or len(channels) + len(people) != len(texts):
        raise UsageError("Give one channel's id and at least one approver's, such as: C024BE91L U024BE7LH.")
    for person in people:
        check_value(field_types.SlackUserId, "An approver", person)
    check_value(field_types.ChannelId, "The channel", channels[0])
    return channels[0], tuple(dict.fromkeys(people))


def check_answers(answers: Answers) -> None:
    """Raises UsageError, in the words of provenfix.yaml, for the first value that it would refuse."""
    for kind, what, value in (
        (field_types.ProjectId, "--project", answers.project),
        (field_types.ProjectId, "--watched-project", answers.watched_project),
        (field_types.Region, "--region", answers.region),
        (field_types.ChannelId, "--channel", answers.channel),
        *((field_types.SlackUserId, "--approver", person) for person in answers.approvers),
        *((field_types.PythonVersion, "--python", version) for version in answers.pythons),
        (field_types.GitHubAppId, "--github-app", answers.github_app),
    ):
        if value:
            check_value(kind, what, value)
    if answers.project and answers.project == answers.watched_project:
        raise UsageError("provenfix runs in a project of its own: give --project one that is not watched.")
    if bool(answers.github_app) is not bool(answers.installation):
        raise UsageError("Give --github-app and --installation together.")


def check_value(kind: Any, what: str, value: str) -> None:
    """Raises UsageError where provenfix.yaml would refuse the value."""
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        raise UsageError(f"{what} {error.errors()[0]['msg']}.") from None


def answers_to_document(answers: Answers) -> dict[str, Any]:
    """As JSON values."""
    return asdict(answers)


def answers_from_document(document: Mapping[str, Any]) -> Answers:
    """The inverse. Raises KeyError, TypeError and AttributeError for what is none."""
    services = tuple(WatchedService(**service) for service in document["services"])
    tuples = {name: tuple(document[name]) for name in ("approvers", "pythons")}
    return Answers(**{**document, **tuples, "services": services, "repositories": dict(document["repositories"])})
