"""What the steps ask of the outside, as Protocols."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from shared.secret import Secret


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a program ended; `output` and `errors` are what it wrote on its two streams."""

    code: int
    output: str = ""
    errors: str = ""


class Commands(Protocol):
    """Programs of this machine. Raises InputError for one that is not installed."""

    def read(self, argv: Sequence[str], stdin: Secret | None = None) -> CommandResult:
        """Runs a program whose output is wanted; a secret reaches it through a pipe alone."""

    def show(self, argv: Sequence[str]) -> int:
        """Runs a program whose output the user reads, and returns its exit code."""


class Person(Protocol):
    """Who runs the setup. Without a terminal each question raises UsageError, with the option that answers it."""

    def report_line(self, sentence: str) -> None:
        """One line, or several."""

    def ask(self, question: str, check: Callable[[str], Any], default: str = "") -> str:
        """An answer that `check` accepts; it raises UsageError for others."""

    def choose(self, question: str, options: Sequence[str], *, many: bool = False) -> Sequence[str]:
        """One of the options, or several."""

    def ask_secret(self, what: str, variable: str) -> Secret:
        """What is pasted and never shown; without a terminal the environment variable."""

    def has_secret(self, variable: str) -> bool:
        """Whether `ask_secret` will get one: there is a terminal, or the variable is set."""

    def confirm(self, question: str) -> bool:
        """Whether to go on; True at once where the user said so beforehand."""

    def open_page(self, url: str) -> None:
        """Shows a page in the browser, and its address here."""


@dataclass(frozen=True, slots=True)
class RegisteredApp:
    """A GitHub App as its registration answers it. The two secrets are shown by GitHub this once."""

    id: str
    slug: str
    url: str
    private_key: Secret
    webhook_secret: Secret


class AppRegistration(Protocol):
    """Registers a GitHub App and has it installed, with a user at the browser. Raises InputError."""

    def register(self, owner: str, manifest: Mapping[str, Any], open_page: Callable[[str], None]) -> RegisteredApp:
        """By GitHub's manifest flow."""

    def install(self, slug: str, open_page: Callable[[str], None]) -> int:
        """The installation's id, from GitHub's redirect."""


class Workspace(Protocol):
    """Slack. Raises InputError."""

    def find_team(self, token: Secret) -> str:
        """The id of the workspace that a bot's token is for."""

    def greet(self, token: Secret, channel: str, text: str) -> str:
        """Posts to a channel and returns the id of the app that did."""


class StateFile(Protocol):
    """Where the state is kept between two runs."""

    def read(self) -> str:
        """ "" where nothing is kept."""

    def write(self, text: str) -> None:
        """Replaces it as a whole."""

    def remove(self) -> None:
        """Nothing is kept any more."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a setup reads and writes on this machine."""

    folder: Path
    """Of the state; Terraform works in its subfolder."""
    config: Path
    checkout: Path
    """What holds `terraform/` and what is deployed: a checkout, or an installed distribution."""

    @property
    def build(self) -> Path:
        """Where the zips are written: as `make bundle` does in a checkout, never into a distribution."""
        return (self.checkout if (self.checkout / "Makefile").exists() else self.folder) / "build"

    @property
    def root(self) -> Path:
        """Terraform's root module."""
        return self.folder / "terraform"

    @property
    def deployed_config(self) -> Path:
        """The configuration as the functions have it."""
        return self.folder / "deployed.yaml"


@dataclass(frozen=True, slots=True)
class Outside:
    """All ports of one run."""

    commands: Commands
    person: Person
    apps: AppRegistration
    workspace: Workspace
    state_file: StateFile
    run_doctor: Callable[[Path, str], tuple[int, str]]
    """(configuration, project) -> 0 where nothing is missing, and its lines."""
    write_bundles: Callable[[], None]
    wait: Callable[[float], None]
    """Seconds."""
