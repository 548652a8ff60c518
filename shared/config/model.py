"""The content of `provenfix.yaml` as frozen models; a service's keys are the fields of the domain's `Service`."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from shared.config.field_types import (
    AuthorName,
    BranchName,
    ChannelId,
    ChannelName,
    CodeHostUrl,
    Delay,
    Duration,
    EscalationTarget,
    FolderNumber,
    FunctionUrl,
    GitHubAppId,
    InputName,
    Issuer,
    PagerUrl,
    ProbeOrigin,
    ProbeUrl,
    ProjectId,
    PublicKey,
    PythonVersion,
    Region,
    Repository,
    RunbookUrl,
    SecretPattern,
    SecretVersionName,
    ServiceName,
    SlackAppId,
    SlackUserId,
    SourceRoot,
    SubjectPattern,
    TriggerName,
    TrustedRoot,
    UserGroupId,
    VariableName,
    WorkflowFile,
    WorkspaceId,
    build_value_error,
    require_rising,
)
from shared.secret import SecretReference, SecretSource
from shared.service import Service
from shared.signer import SignaturePolicy, Signer

_MAX_SIGNERS = 20


class StrictModel(BaseModel):
    """Forbids unknown keys, conversions and changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class SecretEntry(StrictModel):
    """`{secret: projects/…/secrets/…/versions/…}` or `{env: NAME}`: a reference to a secret, never the secret."""

    secret: SecretVersionName | None = None
    env: VariableName | None = None

    @model_validator(mode="before")
    @classmethod
    def _require_one_source(cls, value: object) -> object:
        if not isinstance(value, dict) or len(value) != 1:
            raise build_value_error(
                "must be a reference, {secret: projects/P/secrets/S/versions/3} or {env: NAME}, not a value"
            )
        return value

    @property
    def reference(self) -> SecretReference:
        """As the rest of the program knows it."""
        if self.secret is not None:
            return SecretReference(SecretSource.SECRET_MANAGER, self.secret)
        return SecretReference(SecretSource.ENVIRONMENT, str(self.env))


class ServiceEntry(StrictModel):
    """One entry of `services`; its keys are the fields of `shared.service.Service`."""

    name: ServiceName
    project: ProjectId
    region: Region
    repository: Repository
    channel: ChannelId = ""
    """Needed unless the file is `read_only`: then nobody is asked."""
    channel_name: ChannelName = ""
    environment: str = ""
    log_project: ProjectId = ""
    branch: BranchName = ""
    source_roots: Annotated[tuple[SourceRoot, ...], Field(strict=False)] = ()
    python: PythonVersion = ""
    team: WorkspaceId = ""
    chat_app: SlackAppId = ""
    approvers: Annotated[tuple[SlackUserId, ...], Field(strict=False)] = ()
    approver_group: UserGroupId = ""
    quorum: Annotated[int, Field(ge=1, le=20)] = 1
    not_author: bool = False
    authors: dict[SlackUserId, Annotated[tuple[AuthorName, ...], Field(strict=False)]] = Field(default_factory=dict)
    deploy_method: Literal["", "cloud_build", "github_workflow", "image"] = ""
    deploy_trigger: TriggerName = ""
    deploy_workflow: WorkflowFile = ""
    deploy_ref: BranchName = ""
    deploy_input: InputName = "commit"
    probe_url: ProbeUrl = ""
    probe_message: Annotated[str, Field(max_length=4096)] = ""
    probe_origin: ProbeOrigin = ""
    probe_seconds: Annotated[int, Field(ge=1, le=120)] = 10
    probe_status: Annotated[int, Field(ge=0, le=599)] = 0
    trial: bool = False
    daily_cap: Annotated[int, Field(ge=0, le=100)] = 3
    uncorroborated_issues: Annotated[int, Field(ge=0, le=100)] = 5
    check_pushes: bool = True
    check_revisions: bool = True
    deployment_records: bool = False
    radar: bool = True
    proposal_ttl: Duration = timedelta(hours=6)
    remind_after: Delay = timedelta(0)
    escalate_to: EscalationTarget = ""
    runbook_url: RunbookUrl = ""
    deploy_command: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=1000)], ...], Field(strict=False)
    ] = ()
    traffic_steps: Annotated[tuple[int, ...], Field(strict=False), AfterValidator(require_rising)] = (10, 50, 100)

    @field_validator("trial")
    @classmethod
    def _require_websocket(cls, trial: bool, given: ValidationInfo) -> bool:  # noqa: FBT001  # as pydantic calls it
        if trial and not str(given.data.get("probe_url", "")).startswith(("ws://", "wss://")):
            raise build_value_error("needs a probe_url that begins with ws:// or wss://, whose probe shows the failure")
        return trial

    @field_validator("escalate_to")
    @classmethod
    def _require_delay(cls, target: str, given: ValidationInfo) -> str:
        if target and not given.data.get("remind_after"):
            raise build_value_error("needs remind_after, the minutes after which it is asked, such as 15")
        return target

    @property
    def service(self) -> Service:
        """The entry as a value of the domain."""
        return Service(**dict(self))


class OwnFunctionsEntry(StrictModel):
    """Where provenfix's own functions run."""

    project: ProjectId
    functions: Annotated[tuple[ServiceName, ...], Field(strict=False)]
    sink_folder: FolderNumber = ""
    """The folder whose log sinks deliver; "" where those of each project do."""


class SlackEntry(StrictModel):
    """Clicks come as signed requests, or with `socket_mode` over a connection that provenfix opens."""

    signing_secret: SecretEntry | None = None
    socket_mode: bool = False
    app_token: SecretEntry | None = None
    bot_token: SecretEntry | None = None

    @model_validator(mode="after")
    def _require_way_in(self) -> "SlackEntry":
        if self.socket_mode is not (self.app_token is not None):
            raise build_value_error("must have app_token with socket_mode: true, and only then")
        if self.socket_mode is (self.signing_secret is not None):
            raise build_value_error("must have signing_secret, or socket_mode: true with app_token")
        return self


class GitHubAppEntry(StrictModel):
    """A GitHub App, and its installation on the account that owns the watched repositories."""

    id: GitHubAppId
    installation: Annotated[int, Field(gt=0)]
    private_key: SecretEntry


class GitHubEntry(StrictModel):
    """An App, or a fine-grained token; `address` is for GitHub Enterprise."""

    app: GitHubAppEntry | None = None
    token: SecretEntry | None = None
    webhook_secret: SecretEntry | None = None
    address: CodeHostUrl = "https://github.com"

    @model_validator(mode="after")
    def _require_credentials(self) -> "GitHubEntry":
        if (self.app is None) is (self.token is None):
            raise build_value_error("must have either app or token")
        return self


class PagerEntry(StrictModel):
    """A webhook that takes the Events v2 body, as PagerDuty and its peers do."""

    routing_key: SecretEntry
    url: PagerUrl = "https://events.pagerduty.com/v2/enqueue"


class SignerEntry(StrictModel):
    """A public key, or who has signed without one by a certificate of Sigstore."""

    public_key: PublicKey = ""
    issuer: Issuer = ""
    subject: SubjectPattern = ""

    @model_validator(mode="after")
    def _require_one_kind(self) -> "SignerEntry":
        if bool(self.public_key) is bool(self.issuer or self.subject) or bool(self.issuer) is not bool(self.subject):
            raise build_value_error("must have either public_key, or issuer and subject")
        return self

    @property
    def signer(self) -> Signer:
        """As the rest of the program knows it."""
        return Signer(**dict(self))


class SignaturesEntry(StrictModel):
    """Whose signatures of build statements count."""

    signers: Annotated[tuple[SignerEntry, ...], Field(strict=False)]
    trusted_root: TrustedRoot = ""

    @field_validator("signers")
    @classmethod
    def _require_signer(cls, signers: tuple[SignerEntry, ...]) -> tuple[SignerEntry, ...]:
        if not 0 < len(signers) <= _MAX_SIGNERS:
            raise build_value_error(f"must name at least one signer, and at most {_MAX_SIGNERS}")
        return signers

    @property
    def policy(self) -> SignaturePolicy:
        """As the rest of the program knows it."""
        return SignaturePolicy(tuple(entry.signer for entry in self.signers), self.trusted_root)


class RedactionEntry(StrictModel):
    """Forms of secrets, added to the built-in ones; see `shared.text.secret_pattern`."""

    forms: Annotated[tuple[SecretPattern, ...], Field(strict=False, max_length=50)] = ()


class Configuration(StrictModel):
    """The whole file."""

    version: Literal[1] = 1
    read_only: Literal["", "issue", "log"] = ""
    """Where a profile reports to that asks nobody and deploys nothing."""
    services: Annotated[tuple[ServiceEntry, ...], Field(strict=False)] = ()
    slack: SlackEntry | None = None
    github: GitHubEntry | None = None
    pager: PagerEntry | None = None
    compilers: dict[PythonVersion, FunctionUrl] = Field(default_factory=dict)
    own: OwnFunctionsEntry | None = None
    signatures: SignaturesEntry | None = None
    redaction: RedactionEntry | None = None


MODELS_BY_KEY: dict[str, type[BaseModel]] = {
    "services": ServiceEntry,
    "slack": SlackEntry,
    "github": GitHubEntry,
    "own": OwnFunctionsEntry,
    "pager": PagerEntry,
    "signatures": SignaturesEntry,
    "signers": SignerEntry,
    "redaction": RedactionEntry,
    "signing_secret": SecretEntry,
    "app_token": SecretEntry,
    "bot_token": SecretEntry,
    "token": SecretEntry,
    "app": GitHubAppEntry,
    "private_key": SecretEntry,
    "webhook_secret": SecretEntry,
    "routing_key": SecretEntry,
}
"""The model of a key's value, from which messages list the known keys."""
