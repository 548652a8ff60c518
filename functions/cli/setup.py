"""`provenfix setup` and `provenfix teardown`: install provenfix into a project of Google Cloud, and take it out."""

import io
import sys
import time
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from functions.cli import bundle
from functions.cli.doctor.command import run_doctor
from functions.local.stack_folder import lock_folder, override_environ
from functions.setup.adapters.github_registration import BrowserRegistration
from functions.setup.adapters.private_state import PrivateStateFile
from functions.setup.adapters.programs import LocalPrograms
from functions.setup.adapters.slack_workspace import SlackWorkspace
from functions.setup.adapters.terminal import TerminalPerson
from functions.setup.answers import Answers, check_answers, merge_answers, parse_repositories, parse_services
from functions.setup.ports import Outside, Place
from functions.setup.questions import complete_answers, list_services
from functions.setup.run_setup import format_plan, require_secrets, run_steps, undo_steps
from functions.setup.session import Session
from functions.setup.state import SetupState, state_from_text
from shared.errors import InputError, UsageError

_DEFAULT_FOLDER = Path(".provenfix")
_ANSWER_KEYS = frozenset(Answers.__dataclass_fields__)
_LISTS = ("services", "repositories", "approvers", "pythons")


def run_setup(session: Session, given: Mapping[str, Any], *, plan: bool, is_present: bool) -> int:
    """`given` holds answers by the names of `Answers`, lists as they are typed. Raises InputError and UsageError."""
    texts = {name: given.get(name) or () for name in ("services", "repositories")}
    plain = {name: value for name, value in given.items() if name not in texts}
    answers = merge_answers(session.answers, plain)
    check_answers(answers)
    session.state = SetupState(answers, session.state.steps)
    if not (plan and texts["services"] and not answers.watched_project) and texts["services"]:
        answers = merge_answers(answers, {"services": parse_services(texts["services"], list_services(session))})
    if texts["repositories"]:
        repositories = parse_repositories(texts["repositories"], answers.services)
        answers = merge_answers(answers, {"repositories": {**answers.repositories, **repositories}})
    session.state = SetupState(answers, session.state.steps)
    if plan:
        print(format_plan(session))
        return 0
    _require_clients(session.answers)
    session.keep(session.state)
    complete_answers(session, is_present=is_present)
    require_secrets(session)
    run_steps(session)
    installed = f"provenfix is installed in {session.answers.project}."
    session.outside.person.report_line(f"{installed} It is taken out with: provenfix teardown")
    return 0


def _require_clients(answers: Answers) -> None:
    """Raises ModuleNotFoundError for a light installation: before anything is made."""
    for name in ("google.auth", *(("slack_sdk",) if answers.uses_chat else ())):
        import_module(name)


def run_teardown(session: Session) -> int:
    """Raises InputError where something could not be taken back; the next run goes on there."""
    if not session.state.steps:
        session.outside.person.report_line("Nothing is set up from this folder.")
        return 0
    project = session.answers.project
    session.outside.person.report_line(
        f"This deletes what setup has made in {project}, with all incidents and decisions."
    )
    if not session.outside.person.confirm(f"Delete it from {project}?"):
        raise InputError("Nothing was deleted.")
    undo_steps(session)
    session.outside.person.report_line("Done. What is left to you is named above.")
    return 0


def open_session(folder: Path, config: Path, *, is_present: bool, agreed: bool) -> Session:
    """Raises InputError for a state that cannot be read."""
    paths = Place(folder.absolute(), config.absolute(), bundle.ROOT)
    outside = Outside(
        LocalPrograms(),
        TerminalPerson(is_present=is_present, agreed=agreed),
        BrowserRegistration(),
        SlackWorkspace(),
        PrivateStateFile(folder),
        _check_deployment,
        partial(bundle.write_bundles, config, paths.build),
        time.sleep,
    )
    return Session(paths, outside, read_state(outside, folder))


def read_state(outside: Outside, folder: Path) -> SetupState:
    """The state of an earlier run, or an empty one. Raises InputError."""
    text = outside.state_file.read()
    try:
        return state_from_text(text) if text else SetupState()
    except ValueError as error:
        raise InputError(f"{folder}/setup.json is no state of a setup ({error}); rename it to begin anew.") from None


def _check_deployment(config: Path, project: str) -> tuple[int, str]:
    printed = io.StringIO()
    with override_environ({"PROVENFIX_PROJECT": project, "PROVENFIX_DATABASE": "provenfix"}), redirect_stdout(printed):
        code = run_doctor(config, project, "text")
    return code, printed.getvalue().rstrip()


def read_answers_file(path: Path | None) -> dict[str, Any]:
    """YAML with the names of `Answers` as keys. Raises InputError and UsageError."""
    if path is None:
        return {}
    try:
        document = yaml.safe_load(path.read_text("utf-8")) or {}
    except OSError as error:
        raise InputError(f"--answers {path}: {error.strerror}; name a YAML file with the answers.") from None
    except (ValueError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        raise InputError(f"--answers {path}{line}: this is not YAML.") from None
    if not isinstance(document, dict):
        raise UsageError(f"--answers {path}: the file must be keys with values.")
    if unknown := sorted(map(str, set(document) - _ANSWER_KEYS)):
        raise UsageError(f"--answers {path}: {unknown[0]} is no known key; known: {', '.join(sorted(_ANSWER_KEYS))}.")
    for name in _LISTS:
        if name in document and isinstance(document[name], str):
            document[name] = document[name].split()
        if isinstance(document.get(name), dict):
            document[name] = [f"{key}={value}" for key, value in document[name].items()]
    wrong = [name for name in document if isinstance(document[name], list) is not (name in _LISTS)]
    if wrong:
        raise UsageError(f"{path}: {wrong[0]} must be {'a list' if wrong[0] in _LISTS else 'one value'}.")
    return {name: tuple(map(str, value)) if name in _LISTS else value for name, value in document.items()}


_FolderOption = Annotated[Path, typer.Option(metavar="PATH", help="Stack directory: where the state of the setup is.")]
_ConfigOption = Annotated[Path, typer.Option(metavar="FILE", help="The configuration that setup writes.")]
_YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]


def setup(  # noqa: PLR0913  # one option for each answer
    *,
    plan: Annotated[bool, typer.Option("--plan", help="Print the steps, and do nothing.")] = False,
    read_only: Annotated[
        bool | None,
        typer.Option("--read-only/--full", help="Without rights to deploy and without questions; or all."),
    ] = None,
    log_only: Annotated[bool, typer.Option("--log-only", help="With --read-only: no issues, only the log.")] = False,
    socket_mode: Annotated[
        bool, typer.Option("--socket-mode", help="Nothing is reached from outside: Slack by Socket Mode, no webhook.")
    ] = False,
    project: Annotated[str, typer.Option(metavar="ID", help="Project that provenfix runs in.")] = "",
    watched_project: Annotated[str, typer.Option(metavar="ID", help="Project of the watched services.")] = "",
    service: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Service, as NAME or NAME@REGION.")] = None,
    region: Annotated[str, typer.Option(metavar="REGION", help="Region that provenfix runs in.")] = "",
    repository: Annotated[
        list[str] | None, typer.Option(metavar="OWNER/NAME", help="For all services, or SERVICE=OWNER/NAME.")
    ] = None,
    channel: Annotated[str, typer.Option(metavar="ID", help="Slack channel that is asked.")] = "",
    approver: Annotated[list[str] | None, typer.Option(metavar="ID", help="Slack user who may approve.")] = None,
    email: Annotated[str, typer.Option(metavar="ADDRESS", help="Address for provenfix's own alerts.")] = "",
    python: Annotated[list[str] | None, typer.Option(metavar="X.Y", help="Python with a compile function.")] = None,
    github_app: Annotated[str, typer.Option(metavar="ID", help="Id of an existing GitHub App.")] = "",
    installation: Annotated[int, typer.Option(metavar="N", help="Installation id of that app.")] = 0,
    answers: Annotated[Path | None, typer.Option(metavar="FILE", help="YAML with the answers.")] = None,
    yes: _YesOption = False,
    folder: _FolderOption = _DEFAULT_FOLDER,
    config: _ConfigOption = Path("provenfix.yaml"),
) -> int:
    """Install provenfix on Google Cloud, step by step.

    Each step is shown before it happens. Run it again after an error: it goes on where it stopped.
    """
    if log_only and not read_only:
        raise UsageError("--log-only needs --read-only: a question has to be asked somewhere.")
    options = {
        "project": project, "watched_project": watched_project, "services": tuple(service or ()), "region": region,
        "repositories": tuple(repository or ()), "channel": channel, "approvers": tuple(approver or ()), "email": email,
        "pythons": tuple(python or ()), "github_app": github_app, "installation": installation,
        "read_only": ("log" if log_only else "issue") if read_only else "", "socket_mode": socket_mode,
    }  # fmt: skip
    given = {**read_answers_file(answers), **{name: value for name, value in options.items() if value}}
    is_present = sys.stdin.isatty()
    session = open_session(folder, config, is_present=is_present, agreed=yes)
    if read_only is False:
        session.state = replace(session.state, answers=replace(session.answers, read_only=""))
    if plan:
        return run_setup(session, given, plan=True, is_present=is_present)
    with lock_folder(folder):
        return run_setup(session, given, plan=False, is_present=is_present)


def teardown(
    *,
    yes: _YesOption = False,
    folder: _FolderOption = _DEFAULT_FOLDER,
    config: _ConfigOption = Path("provenfix.yaml"),
) -> int:
    """Take back what setup has made, the last step first.

    Run it again after an error: it goes on where it stopped.
    """
    session = open_session(folder, config, is_present=sys.stdin.isatty(), agreed=yes)
    with lock_folder(folder):
        return run_teardown(session)
