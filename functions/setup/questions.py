"""Asks for what nobody has answered yet: eight questions at most, those for two secrets included."""

import json
from dataclasses import replace

from functions.setup.answers import (
    Answers,
    WatchedService,
    check_answers,
    list_missing,
    parse_people,
    parse_repositories,
    parse_services,
)
from functions.setup.ports import Person
from functions.setup.session import Session
from shared.errors import UsageError


def complete_answers(session: Session, *, is_present: bool) -> None:
    """Keeps each answer as soon as it is given. Raises UsageError where nobody can be asked."""
    answers = session.answers
    check_answers(answers)
    missing = list_missing(answers)
    if missing and not is_present:
        raise UsageError(f"Nobody can be asked without a terminal: give {', '.join(missing)}, or --answers FILE.")
    person = session.outside.person
    if not answers.project:
        chosen = person.choose(
            "In which project does provenfix itself run? It watches none of its own.", _projects(session)
        )
        session.keep_answers(replace(session.answers, project=chosen[0]))
    if not session.answers.watched_project:
        others = [project for project in _projects(session) if project != session.answers.project]
        chosen = person.choose("Which project holds the services to watch?", others)
        session.keep_answers(replace(session.answers, watched_project=chosen[0]))
    if not session.answers.services:
        session.keep_answers(replace(session.answers, services=_choose_services(session, person)))
    if not session.answers.region:
        regions = _regions(session, session.answers)
        chosen = person.choose("In which region does provenfix run?", regions)
        session.keep_answers(replace(session.answers, region=chosen[0]))
    _ask_people(session, person)
    if not session.answers.email:
        session.keep_answers(replace(session.answers, email=_account(session)))
    check_answers(session.answers)


def _ask_people(session: Session, person: Person) -> None:
    answers = session.answers
    if len(answers.repositories) != len({service.name for service in answers.services}):
        names = " ".join(f"{service.name}=OWNER/NAME" for service in answers.services)
        text = person.ask(
            f"Which repository on GitHub? OWNER/NAME for all, or {names}",
            lambda given: _require_all(parse_repositories(given.split(), answers.services), answers),
        )
        answers = replace(answers, repositories=parse_repositories(text.split(), answers.services))
    if answers.uses_chat and not (answers.channel and answers.approvers):
        text = person.ask(
            "Which Slack channel is asked, and who may approve? Ids, such as: C024BE91L U024BE7LH",
            lambda given: parse_people(given.split()),
        )
        channel, approvers = parse_people(text.split())
        answers = replace(answers, channel=channel, approvers=approvers)
    session.keep_answers(answers)


def _require_all(repositories: dict[str, str], answers: Answers) -> None:
    missing = sorted({service.name for service in answers.services} - set(repositories))
    if missing:
        raise UsageError(f"Name the repository of {', '.join(missing)}, too.")


def _projects(session: Session) -> list[str]:
    listed = session.read(("gcloud", "projects", "list", "--format=value(projectId)", "--sort-by=projectId"))
    projects = listed.split()
    if not projects:
        raise UsageError("Your account sees no project: gcloud projects create ID, or gcloud auth login.")
    return projects


def list_services(session: Session) -> list[WatchedService]:
    """The services of the watched project, in all regions."""
    project = session.answers.watched_project
    listed = json.loads(
        session.read(("gcloud", "run", "services", "list", f"--project={project}", "--format=json")) or "[]"
    )
    services = [
        WatchedService(item["metadata"]["name"], item["metadata"]["labels"]["cloud.googleapis.com/location"])
        for item in listed
    ]
    if not services:
        raise UsageError(f"No service of Cloud Run is deployed in {project}: deploy one first.")
    return services


def _choose_services(session: Session, person: Person) -> tuple[WatchedService, ...]:
    known = list_services(session)
    names = [f"{service.name}@{service.region}" for service in known]
    chosen = person.choose("Which services are watched?", names, many=True)
    return parse_services(chosen, known)


def _regions(session: Session, answers: Answers) -> list[str]:
    """Those of the services first: the first one is the default."""
    near = [service.region for service in answers.services]
    listed = session.read(("gcloud", "run", "regions", "list", "--format=value(locationId)")).split()
    return list(dict.fromkeys((*near, *sorted(listed))))


def _account(session: Session) -> str:
    """Who gets a message when provenfix itself fails; a service account has no mail."""
    account = session.read(("gcloud", "config", "get-value", "account"))
    return "" if account.endswith("gserviceaccount.com") or "@" not in account else account
