"""The classes of causes, each with its owner and its remedy; the cause of one incident; a rule that names a class."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.detection.logged_exception import LoggedException


class CauseClass(StrEnum):
    """What kind of thing failed."""

    OWN_CODE = "own_code"
    """Of a family that the code of a commit can confirm: a name, an import, an attribute, a call."""
    OWN_CODE_UNPROVABLE = "own_code_not_provable"
    """Raised by the service's own code, and no program can decide from the code alone whether it still fails."""
    DEPENDENCY = "dependency"
    """An installed package is missing, or another version than the code expects."""
    IMAGE = "image_lacks_file"
    CONFIGURATION = "configuration"
    """A setting or a secret is missing, or its value is not valid."""
    CREDENTIALS = "credentials"
    """An identity, a key or a right was refused."""
    BACKING_SERVICE = "backing_service"
    """A database, a cache, a queue or another service on which this one depends."""
    UPSTREAM_CLOSED = "upstream_closed"
    """The other end of a connection that this service opened has closed it."""
    KEEPALIVE = "keepalive_timeout"
    MEMORY = "memory"
    RESTART = "restart"
    """The instance was stopped: a deployment, scaling, or a restart."""
    PAYLOAD = "payload_too_large"
    CLOSED_CONNECTION = "closed_connection"
    """The client had gone, or two tasks used one connection at once."""
    UNKNOWN = "unknown"


class Owner(StrEnum):
    """Who can act."""

    DEVELOPERS = "the service's developers"
    OPERATORS = "the team that deploys and configures the service"
    BACKING = "the team that runs the backing service"
    UPSTREAM = "the provider of the upstream service"
    NOBODY = "nobody: no action is needed"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class CauseProfile:
    """What is the same for all causes of one class. Sentences; `title` is a noun phrase."""

    title: str
    owner: Owner
    mends: str
    is_mended_by_commit: bool = False
    """Whether another commit of the repository, once deployed, can fix it."""


PROFILES: Mapping[CauseClass, CauseProfile] = {
    CauseClass.OWN_CODE: CauseProfile(
        "an error in the service's own code",
        Owner.DEVELOPERS,
        "A commit that corrects the failing line.",
        is_mended_by_commit=True,
    ),
    CauseClass.OWN_CODE_UNPROVABLE: CauseProfile(
        "an error that the service's own code raised",
        Owner.DEVELOPERS,
        "A commit that handles this case; which commit does, only a run can show.",
        is_mended_by_commit=True,
    ),
    CauseClass.DEPENDENCY: CauseProfile(
        "an installed package is missing or another version than the code expects",
        Owner.DEVELOPERS,
        "A manifest or lock file that pins the version that the code expects, and a new image.",
        is_mended_by_commit=True,
    ),
    CauseClass.IMAGE: CauseProfile(
        "a file is missing in the image",
        Owner.DEVELOPERS,
        "A Dockerfile, ignore file or start command that names the file, and a new image.",
        is_mended_by_commit=True,
    ),
    CauseClass.CONFIGURATION: CauseProfile(
        "a setting or secret is missing or not valid",
        Owner.OPERATORS,
        "Set the setting or secret on a new revision of the same image.",
    ),
    CauseClass.CREDENTIALS: CauseProfile(
        "an identity, key or permission was refused",
        Owner.OPERATORS,
        "Grant the permission to the revision's service account (a file: to the image's user), or give it a valid key.",
    ),
    CauseClass.BACKING_SERVICE: CauseProfile(
        "a database or backing service failed or could not be reached",
        Owner.BACKING,
        "Look at the backing service: its health, its limits (connections, quota), and the network path to it.",
    ),
    CauseClass.UPSTREAM_CLOSED: CauseProfile(
        "the upstream service closed the connection",
        Owner.UPSTREAM,
        "Look at the upstream's status and quota; until it holds, connect again when it closes.",
    ),
    CauseClass.KEEPALIVE: CauseProfile(
        "a keepalive ping was not answered in time",
        Owner.DEVELOPERS,
        "Move blocking calls out of the event loop, or give more CPU or less concurrency; for slow clients, a longer "
        "`ping_timeout`.",
    ),
    CauseClass.MEMORY: CauseProfile(
        "the instance exceeded its memory limit",
        Owner.OPERATORS,
        "Raise the memory limit or lower the concurrency; a leak needs a change of the code.",
    ),
    CauseClass.RESTART: CauseProfile(
        "the instance was stopped or replaced",
        Owner.NOBODY,
        "Nothing, if clients reconnect: instances are replaced at every deployment and when the service scales.",
    ),
    CauseClass.PAYLOAD: CauseProfile(
        "a message was larger than the limit",
        Owner.DEVELOPERS,
        "Send smaller messages, or raise `max_size` at the end that refused it.",
    ),
    CauseClass.CLOSED_CONNECTION: CauseProfile(
        "the connection was already closed, or used by several tasks at the same time",
        Owner.DEVELOPERS,
        "Handle the disconnect before the next send or receive, and end the connection's tasks together.",
    ),
    CauseClass.UNKNOWN: CauseProfile(
        "not known", Owner.UNKNOWN, "Not known: start at what is quoted as evidence."
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cause:
    """The cause of one incident, as far as the log and the platform show it."""

    cause_class: CauseClass
    exception: LoggedException | None = None
    """The link of the exception chain that decided the class; None where none was raised."""
    quoted: str = ""
    """The line of the log that decided it, where no exception did. Untrusted."""
    subject: str = ""
    """What it is about: the variable, the file, the host. Untrusted; "" where the log names none."""
    proven_by: str = ""
    """One sentence where the platform confirms the class; "" where the log alone says it."""

    @property
    def profile(self) -> CauseProfile:
        """Title, owner and remedy."""
        return PROFILES[self.cause_class]

    @property
    def owner(self) -> str:
        """Who can act, by name where the log names the upstream."""
        if self.cause_class is CauseClass.UPSTREAM_CLOSED and self.subject:
            return f"the provider of {self.subject}"
        return self.profile.owner.value


@dataclass(frozen=True, slots=True)
class EnvironmentComparison:
    """The names of the variables that an earlier, working revision has and the failing one lacks. Never values."""

    failing: str
    earlier: str
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CauseRule:
    """Patterns on class and message. `error_class` has to match the whole dotted name; messages are searched."""

    cause_class: CauseClass
    error_class: re.Pattern[str]
    message: re.Pattern[str] | None = None

    def fits(self, exception: LoggedException) -> bool:
        """Whether the exception is of this kind."""
        if self.error_class.fullmatch(exception.error_class) is None:
            return False
        return self.message is None or self.message.search(exception.message) is not None


def make_rule(cause_class: CauseClass, error_class: str, message: str = "") -> CauseRule:
    """`error_class`: alternatives of a dotted name's end, or of a whole name that begins with `^`."""
    name = error_class[1:] if error_class.startswith("^") else rf"(?:\w{{1,80}}\.){{0,12}}(?:{error_class})"
    return CauseRule(cause_class, re.compile(name), re.compile(message, re.IGNORECASE) if message else None)
