"""The GitHub App: registered by the manifest flow; its key and webhook secret go straight into Secret Manager."""

from functions.setup import plan
from functions.setup.configuration import render_github_manifest
from functions.setup.session import Session
from functions.setup.state import Facts
from functions.setup.step import Step, StepName
from shared.errors import InputError
from shared.secret import Secret


def create_github_app(session: Session, step: Step) -> Facts:
    """The App's id, its name in addresses, and the versions of its secrets."""
    if session.answers.github_app:
        return _keep_existing_app(session)
    lost = session.state.fact(step.name, "unkept")
    if lost:
        session.outside.person.report_line(f"The App {lost} was registered, and its key is lost: delete it, and go on.")
    url = plan.function_url(session.answers, session.state.fact(StepName.PROJECT, "number"), "github")
    manifest = render_github_manifest(session.answers, session.paths, url)
    app = session.outside.apps.register(session.answers.owner, manifest, session.outside.person.open_page)
    session.keep_facts(step.name, {"unkept": app.url})
    versions = _store_secrets(session, app.private_key, app.webhook_secret)
    return {"id": app.id, "slug": app.slug, "url": app.url, "unkept": "", **versions}


def _keep_existing_app(session: Session) -> Facts:
    person = session.outside.person
    key = person.ask_secret("The App's private key (PEM)", "GITHUB_APP_KEY")
    webhook = (
        person.ask_secret("The App's webhook secret", "GITHUB_WEBHOOK_SECRET")
        if session.answers.takes_webhooks
        else Secret("")
    )
    return {"id": session.answers.github_app, "url": "", **_store_secrets(session, key, webhook)}


def _store_secrets(session: Session, key: Secret, webhook: Secret) -> Facts:
    versions = {plan.GITHUB_APP_KEY: session.store_secret(plan.GITHUB_APP_KEY, key)}
    if session.answers.takes_webhooks:
        if not webhook:
            raise InputError("GitHub made no webhook secret for the App: delete the App, and run `provenfix setup`.")
        versions[plan.GITHUB_WEBHOOK_SECRET] = session.store_secret(plan.GITHUB_WEBHOOK_SECRET, webhook)
    return versions


def install_github_app(session: Session, _step: Step) -> Facts:
    """The installation's id."""
    slug = session.state.fact(StepName.GITHUB_APP, "slug")
    installation = session.outside.apps.install(slug, session.outside.person.open_page)
    return {"installation": str(installation)}
