"""Runs the steps that are not done, in their order; and takes back those that began, in the reverse one."""

from collections.abc import Callable, Mapping

from functions.setup import check_steps, github_steps, google_steps, local_steps, plan, slack_steps
from functions.setup.plan import plan_steps
from functions.setup.session import Session, describe_failure
from functions.setup.state import Facts, SetupState
from functions.setup.step import Step, StepName
from shared.errors import InputError, UsageError

_ACTIONS: Mapping[StepName, Callable[[Session, Step], Facts]] = {
    StepName.PROJECT: google_steps.check_project,
    StepName.CREDENTIALS: google_steps.sign_in,
    StepName.APIS: google_steps.run_commands,
    StepName.IDENTITIES: google_steps.run_commands,
    StepName.STATE: google_steps.run_commands,
    StepName.SECRETS: google_steps.run_commands,
    StepName.SLACK_APP: slack_steps.create_slack_app,
    StepName.SLACK_CHANNEL: slack_steps.greet_channel,
    StepName.GITHUB_APP: github_steps.create_github_app,
    StepName.GITHUB_INSTALLATION: github_steps.install_github_app,
    StepName.CONFIGURATION: local_steps.write_configuration,
    StepName.BUNDLE: local_steps.pack_functions,
    StepName.TERRAFORM: local_steps.apply_terraform,
    StepName.DOCTOR: check_steps.run_doctor,
    StepName.TRIAL: check_steps.try_entry,
}


def run_steps(session: Session) -> None:
    """Runs each step that is not done, after it was shown. Raises InputError and UsageError where one fails.

    A step that derives from others runs again as soon as one before it has run.
    """
    steps, has_run = session.steps, False
    for number, step in enumerate(steps, 1):
        if session.state.is_done(step) and not (step.is_derived and has_run):
            session.outside.person.report_line(f"{number}/{len(steps)} {step.title}: done before")
            continue
        session.outside.person.report_line(f"{number}/{len(steps)} {format_step(step)}")
        session.keep(session.state.with_begun(step.name))
        facts = _ACTIONS[step.name](session, step)
        session.keep(session.state.with_done(step, facts))
        has_run = True


def require_secrets(session: Session) -> None:
    """Raises UsageError for secrets that a later step would ask for in vain: before anything is made."""
    waiting = {step.name for step in session.steps if not session.state.is_done(step)}
    variables = plan.list_variables(session.answers, waiting)
    unset = [variable for variable in variables if not session.outside.person.has_secret(variable)]
    if unset:
        raise UsageError(f"Nobody can be asked without a terminal: set {', '.join(unset)}.")


def undo_steps(session: Session) -> None:
    """Takes back what began, the last one first; prints what is left to users. Raises InputError."""
    report = session.outside.person.report_line
    for step in reversed(session.steps):
        if step.name not in session.state.steps:
            continue
        if step.undo:
            report("\n".join((f"Undo: {step.title}", *(f"    {command}" for command in step.undo))))
        _undo_step(session, step)
        if step.undo_note:
            report(f"{step.undo_note}{_app_address(session, step)}")
        session.keep(session.state.without(step.name))
    session.outside.state_file.remove()
    session.state = SetupState()


def _undo_step(session: Session, step: Step) -> None:
    if step.name is StepName.TERRAFORM:
        local_steps.destroy_deployment(session, step)
        return
    for command in step.undo:
        result = session.outside.commands.read(command.argv)
        if result.code != 0 and not _is_gone(result.errors):
            raise InputError(
                f"{describe_failure(command.argv, result)} Fix this. Then run `provenfix teardown` again: it goes on."
            )


def _is_gone(errors: str) -> bool:
    """Whether there was nothing to take back any more."""
    return "NOT_FOUND" in errors or "not found" in errors or "matched no objects" in errors


def _app_address(session: Session, step: Step) -> str:
    address = session.state.fact(step.name, "url") if step.name is StepName.GITHUB_APP else ""
    return f" ({address})" if address else ""


def format_plan(session: Session) -> str:
    """All steps, with what takes each of them back."""
    lines = []
    steps = plan_steps(session.answers, session.paths)
    for number, step in enumerate(steps, 1):
        done = " (done)" if session.state.is_done(step) else ""
        lines.append(f"{number}/{len(steps)} {format_step(step)}{done}")
        undo = [str(command) for command in step.undo] + ([step.undo_note] if step.undo_note else [])
        lines += [f"    undo: {item}" for item in undo]
    return "\n".join(lines)


def format_step(step: Step) -> str:
    """Its title, then what it runs and does, indented."""
    return "\n".join((step.title, *(f"    {item}" for item in (*map(str, step.commands), *step.notes))))
