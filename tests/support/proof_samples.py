"""Incidents with their proofs, one for each shape that a history or a log can have: what reports are drawn from."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha1

from shared.detection.entry import LogEntry
from shared.detection.incident import Incident, Sighting, Symptom
from shared.detection.signal import SignalKind
from shared.proof.model.compilation import Fault
from shared.proof.model.finding import (
    OtherBrokenFile,
    Attempt,
    BrokenFile,
    CheckStatus,
    DeclaredFile,
    DeployedVersion,
    DeployedSource,
    LoggedDeployment,
    Fix,
    IntroducingCommit,
    ActionKind,
    Finding,
    Reason,
    Recommendation,
    RefusedCommit,
    Rollback,
    Target,
)
from shared.proof.model.history import Commit, FileChange
from shared.report.report import Report, build_report

DAY = datetime(2026, 3, 1, tzinfo=UTC)
PATH = "chat/agents_execute.py"
MESSAGE = "unterminated string literal (detected at line {})"


def at(clock: str) -> datetime:
    """That time of the day of the incident, `03:43:58` or with a fraction."""
    hours, minutes, seconds = clock.split(":")
    return DAY + timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))


def commit(name: str, clock: str, subject: str, *parents: str, author: str = "Mira Holm") -> Commit:
    moment = at(clock)
    return Commit(
        sha1(name.encode()).hexdigest(),
        parents or (sha1(b"p" + name.encode()).hexdigest(),),
        moment,
        moment,
        author,
        subject,
    )


I = commit("I", "01:58:58", "Send the run with every handoff")  # noqa: E741  # the names of the design
A = commit("A", "02:44:30", "fix: resolve f-string syntax error causing container startup failure")
B = commit("B", "03:56:27", "refactor: frame approval events in one place")
F = commit("F", "04:05:14", "refactor: frame the remaining answers too")
HEAD = commit("HEAD", "05:20:09", "Count the open sessions")
GOOD = commit("GOOD", "00:40:00", "Name the events in the documents")


def entry(position: int, clock: str, text: str, revision: str = "chat-00042-def") -> LogEntry:
    return LogEntry(
        position,
        text,
        at(clock),
        severity="ERROR",
        insert_id=f"id{position}",
        service="chat-backend",
        revision=revision,
    )


def sighting(position: int, clock: str, line: int, revision: str) -> Sighting:
    message = MESSAGE.format(line)
    text = f"Uncaught exception: SyntaxError: {message} (agents_execute.py, line {line})"
    return Sighting(
        revision, line, message, "", "3.11", at(clock), at(clock), 1, entry(position, clock, text, revision)
    )


def symptom(position: int, clock: str, text: str, times: int, kind: SignalKind = SignalKind.FOLLOW_ON_ERROR) -> Symptom:
    return Symptom(kind, text, "chat-00042-def", at(clock), at("03:59:00"), times, entry(position, clock, text))


def incident() -> Incident:
    return Incident(
        fingerprint="0123456789abcdef",
        kind=SignalKind.SYNTAX_ERROR,
        service="chat-backend",
        environment="production",
        error_class="SyntaxError",
        path="agents_execute.py",
        sightings=(
            sighting(0, "03:43:43", 624, "chat-00041-abc"),
            sighting(3, "03:43:58.640871", 676, "chat-00042-def"),
        ),
        symptoms=(
            symptom(
                4,
                "03:44:00",
                "received 1011 (internal error); then sent 1011 (internal error)",
                12,
                SignalKind.CLOSE_1011,
            ),
            symptom(5, "03:44:01", "Database session error: 403: Not authenticated", 3),
        ),
        first_seen=at("03:43:43"),
        last_seen=at("03:43:58.640871"),
        occurrences=2,
        dated=True,
    )


def alone(kind: SignalKind, message: str, path: str = "", error_class: str = "") -> Incident:
    """An incident of one entry, of a kind that leads to no proof."""
    seen = entry(7, "03:43:43", message)
    shown = Sighting("chat-00042-def", None, message, "", "", seen.timestamp, seen.timestamp, 4, seen)
    return replace(
        incident(),
        kind=kind,
        path=path,
        error_class=error_class,
        sightings=(shown,),
        symptoms=(),
        occurrences=4,
        last_seen=seen.timestamp,
    )


DECLARED = (
    DeclaredFile(
        ".github/workflows/ci.yml",
        I.id,
        "jobs:\n  test:\n    steps:\n      - uses: actions/setup-python@v5\n        with:\n"
        "          python-version: '3.12'\n      - run: pytest tests\n",
    ),
    DeclaredFile("Dockerfile", I.id, "FROM python:3.11-slim\n"),
    DeclaredFile("pyproject.toml", I.id, '[project]\nname = "chat"\nrequires-python = ">=3.11"\n'),
)
BROKEN = BrokenFile(
    path=PATH,
    fault=Fault("SyntaxError", MESSAGE.format(676), 676, 15, 'yield f"data: {json.dumps({'),
    errors=2,
    error_lines=(676, 690),
    checked_by="cpython-3.11.7",
    explanation="Cannot use line breaks in non-triple-quoted f-string replacement fields on Python 3.11 "
    "(syntax was added in Python 3.12)",
    compiles_on=("3.12", "3.13"),
    compiles_on_checked_by="cpython-3.12.1, ruff-0.17.6",
    excerpt=((675, "    for step in run:"), (676, '        yield f"data: {json.dumps({'), (677, "            'a': 1,")),
)
DEPLOYED = DeployedVersion(
    revision="chat-00042-def",
    commit=B,
    source=DeployedSource.INFERRED,
    corroborated=True,
    candidates=(B.id,),
    uncommitted_tree=True,
    python="3.11",
    python_source=f"Dockerfile: FROM python:3.11-slim (at {I.id})",
    deployments=(
        LoggedDeployment("chat-00041-abc", 624, at("03:43:43"), A, uncommitted=False),
        LoggedDeployment("chat-00042-def", 676, at("03:43:58.640871"), B, uncommitted=True),
    ),
)


def recommendation(kind: ActionKind, reason: Reason, detail: str) -> Recommendation:
    return Recommendation(kind, reason, detail)


def proof() -> Finding:
    """The incident of the design."""
    return Finding(
        deployed=DEPLOYED,
        broken=BROKEN,
        introduced=IntroducingCommit(I, PATH, 7, 611),
        attempts=(Attempt(A, 6, 624), Attempt(B, 2, 676)),
        fix=Fix(F, "merged", excerpt=((676, "        event = {"), (677, '            "a": 1,')), path=PATH),
        target=Target(HEAD, CheckStatus.GREEN, 4, (), (FileChange(PATH, 19, 12), FileChange("docs/flow.png", None, None))),
        rollback=None,
        recommendation=recommendation(
            ActionKind.REDEPLOY, Reason.FIX_NOT_DEPLOYED, f"{HEAD.id} on main contains the fix and passes every gate."
        ),
        branch="main",
        branch_head=HEAD.id,
        declaring_files=DECLARED,
        versions_compiled=10,
    )


def unproven(reason: Reason, detail: str) -> Finding:
    """Nothing is known but what was logged."""
    return replace(
        proof(),
        deployed=replace(
            DEPLOYED,
            commit=None,
            source=DeployedSource.UNKNOWN,
            corroborated=False,
            candidates=(),
            uncommitted_tree=False,
            deployments=(),
        ),
        broken=None,
        introduced=None,
        attempts=(),
        fix=None,
        target=None,
        recommendation=recommendation(ActionKind.NONE, reason, detail),
    )


def _without_fix(**changes: object) -> Finding:
    detail = f"On main, no commit that descends from {B.id} compiles the file."
    none = recommendation(ActionKind.NONE, Reason.NO_FIX, detail)
    return replace(proof(), **{"fix": None, "target": None, "recommendation": none, **changes})  # type: ignore[arg-type]


def _given(source: DeployedSource, **changes: object) -> DeployedVersion:
    plain = replace(DEPLOYED, source=source, uncommitted_tree=False, deployments=())
    return replace(plain, **changes)  # type: ignore[arg-type]


def _unmerged(where: str, number: int | None, ref: str, reason: Reason) -> Finding:
    fix = Fix(F, where, number, ref, path=PATH)
    return replace(
        proof(), fix=fix, target=None, recommendation=recommendation(ActionKind.NONE, reason, f"The file compiles at {ref}.")
    )


def _shapes() -> Mapping[str, tuple[Incident, Finding]]:
    whole, found = incident(), proof()
    undated = replace(whole, dated=False)
    merge = replace(I, parents=(GOOD.id, A.id))
    many = tuple(Attempt(commit(f"try{n}", f"02:{n:02}:00", f"fix: try {n}"), 3, 600 + n) for n in range(1, 31))
    everywhere = replace(
        BROKEN, compiles_on=(), explanation="Expected `:`, found newline", compiles_on_checked_by="ruff-0.17.6"
    )
    unexplained = replace(BROKEN, explanation="", compiles_on=(), compiles_on_checked_by="")
    nul = Fault("SyntaxError", "source code cannot contain null bytes", None)
    no_line = replace(BROKEN, fault=nul, excerpt=(), error_lines=(), errors=1)
    others = (
        OtherBrokenFile("chat/tools.py", 9, "IndentationError: unexpected indent"),
        OtherBrokenFile("chat/x.py", None, "nul"),
    )
    spoken_fix = Fix(replace(F, subject="Repair the answer events"), "merged", path=PATH)
    back = recommendation(ActionKind.ROLLBACK, Reason.EARLIER_COMMIT_GOOD, f"No commit mends it; {GOOD.id} is good.")
    return {
        "design": (whole, found),
        "undated log": (undated, found),
        "time of day only": (
            replace(
                undated,
                first_seen=datetime(1970, 1, 1, 3, 43, 43, tzinfo=UTC),
                last_seen=None,
                symptoms=(),
            ),
            found,
        ),
        "no fix": (whole, _without_fix()),
        "rollback": (whole, _without_fix(rollback=Rollback(GOOD), recommendation=back)),
        "fix by deletion": (whole, replace(found, fix=Fix(F, "merged", is_deletion=True))),
        "fix by rename": (whole, replace(found, fix=Fix(F, "merged", path="chat/agents/execute.py"))),
        "fix in a pull request": (
            whole,
            _unmerged("open_pull_request", 7, "refs/pull/7/head", Reason.FIX_IN_PULL_REQUEST),
        ),
        "fix on a branch": (whole, _unmerged("unmerged_branch", None, "origin/mend-answers", Reason.FIX_UNMERGED)),
        "fix says so": (whole, replace(found, fix=spoken_fix)),
        "fix outlived": (replace(whole, last_seen=at("06:00:00")), found),
        "not corroborated": (
            whole,
            unproven(Reason.NOT_CORROBORATED, "No version of the file fails on a logged line."),
        ),
        "file not found": (whole, unproven(Reason.FILE_NOT_FOUND, "No commit of main has a file agents_execute.py.")),
        "given commit contradicts the log": (
            whole,
            replace(
                found,
                deployed=_given(
                    DeployedSource.INFERRED,
                    conflict=f"The log says line 676 of agents_execute.py; at the given commit {GOOD.id}, it compiles.",
                ),
            ),
        ),
        "given commit fits": (whole, replace(found, deployed=_given(DeployedSource.GIVEN))),
        "label": (whole, replace(found, deployed=_given(DeployedSource.LABEL))),
        "broken on every version": (whole, replace(found, broken=everywhere)),
        "without explanation": (whole, replace(found, broken=unexplained)),
        "no line": (whole, replace(found, broken=no_line)),
        "interpreter and ruff differ": (
            whole,
            replace(found, broken=replace(BROKEN, second_opinion=f"ruff-0.17.6 finds no error in {PATH}.")),
        ),
        "also broken": (
            whole,
            replace(found, broken=replace(BROKEN, also_broken=others)),
        ),
        "merge brought it in": (whole, replace(found, introduced=IntroducingCommit(merge, PATH, 7, 611))),
        "arrived broken": (whole, replace(found, introduced=IntroducingCommit(I, PATH, 7, 611, was_added_broken=True))),
        "renamed after the break": (whole, replace(found, introduced=IntroducingCommit(I, "chat/execute.py", 7, 611))),
        "history cut": (
            whole,
            replace(found, introduced=None, declaring_files=(), gaps=("The copy is shallow: 50 commits are there.",)),
        ),
        "no attempt": (whole, replace(found, attempts=(), deployed=replace(DEPLOYED, commit=I, deployments=()))),
        "many attempts": (whole, replace(found, attempts=many)),
        "refused": (whole, replace(found, refused_commits=(RefusedCommit(HEAD, "checks", "its checks are red"),))),
        "no ci": (whole, replace(found, declaring_files=DECLARED[1:])),
        "ci covers it": (
            whole,
            replace(found, declaring_files=(replace(DECLARED[0], text=DECLARED[0].text.replace("3.12", "3.11")),)),
        ),
        "ci unreadable": (whole, replace(found, declaring_files=(replace(DECLARED[0], text="a: [b"),))),
        "ci without version": (
            whole,
            replace(found, declaring_files=(replace(DECLARED[0], text="jobs:\n  a:\n    steps:\n      - run: pytest\n"),)),
        ),
        "no symptoms": (replace(whole, symptoms=()), found),
        "service not named": (replace(whole, service="unknown", environment="default"), found),
        "close 1011 alone": (
            alone(SignalKind.CLOSE_1011, "received 1011 (internal error)"),
            unproven(Reason.CLOSE_1011_WITHOUT_CAUSE, "The log shows no cause."),
        ),
        "keepalive timeout": (
            alone(SignalKind.KEEPALIVE_TIMEOUT, "sent 1011 (internal error) keepalive ping timeout"),
            unproven(Reason.KEEPALIVE_TIMEOUT, "A redeploy does not mend a slow network."),
        ),
        "dynamic code": (
            alone(SignalKind.DYNAMIC_CODE, "invalid syntax", "<string>", "SyntaxError"),
            unproven(Reason.DYNAMIC_CODE, "The code is in no commit."),
        ),
        "dependency": (
            alone(SignalKind.DEPENDENCY, "invalid syntax", "/usr/lib/python3.11/site-packages/q/a.py", "SyntaxError"),
            unproven(Reason.DEPENDENCY, "The file belongs to a package."),
        ),
        "not python": (
            alone(
                SignalKind.NOT_PYTHON, "Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON", "", "SyntaxError"
            ),
            unproven(Reason.NOT_PYTHON, "The error comes from another language."),
        ),
        "nothing sighted": (
            replace(alone(SignalKind.CLOSE_1011, "x"), sightings=(), first_seen=None, last_seen=None),
            unproven(Reason.CLOSE_1011_WITHOUT_CAUSE, "The log shows no cause."),
        ),
    }


SHAPES = _shapes()


def report_on(shape: str) -> Report:
    return build_report(*SHAPES[shape])
