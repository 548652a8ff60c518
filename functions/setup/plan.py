"""Plans the steps from an empty project to the first incident, from the answers."""

import hashlib
from collections.abc import Collection, Iterator

from functions.local.topology import READ_ONLY_FUNCTIONS
from functions.setup.answers import Answers
from functions.setup.ports import Place
from functions.setup.step import Command, Step, StepName

SLACK_SIGNING_SECRET = "provenfix-slack-signing-secret"  # noqa: S105  # names of secrets, here and below
SLACK_APP_TOKEN = "provenfix-slack-app-token"  # noqa: S105
SLACK_BOT_TOKEN = "provenfix-slack-bot-token"  # noqa: S105
GITHUB_APP_KEY = "provenfix-github-app-key"
GITHUB_WEBHOOK_SECRET = "provenfix-github-webhook-secret"  # noqa: S105
"""Names that nothing else in a project has: a teardown deletes them."""
APIS = (
    "cloudresourcemanager.googleapis.com",
    "serviceusage.googleapis.com",
    "iam.googleapis.com",
    "pubsub.googleapis.com",
    "logging.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "storage.googleapis.com",
)
"""What Terraform and the steps before it need; Terraform enables the others."""
LOCKED_PLATFORMS = ("linux_amd64", "linux_arm64", "darwin_arm64", "windows_amd64")
"""Terraform itself writes the digests of its providers for this machine alone: others would refuse them."""
CHECKED_FUNCTIONS = ("record", "investigate", "decide", "redeploy", "check", "schedule", "verify", "github")


def plan_steps(answers: Answers, paths: Place) -> tuple[Step, ...]:
    """All steps in their order. What is not answered yet is a word in capitals."""
    return tuple(_list_steps(answers, paths))


def list_functions(answers: Answers) -> tuple[str, ...]:
    """The functions that are deployed, besides `compile`."""
    if answers.read_only:
        return READ_ONLY_FUNCTIONS
    return tuple(name for name in CHECKED_FUNCTIONS if name != "github" or answers.takes_webhooks)


def list_secrets(answers: Answers) -> dict[str, str]:
    """The secrets that provenfix.yaml refers to: the name in Secret Manager by the key of Terraform."""
    key, name = name_click_secret(answers)
    chat = {key: name, "slack.bot_token": SLACK_BOT_TOKEN} if answers.uses_chat else {}
    webhook = {"github.webhook_secret": GITHUB_WEBHOOK_SECRET} if answers.takes_webhooks else {}
    return {**chat, "github.token": GITHUB_APP_KEY, **webhook}


def name_click_secret(answers: Answers) -> tuple[str, str]:
    """By which secret clicks are known to be Slack's: its key in provenfix.yaml, and its name in Secret Manager."""
    if answers.socket_mode:
        return "slack.app_token", SLACK_APP_TOKEN
    return "slack.signing_secret", SLACK_SIGNING_SECRET


def list_variables(answers: Answers, steps: Collection[StepName]) -> tuple[str, ...]:
    """The variables from which a setup without a terminal gets the secrets that these steps ask for."""
    click_secret = "SLACK_APP_TOKEN" if answers.socket_mode else "SLACK_SIGNING_SECRET"
    slack = ("SLACK_BOT_TOKEN", click_secret) if StepName.SLACK_APP in steps else ()
    if StepName.GITHUB_APP not in steps or not answers.github_app:
        return slack
    return (*slack, "GITHUB_APP_KEY", *(("GITHUB_WEBHOOK_SECRET",) if answers.takes_webhooks else ()))


def bucket_name(answers: Answers) -> str:
    """Of Terraform's state: names of buckets are global, and so are those of projects."""
    return f"{(answers.project or 'PROJECT').replace(':', '-').replace('.', '-')}-provenfix-state"


def function_url(answers: Answers, project_number: str, function: str) -> str:
    """The address that follows from a service's name, before there is the service.

    https://cloud.google.com/run/docs/triggering/https-request, read 2026-11-26
    """
    return f"https://provenfix-{function}-{project_number}.{answers.region}.run.app"


def _list_steps(answers: Answers, paths: Place) -> Iterator[Step]:
    project, region = answers.project or "PROJECT", answers.region or "REGION"
    yield from _list_google_steps(answers, project, region)
    if answers.uses_chat:
        yield from _list_slack_steps(answers, project)
    yield from _list_github_steps(answers, project)
    yield from _list_local_steps(answers, paths)
    yield from _list_check_steps(answers, paths, project)


def _list_google_steps(answers: Answers, project: str, region: str) -> Iterator[Step]:
    of_project = f"--project={project}"
    yield Step(
        StepName.PROJECT,
        "Look whether the project exists and has billing",
        (
            Command(("gcloud", "projects", "describe", project, "--format=value(projectNumber)")),
            Command(("gcloud", "billing", "projects", "describe", project, "--format=value(billingEnabled)")),
        ),
    )
    yield Step(
        StepName.CREDENTIALS,
        "Sign in for Terraform and doctor",
        (
            Command(
                ("gcloud", "auth", "application-default", "login"),
                unless=("gcloud", "auth", "application-default", "print-access-token", "--quiet"),
            ),
            Command(("gcloud", "auth", "application-default", "set-quota-project", project)),
        ),
        undo_note="You stay signed in: gcloud auth application-default revoke",
    )
    yield Step(
        StepName.APIS,
        "Enable the APIs that Terraform needs",
        (Command(("gcloud", "services", "enable", *APIS, of_project)),),
        undo_note="The APIs stay enabled: something else may have come to need them.",
    )
    yield Step(
        StepName.IDENTITIES,
        "Make the account as which Pub/Sub delivers",
        (Command(("gcloud", "beta", "services", "identity", "create", "--service=pubsub.googleapis.com", of_project)),),
        undo_note="Google's own account for Pub/Sub stays.",
    )
    bucket = f"gs://{bucket_name(answers)}"
    yield Step(
        StepName.STATE,
        "Make the bucket of Terraform's state, with its versions",
        (
            Command(
                ("gcloud", "storage", "buckets", "create", bucket, of_project, f"--location={region}",
                 "--uniform-bucket-level-access", "--public-access-prevention"),
                unless=("gcloud", "storage", "buckets", "describe", bucket, of_project),
            ),
            Command(("gcloud", "storage", "buckets", "update", bucket, of_project, "--versioning")),
        ),
        undo=(Command(("gcloud", "storage", "rm", "--recursive", bucket, of_project)),),
    )  # fmt: skip
    names = list_secrets(answers).values()
    yield Step(
        StepName.SECRETS,
        "Make the secrets, without values",
        tuple(
            Command(
                ("gcloud", "secrets", "create", name, of_project, "--replication-policy=user-managed",
                 f"--locations={region}"),
                unless=("gcloud", "secrets", "describe", name, of_project),
            )
            for name in names
        ),
        undo=tuple(Command(("gcloud", "secrets", "delete", name, of_project, "--quiet")) for name in names),
    )  # fmt: skip


def _list_slack_steps(answers: Answers, project: str) -> Iterator[Step]:
    yield Step(
        StepName.SLACK_APP,
        "Make the Slack app from its manifest",
        notes=(
            "Opens api.slack.com/apps with the manifest filled in; you create the app and install it.",
            f"Asks for its bot token and its {'app-level token' if answers.socket_mode else 'signing secret'},"
            " which go through a pipe to",
            f"  gcloud secrets versions add {SLACK_BOT_TOKEN} --project={project} --data-file=-",
            f"  gcloud secrets versions add {name_click_secret(answers)[1]} --project={project} --data-file=-",
        ),
        undo_note="Delete the Slack app by hand: https://api.slack.com/apps",
    )
    yield Step(
        StepName.SLACK_CHANNEL,
        "Post a first message",
        notes=(f"Says in the channel {answers.channel or 'CHANNEL'} of Slack that its people will be asked there.",),
    )


def _list_github_steps(answers: Answers, project: str) -> Iterator[Step]:
    owner = answers.owner or "OWNER"
    if answers.github_app:
        yield Step(
            StepName.GITHUB_APP,
            "Keep the key of the GitHub App",
            notes=(f"App {answers.github_app}, installation {answers.installation}, of {owner}.",),
            undo_note="The GitHub App stays as it is.",
        )
        return
    yield Step(
        StepName.GITHUB_APP,
        "Register a GitHub App by its manifest",
        notes=(
            f"Opens a page of this machine that hands the manifest to GitHub; you confirm the App for {owner}.",
            "Its private key and its webhook secret go through a pipe to",
            f"  gcloud secrets versions add {GITHUB_APP_KEY} --project={project} --data-file=-",
            *(
                (f"  gcloud secrets versions add {GITHUB_WEBHOOK_SECRET} --project={project} --data-file=-",)
                if answers.takes_webhooks
                else ()
            ),
        ),
        undo_note="Delete the GitHub App by hand: its settings, Advanced, Delete GitHub App",
    )
    repositories = ", ".join(dict.fromkeys(answers.repositories.values())) or "the repositories"
    yield Step(
        StepName.GITHUB_INSTALLATION,
        "Install the App",
        notes=(f"Opens GitHub's page; choose {repositories} and nothing else.",),
        undo_note="It ends with the App.",
    )


def _list_local_steps(answers: Answers, paths: Place) -> Iterator[Step]:
    watched = ", ".join(f"{item.name}@{item.region}" for item in answers.services) or "SERVICES"
    reporting = (
        f"in Slack {answers.channel or 'CHANNEL'}, where {', '.join(answers.approvers) or 'APPROVERS'} approve"
        if answers.uses_chat
        else f"by {answers.read_only}, and nothing is ever deployed"
    )
    repositories = ", ".join(f"{name}={repository}" for name, repository in answers.repositories.items())
    yield Step(
        StepName.CONFIGURATION,
        "Write the configuration",
        notes=(
            f"Writes {paths.config}: watches {watched} of {answers.watched_project or 'PROJECT'}, reports {reporting}.",
            f"Repositories: {repositories or 'OWNER/NAME'}.",
        ),
        undo_note=f"{paths.config} stays.",
        is_derived=True,
    )
    yield Step(
        StepName.BUNDLE,
        "Pack the functions",
        notes=(f"Writes {paths.build}/functions.zip and compile.zip, as `make bundle` does.",),
        is_derived=True,
    )
    terraform = ("terraform", f"-chdir={paths.root}")
    pythons = ", ".join(answers.pythons)
    yield Step(
        StepName.TERRAFORM,
        "Apply, once: a quarter of an hour, most of it waits for grants and metrics",
        (
            Command((*terraform, "init", "-input=false", "-reconfigure")),
            Command((*terraform, "providers", "lock", *(f"-platform={platform}" for platform in LOCKED_PLATFORMS))),
            Command((*terraform, "plan", "-input=false", "-out=setup.plan")),
            Command((*terraform, "apply", "-input=false", "setup.plan")),
        ),
        (f"Shows the plan, and asks. Alerts go to {answers.email or 'nobody'}; compilers of {pythons}.",),
        undo=(
            Command((*terraform, "apply", "-input=false", "-auto-approve", "-var=keep_data=false",
                     "-target=module.provenfix.google_firestore_database.state")),
            Command((*terraform, "destroy", "-input=false", "-auto-approve", "-var=keep_data=false")),
        ),
        is_derived=True,
    )  # fmt: skip


def _list_check_steps(answers: Answers, paths: Place, project: str) -> Iterator[Step]:
    names = ", ".join(list_functions(answers))
    yield Step(
        StepName.DOCTOR,
        "Check everything",
        notes=(
            f"Lets you ask as the accounts of {names}: roles/iam.serviceAccountTokenCreator on each, for an hour.",
            f"  provenfix doctor --config {paths.deployed_config} --project {project}",
            "Takes those rights back.",
        ),
        is_derived=True,
    )
    service = answers.services[0].name if answers.services else "SERVICE"
    yield Step(
        StepName.TRIAL,
        "Try it: one entry in the log of a watched service",
        notes=(
            f"gcloud logging write provenfix-test --project={answers.watched_project or 'PROJECT'}: a syntax error of",
            f"{service} in a file that does not exist. It passes the sink, opens an incident, ends without a proof.",
        ),
        is_derived=True,
    )


def digest(text: str) -> str:
    """Twelve digits that differ where the text does."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
