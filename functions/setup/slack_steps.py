"""The Slack app: made by a user from the manifest in a link; its two secrets go straight into Secret Manager."""

import re
from urllib.parse import urlencode

from functions.setup import plan
from functions.setup.configuration import render_slack_manifest
from functions.setup.session import Session
from functions.setup.state import Facts
from functions.setup.step import Step, StepName
from shared.errors import InputError
from shared.secret import Secret

NEW_APP_URL = "https://api.slack.com/apps"
GREETING = "provenfix is being set up. Its questions will be asked here."
_BOT_TOKEN = re.compile(r"xoxb-[\w-]{10,}")
_SIGNING_SECRET = "Signing secret (Basic Information)", "SLACK_SIGNING_SECRET", re.compile(r"[0-9a-f]{32}")
_APP_TOKEN = (
    "App-level token with connections:write (Basic Information, xapp-…)",
    "SLACK_APP_TOKEN",
    re.compile(r"xapp-[\w-]{10,}"),
)


def create_slack_app(session: Session, step: Step) -> Facts:
    """The workspace, and the versions of both secrets."""
    outside = session.outside
    url = plan.function_url(session.answers, session.state.fact(StepName.PROJECT, "number"), "decide")
    manifest = render_slack_manifest(session.paths, "" if session.answers.socket_mode else url)
    # https://docs.slack.dev/app-manifests/configuring-apps-with-app-manifests, read 2026-11-26
    outside.person.open_page(f"{NEW_APP_URL}?{urlencode({'new_app': 1, 'manifest_yaml': manifest})}")
    outside.person.report_line("Choose the workspace, create the app, and install it under OAuth & Permissions.")
    token = _read(session, "Bot token (OAuth & Permissions, xoxb-…)", "SLACK_BOT_TOKEN", _BOT_TOKEN)
    team = outside.workspace.find_team(token)
    click_secret = _read(session, *(_APP_TOKEN if session.answers.socket_mode else _SIGNING_SECRET))
    facts = {"team": team, plan.SLACK_BOT_TOKEN: session.store_secret(plan.SLACK_BOT_TOKEN, token)}
    session.keep_facts(step.name, facts)
    _, name = plan.name_click_secret(session.answers)
    return facts | {name: session.store_secret(name, click_secret)}


def _read(session: Session, what: str, variable: str, form: re.Pattern[str]) -> Secret:
    secret = session.outside.person.ask_secret(what, variable)
    if not form.fullmatch(secret.reveal()):
        raise InputError(f"That is no value for {variable}: {what}. Run `provenfix setup` again.")
    return secret


def greet_channel(session: Session, _step: Step) -> Facts:
    """The app's id, which Slack tells with the first message; the bot is in the channel then."""
    version = session.state.fact(StepName.SLACK_APP, plan.SLACK_BOT_TOKEN).rpartition("/")[2]
    token = read_secret(session, plan.SLACK_BOT_TOKEN, version)
    return {"app": session.outside.workspace.greet(token, session.answers.channel, GREETING)}


def read_secret(session: Session, name: str, version: str) -> Secret:
    """A version's value, from a pipe."""
    project = f"--project={session.answers.project}"
    argv = ("gcloud", "secrets", "versions", "access", version, f"--secret={name}", project)
    return Secret(session.read(argv))
