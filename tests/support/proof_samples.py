"""Incidents with their proofs, one for each shape that a history or a log can have: what reports are drawn from."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha1

from shared.detection.entry import LogEntry
from shared.detection.incident import Incident, Sighting, Symptom
from shared.detection.signal import SignalKind
from shared.proof.model.compilation import Fault
from shared.proof.model.deployed_version import DeployedSource, DeployedVersion, LoggedDeployment
from shared.proof.model.finding import Attempt, BrokenFile, DeclaredFile, Finding, Fix, IntroducingCommit, Rollback
from shared.proof.model.history import Commit, FileChange
from shared.proof.model.recommendation import ActionKind, Reason, Recommendation
from shared.proof.model.target import (
    CheckStatus,
    Experiment,
    ExperimentRound,
    OtherBrokenFile,
    RefusedCommit,
    Target,
    TrialCandidate,
)
from shared.report.report import Report, build_report

DAY = datetime(2026, 3, 1, tzinfo=UTC)
PATH = "chat/agents_execute.py"
MESSAGE = "unterminated string literal (detected at line {})"


def time_of_day(clock: str) -> datetime:
    """That time of the day of the incident, `03:43:58` or with a fraction."""
    hours, minutes, seconds = clock.split(":")
    return DAY + timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))


def make_commit(name: str, clock: str, subject: str, *parents: str, author: str = "Mira Holm") -> Commit:
    moment = time_of_day(clock)
    return Commit(
        sha1(name.encode()).hexdigest(),
        parents or (sha1(b"p" + name.encode()).hexdigest(),),
        moment,
        moment,
        author,
        subject,
    )


INTRODUCING = make_commit("I", "01:58:58", "Send the run with every handoff")  # the names of the design
FIRST_ATTEMPT = make_commit("A", "02:44:30", "fix: resolve f-string syntax error causing container startup failure")
SECOND_ATTEMPT = make_commit("B", "03:56:27", "refactor: frame approval events in one place")
FIXING = make_commit("F", "04:05:14", "refactor: frame the remaining answers too")
HEAD = make_commit("HEAD", "05:20:09", "Count the open sessions")
GOOD_COMMIT = make_commit("GOOD", "00:40:00", "Name the events in the documents")


def make_entry(position: int, clock: str, text: str, revision: str = "chat-00042-def") -> LogEntry:
    return LogEntry(
        position,
        text,
        time_of_day(clock),
        severity="ERROR",
        insert_id=f"id{position}",
        service="chat-backend",
        revision=revision,
    )


def make_sighting(position: int, clock: str, line: int, revision: str) -> Sighting:
    message = MESSAGE.format(line)
    text = f"Uncaught exception: SyntaxError: {message} (agents_execute.py, line {line})"
    return Sighting(
        revision,
        line,
        message,
        "",
        "3.11",
        time_of_day(clock),
        time_of_day(clock),
        1,
        make_entry(position, clock, text, revision),
    )


def make_symptom(
    position: int, clock: str, text: str, times: int, kind: SignalKind = SignalKind.FOLLOW_ON_ERROR
) -> Symptom:
    return Symptom(
        kind,
        text,
        "chat-00042-def",
        time_of_day(clock),
        time_of_day("03:59:00"),
        times,
        make_entry(position, clock, text),
    )


def sample_incident() -> Incident:
    return Incident(
        fingerprint="0123456789abcdef",
        kind=SignalKind.SYNTAX_ERROR,
        service="chat-backend",
        environment="production",
        error_class="SyntaxError",
        path="agents_execute.py",
        sightings=(
            make_sighting(0, "03:43:43", 624, "chat-00041-abc"),
            make_sighting(3, "03:43:58.640871", 676, "chat-00042-def"),
        ),
        symptoms=(
            make_symptom(
                4,
                "03:44:00",
                "received 1011 (internal error); then sent 1011 (internal error)",
                12,
                SignalKind.CLOSE_1011,
            ),
            make_symptom(5, "03:44:01", "Database session error: 403: Not authenticated", 3),
        ),
        first_seen=time_of_day("03:43:43"),
        last_seen=time_of_day("03:43:58.640871"),
        occurrences=2,
        dated=True,
    )


def single_entry_incident(kind: SignalKind, message: str, path: str = "", error_class: str = "") -> Incident:
    """An incident of one entry, of a kind that leads to no proof."""
    seen = make_entry(7, "03:43:43", message)
    shown = Sighting("chat-00042-def", None, message, "", "", seen.timestamp, seen.timestamp, 4, seen)
    return replace(
        sample_incident(),
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
        INTRODUCING.id,
        "jobs:\n  test:\n    steps:\n      - uses: actions/setup-python@v5\n        with:\n"
        "          python-version: '3.12'\n      - run: pytest tests\n",
    ),
    DeclaredFile("Dockerfile", INTRODUCING.id, "FROM python:3.11-slim\n"),
    DeclaredFile("pyproject.toml", INTRODUCING.id, '[project]\nname = "chat"\nrequires-python = ">=3.11"\n'),
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
    commit=SECOND_ATTEMPT,
    source=DeployedSource.INFERRED,
    corroborated=True,
    candidates=(SECOND_ATTEMPT.id,),
    uncommitted_tree=True,
    python="3.11",
    python_source=f"Dockerfile: FROM python:3.11-slim (at {INTRODUCING.id})",
    deployments=(
        LoggedDeployment("chat-00041-abc", 624, time_of_day("03:43:43"), FIRST_ATTEMPT, uncommitted=False),
        LoggedDeployment("chat-00042-def", 676, time_of_day("03:43:58.640871"), SECOND_ATTEMPT, uncommitted=True),
    ),
)


def make_recommendation(kind: ActionKind, reason: Reason, detail: str) -> Recommendation:
    return Recommendation(kind, reason, detail)


def sample_proof() -> Finding:
    """The incident of the design."""
    return Finding(
        deployed=DEPLOYED,
        broken=BROKEN,
        introduced=IntroducingCommit(INTRODUCING, PATH, 7, 611),
        attempts=(Attempt(FIRST_ATTEMPT, 6, 624), Attempt(SECOND_ATTEMPT, 2, 676)),
        fix=Fix(FIXING, "merged", excerpt=((676, "        event = {"), (677, '            "a": 1,')), path=PATH),
        target=Target(
            HEAD, CheckStatus.GREEN, 4, (), (FileChange(PATH, 19, 12), FileChange("docs/flow.png", None, None))
        ),
        rollback=None,
        recommendation=make_recommendation(
            ActionKind.REDEPLOY, Reason.FIX_NOT_DEPLOYED, f"{HEAD.id} on main contains the fix and passes every gate."
        ),
        branch="main",
        branch_head=HEAD.id,
        declaring_files=DECLARED,
        versions_compiled=10,
    )


def sample_unproven(reason: Reason, detail: str) -> Finding:
    """Nothing is known but what was logged."""
    return replace(
        sample_proof(),
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
        recommendation=make_recommendation(ActionKind.NONE, reason, detail),
    )


def _proof_without_fix(**changes: object) -> Finding:
    detail = f"On main, no commit that descends from {SECOND_ATTEMPT.id} compiles the file."
    none = make_recommendation(ActionKind.NONE, Reason.NO_FIX, detail)
    return replace(sample_proof(), **{"fix": None, "target": None, "recommendation": none, **changes})  # type: ignore[arg-type]


def _proof_of_given_commit(source: DeployedSource, **changes: object) -> DeployedVersion:
    plain = replace(DEPLOYED, source=source, uncommitted_tree=False, deployments=())
    return replace(plain, **changes)  # type: ignore[arg-type]


def _proof_of_unmerged_fix(where: str, number: int | None, ref: str, reason: Reason) -> Finding:
    fix = Fix(FIXING, where, number, ref, path=PATH)
    return replace(
        sample_proof(),
        fix=fix,
        target=None,
        recommendation=make_recommendation(ActionKind.NONE, reason, f"The file compiles at {ref}."),
    )


def _build_shapes() -> Mapping[str, tuple[Incident, Finding]]:
    whole, proof = sample_incident(), sample_proof()
    undated = replace(whole, dated=False)
    merge = replace(INTRODUCING, parents=(GOOD_COMMIT.id, FIRST_ATTEMPT.id))
    many = tuple(Attempt(make_commit(f"try{n}", f"02:{n:02}:00", f"fix: try {n}"), 3, 600 + n) for n in range(1, 31))
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
    spoken_fix = Fix(replace(FIXING, subject="Repair the answer events"), "merged", path=PATH)
    back = make_recommendation(
        ActionKind.ROLLBACK, Reason.EARLIER_COMMIT_GOOD, f"No commit fixes it; {GOOD_COMMIT.id} is good."
    )
    return {
        "design": (whole, proof),
        "undated log": (undated, proof),
        "time of day only": (
            replace(
                undated,
                first_seen=datetime(1970, 1, 1, 3, 43, 43, tzinfo=UTC),
                last_seen=None,
                symptoms=(),
            ),
            proof,
        ),
        "no fix": (whole, _proof_without_fix()),
        "rollback": (whole, _proof_without_fix(rollback=Rollback(GOOD_COMMIT), recommendation=back)),
        "fix by deletion": (whole, replace(proof, fix=Fix(FIXING, "merged", is_deletion=True))),
        "fix by rename": (whole, replace(proof, fix=Fix(FIXING, "merged", path="chat/agents/execute.py"))),
        "fix in a pull request": (
            whole,
            _proof_of_unmerged_fix("open_pull_request", 7, "refs/pull/7/head", Reason.FIX_IN_PULL_REQUEST),
        ),
        "fix on a branch": (
            whole,
            _proof_of_unmerged_fix("unmerged_branch", None, "origin/mend-answers", Reason.FIX_UNMERGED),
        ),
        "fix says so": (whole, replace(proof, fix=spoken_fix)),
        "fix outlived": (replace(whole, last_seen=time_of_day("06:00:00")), proof),
        "not corroborated": (
            whole,
            sample_unproven(Reason.NOT_CORROBORATED, "No version of the file fails on a logged line."),
        ),
        "file not found": (
            whole,
            sample_unproven(Reason.FILE_NOT_FOUND, "No commit of main has a file agents_execute.py."),
        ),
        "given commit contradicts the log": (
            whole,
            replace(
                proof,
                deployed=_proof_of_given_commit(
                    DeployedSource.INFERRED,
                    conflict=f"The log says line 676 of agents_execute.py; at {GOOD_COMMIT.id}, it compiles.",
                ),
            ),
        ),
        "given commit fits": (whole, replace(proof, deployed=_proof_of_given_commit(DeployedSource.GIVEN))),
        "label": (whole, replace(proof, deployed=_proof_of_given_commit(DeployedSource.LABEL))),
        "broken on every version": (whole, replace(proof, broken=everywhere)),
        "without explanation": (whole, replace(proof, broken=unexplained)),
        "no line": (whole, replace(proof, broken=no_line)),
        "interpreter and ruff differ": (
            whole,
            replace(proof, broken=replace(BROKEN, second_opinion=f"ruff-0.17.6 finds no error in {PATH}.")),
        ),
        "also broken": (
            whole,
            replace(proof, broken=replace(BROKEN, also_broken=others)),
        ),
        "merge brought it in": (whole, replace(proof, introduced=IntroducingCommit(merge, PATH, 7, 611))),
        "arrived broken": (
            whole,
            replace(proof, introduced=IntroducingCommit(INTRODUCING, PATH, 7, 611, was_added_broken=True)),
        ),
        "renamed after the break": (
            whole,
            replace(proof, introduced=IntroducingCommit(INTRODUCING, "chat/execute.py", 7, 611)),
        ),
        "history cut": (
            whole,
            replace(proof, introduced=None, declaring_files=(), gaps=("The copy is shallow: 50 commits are there.",)),
        ),
        "no attempt": (
            whole,
            replace(proof, attempts=(), deployed=replace(DEPLOYED, commit=INTRODUCING, deployments=())),
        ),
        "many attempts": (whole, replace(proof, attempts=many)),
        "refused": (whole, replace(proof, refused_commits=(RefusedCommit(HEAD, "checks", "its checks are red"),))),
        "no ci": (whole, replace(proof, declaring_files=DECLARED[1:])),
        "ci covers it": (
            whole,
            replace(proof, declaring_files=(replace(DECLARED[0], text=DECLARED[0].text.replace("3.12", "3.11")),)),
        ),
        "ci unreadable": (whole, replace(proof, declaring_files=(replace(DECLARED[0], text="a: [b"),))),
        "ci without version": (
            whole,
            replace(
                proof, declaring_files=(replace(DECLARED[0], text="jobs:\n  a:\n    steps:\n      - run: pytest\n"),)
            ),
        ),
        "no symptoms": (replace(whole, symptoms=()), proof),
        "service not named": (replace(whole, service="unknown", environment="default"), proof),
        "close 1011 alone": (
            single_entry_incident(SignalKind.CLOSE_1011, "received 1011 (internal error)"),
            sample_unproven(Reason.CLOSE_1011_WITHOUT_CAUSE, "The log shows no cause."),
        ),
        "keepalive timeout": (
            single_entry_incident(SignalKind.KEEPALIVE_TIMEOUT, "sent 1011 (internal error) keepalive ping timeout"),
            sample_unproven(Reason.KEEPALIVE_TIMEOUT, "A redeploy does not mend a slow network."),
        ),
        "dynamic code": (
            single_entry_incident(SignalKind.DYNAMIC_CODE, "invalid syntax", "<string>", "SyntaxError"),
            sample_unproven(Reason.DYNAMIC_CODE, "The code is in no commit."),
        ),
        "dependency": (
            single_entry_incident(
                SignalKind.DEPENDENCY, "invalid syntax", "/usr/lib/python3.11/site-packages/q/a.py", "SyntaxError"
            ),
            sample_unproven(Reason.DEPENDENCY, "The file belongs to a package."),
        ),
        "not python": (
            single_entry_incident(
                SignalKind.NOT_PYTHON, "Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON", "", "SyntaxError"
            ),
            sample_unproven(Reason.NOT_PYTHON, "The error comes from another language."),
        ),
        "nothing sighted": (
            replace(single_entry_incident(SignalKind.CLOSE_1011, "x"), sightings=(), first_seen=None, last_seen=None),
            sample_unproven(Reason.CLOSE_1011_WITHOUT_CAUSE, "The log shows no cause."),
        ),
    }


def _sample_trial(*, proven: bool) -> tuple[Incident, Finding]:
    """A close by an exception that nothing proves: a trial is asked for, or has proven the commit."""
    target = Target(HEAD, CheckStatus.GREEN, 2, (), (FileChange("chat/rooms.py", 3, 3),))
    candidate = TrialCandidate(
        target, FIXING, "it changes chat/rooms.py, where the exception was raised", SECOND_ATTEMPT.id, "3.11",
        ("chat/rooms.py",),
    )  # fmt: skip
    seen = "closed with 1011 (internal error) before any message", "connected and stayed open; 2 messages received"
    rounds = tuple(ExperimentRound(time_of_day(f"05:{minute}:00"), *seen) for minute in (1, 2, 3))
    kind, reason = (
        (ActionKind.REDEPLOY, Reason.PROVEN_BY_TRIAL) if proven else (ActionKind.TRIAL, Reason.TRIAL_POSSIBLE)
    )
    proof = sample_unproven(Reason.CLOSE_1011_UNPROVEN, "")
    return single_entry_incident(SignalKind.CLOSE_1011, "received 1011 (internal error)"), replace(
        proof,
        recommendation=Recommendation(kind, reason, "As the trial says."),
        trial_candidate=candidate,
        target=target if proven else None,
        experiment=Experiment(HEAD.id, "chat-00042-def", "chat-00043-ghi", rounds) if proven else None,
    )


SHAPES = {
    **_build_shapes(),
    "trial possible": _sample_trial(proven=False),
    "proven by a trial": _sample_trial(proven=True),
}


@cache
def build_sample_report(shape: str) -> Report:
    """The report of a shape, built once: it is frozen."""
    return build_report(*SHAPES[shape])
