"""Which Python CI and developers use, as the files of a repository tell it."""

import pytest

from shared.proof.declared.deployed_python import find_ci_pythons, find_development_pythons
from shared.proof.declared.python_versions import find_lower_bound, is_permitted

PATH = ".github/workflows/test.yml"


def versions(text: str, **others: str) -> list[tuple[str, int]]:
    found = find_ci_pythons({PATH: text} | {name.replace("_", "."): content for name, content in others.items()})
    return [(fact.version, fact.line) for fact in found.versions]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("with:\n  python-version: 3.12\n", [("3.12", 2)]),
        ("with:\n  python-version: 3.10\n", [("3.10", 2)]),
        ("with: {python-version: '3.11.4'}\n", [("3.11", 1)]),
        ("with:\n  python-version: 3.x\n", []),
        ("with:\n  python-version: |\n    3.11\n    3.12\n", [("3.11", 3), ("3.12", 4)]),
        ("with:\n  python-version: [3.9, '3.10']\n", [("3.9", 2), ("3.10", 2)]),
        (
            "jobs:\n  t:\n    strategy:\n      matrix:\n        python: [3.10, '3.12']\n    steps:\n"
            "      - with:\n          python-version: ${{ matrix.python }}\n",
            [("3.10", 5), ("3.12", 5)],
        ),
        (
            "jobs:\n  t:\n    strategy:\n      matrix:\n        include:\n          - py: 3.11\n          - py: 3.13\n"
            "    steps:\n      - with:\n          python-version: ${{ matrix.py }}\n",
            [("3.11", 6), ("3.13", 7)],
        ),
        ("env:\n  PY: '3.11'\nx:\n  python-version: ${{ env.PY }}\n", [("3.11", 2)]),
        ("container: python:3.12-slim\n", [("3.12", 1)]),
        ("container:\n  image: python:3.12-slim\n", [("3.12", 2)]),
        ("run: |\n  echo\n  uv python install 3.13\n", [("3.13", 3)]),
        ("run: tox -e py311\n", [("3.11", 1)]),
        ("a: &v\n  python-version: 3.12\nb: *v\n", [("3.12", 2)]),
    ],
)
def test_versions_are_told_with_their_line(text: str, expected: list[tuple[str, int]]) -> None:
    assert versions(text) == expected


def test_a_version_file_is_followed() -> None:
    found = find_ci_pythons({PATH: "with:\n  python-version-file: .python-version\n", ".python-version": "3.12\n"})
    assert [(fact.version, fact.path) for fact in found.versions] == [("3.12", ".python-version")]
    assert not found.has_unresolved
    dangling = "with:\n  python-version-file: gone\n"
    assert find_ci_pythons({PATH: dangling}).has_unresolved


@pytest.mark.parametrize(
    "text",
    [
        "with:\n  python-version: ${{ fromJSON(needs.plan.outputs.pythons) }}\n",
        "with:\n  python-version: ${{ matrix.gone }}\n",
        "run: pytest\n",
    ],
)
def test_what_cannot_be_resolved_is_said(text: str) -> None:
    assert find_ci_pythons({PATH: text}).has_unresolved


@pytest.mark.parametrize(
    ("run", "compiles"),
    [
        ("pytest -q", True),
        ("python -m compileall src", True),
        ("ruff check .", True),
        ("uv run mypy .", True),
        ("make test", True),
        ("docker build -t chat .", False),
        ("pip install pytest-nothing-runs", False),
        ("|\n    # pytest\n    echo done", False),
        ("gcloud run deploy", False),
    ],
)
def test_a_step_that_would_read_the_sources_is_seen(run: str, compiles: bool) -> None:  # noqa: FBT001
    workflow = f"on: push\njobs:\n  a:\n  - run: {run}\n"
    assert find_ci_pythons({PATH: workflow}).has_compiling_step is compiles


def test_the_checking_step_can_be_quoted() -> None:
    found = find_ci_pythons({PATH: "jobs:\n  a:\n  - run: |\n      pip install .\n      python -m pytest -q\n"})
    assert [(fact.line, fact.text) for fact in found.compiling_steps] == [(5, "python -m pytest -q")]


def test_repository_without_workflows_has_no_ci() -> None:
    found = find_ci_pythons({"Dockerfile": "FROM python:3.11"})
    assert (found.workflows, found.versions, found.has_unresolved, found.has_compiling_step) == ((), (), False, False)


def test_other_services_are_read_too() -> None:
    found = find_ci_pythons({".gitlab-ci.yml": "image: python:3.11\ntest:\n  script:\n    - pytest\n"})
    assert [fact.version for fact in found.versions] == ["3.11"]
    assert found.has_compiling_step


def test_development_facts_carry_path_line_and_text() -> None:
    files = {
        ".python-version": "3.12.1\n",
        "pyproject.toml": '[project]\nname = "chat"\nrequires-python = ">=3.11"\n[tool.ruff]\n'
        'target-version = "py312"\n[tool.black]\ntarget-version = ["py311", "py313"]\n'
        '[tool.mypy]\npython_version = "3.12"\n',
        ".pre-commit-config.yaml": "default_language_version:\n  python: python3.13\n",
        "app/.tool-versions": "nodejs 20.1\npython 3.10.4\n",
    }
    facts = [(fact.version, fact.path, fact.line, fact.kind) for fact in find_development_pythons(files)]
    assert facts == [
        ("3.13", ".pre-commit-config.yaml", 2, "pre-commit"),
        ("3.12", ".python-version", 1, "python-version"),
        ("3.11", "pyproject.toml", 3, "requires-python"),
        ("3.12", "pyproject.toml", 5, "target-version"),
        ("3.11", "pyproject.toml", 7, "target-version"),
        ("3.13", "pyproject.toml", 7, "target-version"),
        ("3.12", "pyproject.toml", 9, "target-version"),
        ("3.10", "app/.tool-versions", 2, "python-version"),
    ]
    assert find_development_pythons(files)[2].text == 'requires-python = ">=3.11"'


def test_a_malformed_project_file_is_a_fact() -> None:
    (fact,) = find_development_pythons({"pyproject.toml": "[project\n"})
    assert (fact.kind, fact.version) == ("unreadable", "")
    assert "TOML" in fact.text


@pytest.mark.parametrize(
    ("requirement", "version"),
    [
        (">=3.11", "3.11"),
        (">=3.9,<4", "3.9"),
        ("^3.10", "3.10"),
        ("~=3.11", "3.11"),
        ("==3.11.*", "3.11"),
        ("3.12.*", "3.12"),
        (">=3.8, >=3.10", "3.10"),
        (">=3.11 <3.13", "3.11"),
        ("^3.9 || ^3.11", "3.9"),
        (">=3", "3.0"),
        ("<3.12", None),
        ("*", None),
        (">=2.7", None),
    ],
)
def test_lower_bound_of_a_requirement_is_read(requirement: str, version: str | None) -> None:
    assert find_lower_bound(requirement) == version


@pytest.mark.parametrize(
    ("requirement", "allowed"),
    [
        (">=3.11", True),
        (">=3.11,<4", True),
        ("^3.11", True),
        (">=3.11,<3.12", False),
        ("~3.11", False),
        ("==3.11.*", False),
        ("<=3.12", True),
        (">=3.9,!=3.10", True),
        ("", True),
        (">=3.11,<4.0", True),
    ],
)
def test_requirement_tells_whether_it_permits_3_12(requirement: str, allowed: bool) -> None:  # noqa: FBT001
    assert is_permitted(requirement, "3.12") is allowed
