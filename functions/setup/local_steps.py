"""What is written on this machine, and applied: provenfix.yaml, the zips, Terraform's root module."""

from functions.local.private_files import make_private, write_private
from functions.setup.configuration import render_configuration, render_root_module
from functions.setup.plan import digest
from functions.setup.session import AGAIN, Session
from functions.setup.state import Facts
from functions.setup.step import Step, StepName
from shared.errors import InputError, UsageError

ROOT_MODULE = "main.tf.json"


def write_configuration(session: Session, _step: Step) -> Facts:
    """Replaces only a file that a setup has written and nobody has changed. Raises UsageError for another one."""
    path, text = session.paths.config, render_configuration(session.answers, session.state)
    written = session.state.fact(StepName.CONFIGURATION, "digest")
    known = path.read_text("utf-8") if path.exists() else text
    if known != text and digest(known) != written:
        raise UsageError(f"{path} is not as setup wrote it: rename it, or name another file with --config. {AGAIN}")
    path.write_text(text, "utf-8")
    return {"digest": digest(text)}


def pack_functions(session: Session, _step: Step) -> Facts:
    """See `functions.cli.bundle`."""
    session.outside.write_bundles()
    return {}


def apply_terraform(session: Session, step: Step) -> Facts:
    """One plan, shown; one question; one apply."""
    make_private(session.paths.root)
    write_private(session.paths.root / ROOT_MODULE, render_root_module(session.answers, session.paths))
    init, lock, plan, apply = step.commands
    for command in (init, lock, plan):
        session.run_shown(command)
    if not session.outside.person.confirm("Apply this plan?"):
        raise InputError(f"Nothing was applied. {AGAIN}")
    session.keep_facts(step.name, {"applied": "begun"})
    session.run_shown(apply)
    write_deployed_config(session)
    return {}


def write_deployed_config(session: Session) -> None:
    """The file as the functions have it."""
    argv = ("terraform", f"-chdir={session.paths.root}", "output", "-raw", "config")
    write_private(session.paths.deployed_config, session.read(argv) + "\n")


def destroy_deployment(session: Session, step: Step) -> None:
    """Lets go of the data first, where there are any: Terraform protects them twice.

    A state that cannot be read is never taken for an empty one: its bucket is the next thing to go.
    """
    if not session.state.fact(step.name, "applied"):
        return
    release, destroy = step.undo
    listed = session.read(("terraform", f"-chdir={session.paths.root}", "state", "list"))
    if "google_firestore_database.state" in listed:
        session.run_shown(release)
    session.run_shown(destroy)
