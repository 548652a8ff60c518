"""A watched service, as its owners configured it: its name, its repository, and its approvers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

PAGER = "pager"
"""The `escalate_to` of a service whose reminders go to the webhook of the `pager` section as well."""


class RolloutMode(StrEnum):
    """What an approval leads to. Not configured: it follows from where provenfix runs."""

    PLATFORM = "platform"
    """A revision without traffic, probed at its own address, given its shares, taken back where it fails."""
    COMMAND = "command"
    """The service's own `deploy_command`, and nothing but a look at the log afterwards."""
    MANUAL = "by_hand"
    """Nothing: a user deploys; the message names the command."""


@dataclass(frozen=True, slots=True)
class Service:
    """One Cloud Run service in one project. Everything beyond the first five fields has a safe default."""

    name: str
    project: str
    region: str
    repository: str
    """`owner/name` at the code host, or the path of a repository on this machine."""
    channel: str
    """The chat channel's id in which proposals are posted, and from which alone they may be decided."""
    environment: str = ""
    """As reports call it; "" for the project's id."""
    log_project: str = ""
    """Where its log is kept, if it is routed to another project; "" for its own."""
    branch: str = ""
    """The deploy branch; "" for the repository's default branch."""
    source_roots: tuple[str, ...] = ()
    python: str = ""
    """The deployed minor version such as `3.11`, where the repository and the log do not say it."""
    team: str = ""
    """The chat workspace's id; "" accepts the one that the signature belongs to."""
    chat_app: str = ""
    """The id of the app that posts to the chat; "" accepts every one that the signature belongs to."""
    approvers: tuple[str, ...] = ()
    """Chat user ids. Together with an empty `approver_group` an empty list approves nobody."""
    approver_group: str = ""
    """A chat user group's id; its members are asked for at every decision."""
    quorum: int = 1
    """How many different approvers have to approve before anything is deployed."""
    not_author: bool = False
    """Whether the author of the fix may not approve it. Only users in `authors` can be matched to Git names."""
    authors: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    """The names under which the owner of a chat user id commits."""
    deploy_method: str = ""
    """Which deployer acts, by its name in `shared.wiring`; "" for the default one."""
    deploy_trigger: str = ""
    """For `cloud_build`: the trigger that builds and deploys a commit, by its full name."""
    deploy_workflow: str = ""
    """For `github_workflow`: the file in `.github/workflows` that builds and deploys a commit."""
    deploy_ref: str = ""
    """The branch whose version of the workflow runs; "" for the deploy branch."""
    deploy_input: str = "commit"
    """The workflow's input that takes the commit."""
    probe_url: str = ""
    """`wss://…` must connect and stay open after a rollout, `https://…` answer; "" probes nothing."""
    probe_message: str = ""
    """What a client of the WebSocket says first; "" where it only listens."""
    probe_origin: str = ""
    """The `Origin` that a browser would send; "" sends none."""
    probe_seconds: int = 10
    """How long a WebSocket must stay open."""
    probe_status: int = 0
    """The status that `https://…` must answer with; 0 for any 2xx."""
    trial: bool = False
    """Whether a suspected fix may be tried without traffic where nothing is proven and the probe shows the failure."""
    daily_cap: int = 3
    """Rollouts that may begin on one day (UTC)."""
    uncorroborated_issues: int = 5
    """Issues that may be opened on one day (UTC) about incidents that no commit confirms; one issue collects the
    rest.
    """
    is_read_only: bool = False
    """Whether it is only looked at: nobody is asked, and nothing is deployed. It follows from the whole file."""
    check_pushes: bool = True
    """Whether commits of pushes and pull requests for the deploy branch are checked, where GitHub sends them."""
    deployment_records: bool = False
    """Whether verified redeployments are recorded at the code host, and its records read where the platform names no
    commit."""
    check_revisions: bool = True
    """Whether each new revision is checked when it gets traffic."""
    radar: bool = True
    """Whether it is looked at each hour what is merged and not deployed that ends a failure of what serves."""
    proposal_ttl: timedelta = timedelta(hours=6)
    traffic_steps: tuple[int, ...] = (10, 50, 100)
    """Percentages of traffic that a new revision gets, one after the other; the last one is 100."""
    channel_name: str = ""
    """As the page and alerts show the channel, without `#`; "" shows the id."""
    remind_after: timedelta = timedelta(0)
    """After this long without a decision the channel is reminded of a question, once; 0 never reminds."""
    escalate_to: str = ""
    """Whom a reminder addresses too: a chat user's or user group's id, or `PAGER`; "" addresses the channel alone."""
    runbook_url: str = ""
    """What a person on call reads first; linked in chat, page and issue."""
    deploy_command: tuple[str, ...] = ()
    """The words of a command that deploys `{commit}`, for `provenfix watch`; without one it changes nothing."""
    rollout_mode: RolloutMode = RolloutMode.PLATFORM

    @property
    def id(self) -> str:
        """`project.name`: the key of the service in stored documents and in `Context.services`."""
        return build_service_id(self.project, self.name)

    @property
    def allows_trials(self) -> bool:
        """Whether a suspected fix may be tried: it takes a revision without traffic, and a WebSocket to probe it."""
        return (
            self.trial and self.rollout_mode is RolloutMode.PLATFORM and self.probe_url.startswith(("ws://", "wss://"))
        )

    @property
    def environment_name(self) -> str:
        """What reports and fingerprints call the environment."""
        return self.environment or self.project


@dataclass(frozen=True, slots=True)
class RegionalService(Service):
    """A service of whose name there is another one in another region of the project: its region distinguishes them."""

    @property
    def id(self) -> str:
        """`project.name.region`."""
        return build_service_id(self.project, self.name, self.region)

    @property
    def environment_name(self) -> str:
        """With the region, so that one failure in both of them is two incidents."""
        return f"{self.environment or self.project} {self.region}"


def build_service_id(project: str, name: str, region: str = "") -> str:
    """The platform's own labels of a log entry, as the key of a configured service."""
    return f"{project}.{name}{f'.{region}' if region else ''}"


def find_service(services: Mapping[str, Service], project: str, name: str, region: str) -> Service | None:
    """The configured service of a log entry's labels; None for one that is not watched.

    A log that names no region is one of the service that alone has the name.
    """
    service = services.get(build_service_id(project, name)) or services.get(build_service_id(project, name, region))
    return service if service is not None and region in {"", service.region} else None
