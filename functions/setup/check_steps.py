"""The last two steps: doctor as each function's account, and one entry that goes the whole way."""

import json
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.setup.plan import list_functions
from functions.setup.session import AGAIN, Session
from functions.setup.state import Facts
from functions.setup.step import Step
from shared.errors import InputError
from shared.proof.model.recommendation import Reason
from shared.text.timestamps import format_rfc3339

_ROLE = "roles/iam.serviceAccountTokenCreator"
_GRANT_DURATION = timedelta(hours=1)
_DOCTOR_ATTEMPTS = 5
_DOCTOR_PAUSE_SECONDS = 60.0
"""A grant takes a minute or two to be in effect."""
_READ_ATTEMPTS = 24
_READ_PAUSE_SECONDS = 15.0
_CLOCK_DIFFERENCE = timedelta(minutes=2)
"""How far the clock of this machine may be ahead of the platform's."""


def run_doctor(session: Session, _step: Step) -> Facts:
    """Asks until nothing is missing, or the grants must have arrived. Raises InputError."""
    user = session.read(("gcloud", "config", "get-value", "account"))
    until = datetime.now(UTC) + _GRANT_DURATION
    condition = f"title=provenfix-setup,expression=request.time < timestamp('{until:%Y-%m-%dT%H:%M:%SZ}')"
    try:
        for argv in _bind_accounts(session, "add-iam-policy-binding", user, condition):
            session.read(argv)
        missing = _ask_doctor(session)
    finally:
        for argv in _bind_accounts(session, "remove-iam-policy-binding", user, condition):
            session.outside.commands.read(argv)  # what is not there need not go; it ends within the hour anyhow
    if missing:
        raise InputError(f"Something is missing: doctor names it above, with the command that fixes it. {AGAIN}")
    return {}


def _ask_doctor(session: Session) -> bool:
    """Whether something is missing by the time at which the grants must have arrived; only the last look is shown."""
    for attempt in range(_DOCTOR_ATTEMPTS):
        if attempt:
            session.outside.wait(_DOCTOR_PAUSE_SECONDS)
        code, text = session.outside.run_doctor(session.paths.deployed_config, session.answers.project)
        if code == 0:
            break
    session.outside.person.report_line(text)
    return code != 0


def _bind_accounts(session: Session, verb: str, user: str, condition: str) -> list[tuple[str, ...]]:
    kind = "serviceAccount" if user.endswith("gserviceaccount.com") else "user"
    project, commands = session.answers.project, list[tuple[str, ...]]()
    for name in list_functions(session.answers):
        account = f"provenfix-{name}@{project}.iam.gserviceaccount.com"
        argv = ("gcloud", "iam", "service-accounts", verb, account, f"--project={project}")
        commands.append((*argv, f"--member={kind}:{user}", f"--role={_ROLE}", f"--condition={condition}"))
    return commands


def try_entry(session: Session, _step: Step) -> Facts:
    """Writes the entry, follows its incident, and shows where it ends. Raises InputError where it does not arrive."""
    answers, service = session.answers, session.answers.services[0]
    described = ("gcloud", "run", "services", "describe", service.name, f"--project={answers.watched_project}")
    revision = session.read(
        (*described, f"--region={service.region}", "--format=value(status.latestReadyRevisionName)")
    )
    file, since = f"provenfix_setup_{secrets.token_hex(4)}.py", datetime.now(UTC) - _CLOCK_DIFFERENCE
    labels = (
        f"project_id={answers.watched_project},location={service.region},service_name={service.name},"
        f"revision_name={revision},configuration_name={service.name}"
    )
    session.read(
        ("gcloud", "logging", "write", "provenfix-test", f"--project={answers.watched_project}", "--severity=ERROR",
         "--monitored-resource-type=cloud_run_revision", f"--monitored-resource-labels={labels}",
         f"SyntaxError: unterminated string literal (detected at line 1) ({file}, line 1)")
    )  # fmt: skip
    report = session.outside.person.report_line
    report("The entry is written. Waiting for `investigate` …")
    end = _await_line(session, "investigate", since, lambda line: line.get("detail") == Reason.FILE_NOT_FOUND.value)
    report(f"record: opened {end['incident']}")
    report(f"investigate: {end['outcome']} ({end['detail']})")
    report(f"That is its end: no commit holds {file}, so nothing is proven and nothing is proposed.")
    return {"incident": str(end["incident"]), "end": str(end["detail"])}


def _await_line(
    session: Session, function: str, since: datetime, is_wanted: Callable[[Mapping[str, Any]], bool]
) -> Mapping[str, Any]:
    """The newest line that a function of provenfix has written since then and that is wanted.

    A watched service may fail on its own in these minutes; its incidents have lines as well.
    """
    argv = (
        "gcloud", "logging", "read",
        f'jsonPayload.provenfix.function="{function}" timestamp>="{format_rfc3339(since)}"',
        f"--project={session.answers.project}", "--freshness=1h", "--limit=50", "--format=json",
    )  # fmt: skip
    for attempt in range(_READ_ATTEMPTS):
        if attempt:
            session.outside.wait(_READ_PAUSE_SECONDS)
        lines = (entry.get("jsonPayload", {}).get("provenfix", {}) for entry in json.loads(session.read(argv) or "[]"))
        wanted: Mapping[str, Any] | None = next(filter(is_wanted, lines), None)
        if wanted is not None:
            return wanted
    raise InputError(
        f"The entry did not arrive at `{function}` within six minutes: `provenfix doctor` and the log of "
        f"provenfix-{function} say why. {AGAIN}"
    )
