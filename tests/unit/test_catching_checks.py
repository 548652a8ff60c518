"""Why a failure beyond syntax was not caught: what CI runs, whether that can meet it, and the job that would."""

import pytest

from shared.proof.claims.claim import ClaimFamily
from shared.proof.declared.ci_python import CheckKind, find_ci_checks
from shared.report.whys.claim import describe_checks
from shared.report.whys.why import Statement

WORKFLOW = ".github/workflows/ci.yml"
STEPS = {
    "      - run: mypy app": CheckKind.TYPES,
    "      - run: pip install mypy && ty check": CheckKind.TYPES,
    "      - run: ruff check .": CheckKind.NAMES,
    "      - run: python -m pytest -q": CheckKind.TESTS,
    "      - run: python -c 'import app.main'": CheckKind.START,
    "      - run: docker run --rm app true": CheckKind.IMAGE,
    "      - run: docker compose run web pytest": CheckKind.IMAGE,
    "      - run: provenfix check --baseline origin/main": CheckKind.BASELINE,
}


@pytest.mark.parametrize("line", STEPS)
def test_each_check_is_recognised_with_its_line(line: str) -> None:
    found = find_ci_checks({WORKFLOW: f"jobs:\n  test:\n    steps:\n{line}\n", "README.md": line})
    assert (STEPS[line], WORKFLOW, 4) in [(check.kind, check.path, check.line) for check in found]


@pytest.mark.parametrize(
    "line",
    [
        "# mypy app",
        "run: pip install mypy pytest ruff",
        "run: docker build .",
        "name: mypy.ini",
        "run: ./scripts/mypy-x",
    ],
)
def test_what_is_no_check_is_none(line: str) -> None:
    assert find_ci_checks({WORKFLOW: f"      - {line}\n" if not line.startswith("#") else f"{line}\n"}) == ()


@pytest.mark.parametrize(
    ("family", "step", "state", "job"),
    [
        (ClaimFamily.CALL, "ruff check .", Statement.CI_CANNOT_CATCH, "ty check"),
        (ClaimFamily.CALL, "mypy .", Statement.CI_CAN_CATCH, ""),
        (ClaimFamily.NAME, "ruff check .", Statement.CI_CAN_CATCH, ""),
        (ClaimFamily.NAME, "pytest", Statement.CI_CANNOT_CATCH, "ruff check"),
        (ClaimFamily.IMPORT_NAME, "pytest", Statement.CI_CANNOT_CATCH, "python -c 'import app.views'"),
        (ClaimFamily.MODULE, "mypy . && pytest", Statement.CI_CANNOT_CATCH, "docker run --rm IMAGE python -c"),
        (ClaimFamily.MODULE, "docker run app python -c 'import app'", Statement.CI_CAN_CATCH, ""),
        (ClaimFamily.FILE, "pytest", Statement.CI_CANNOT_CATCH, "docker run --rm IMAGE python -m pytest"),
        (ClaimFamily.FILE, "provenfix check --baseline main", Statement.CI_CAN_CATCH, ""),
        (ClaimFamily.CIRCULAR_IMPORT, "echo", Statement.CI_WITHOUT_CHECK, "python -c 'import app.views'"),
        (ClaimFamily.LOCAL_NAME, "", Statement.CI_ABSENT, "ty check"),
    ],
)
def test_the_answer_names_what_would_have_met_it(family: ClaimFamily, step: str, state: Statement, job: str) -> None:
    checks = find_ci_checks({WORKFLOW: f"      - run: {step}\n"} if step else {})
    answer, found = describe_checks(family, checks, "app.views", has_ci=bool(step))
    assert found is state
    assert job in answer
    assert (f"{WORKFLOW}, line 1" in answer) == (state in {Statement.CI_CAN_CATCH, Statement.CI_CANNOT_CATCH})


def test_every_family_has_a_check() -> None:
    for family in ClaimFamily:
        assert describe_checks(family, (), "app", has_ci=True)[1] is Statement.CI_WITHOUT_CHECK
