"""The steps at Google Cloud that are more than their commands: the project, and who Terraform asks as."""

from functions.setup.session import AGAIN, Session
from functions.setup.state import Facts
from functions.setup.step import Step
from shared.errors import InputError


def check_project(session: Session, step: Step) -> Facts:
    """The project's number. Raises InputError for one without billing."""
    describe, billing = step.commands
    number = session.read(describe.argv)
    if session.read(billing.argv).lower() != "true":
        project = session.answers.project
        raise InputError(
            f"The project {project} has no billing: run `gcloud billing projects link {project} --billing-account=ID`. "
            + AGAIN
        )
    return {"number": number}


def sign_in(session: Session, step: Step) -> Facts:
    """Signs in where nobody is; the browser's page is the user's business."""
    login, quota = step.commands
    if session.outside.commands.read(login.unless).code != 0:
        session.run_shown(login)
    session.run(quota)
    return {}


def run_commands(session: Session, step: Step) -> Facts:
    """A step that is nothing but its commands."""
    for command in step.commands:
        session.run(command)
    return {}
