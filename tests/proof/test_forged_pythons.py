"""A logged version of Python that the deployed commit does not declare: sound code is not held against it."""

from dataclasses import replace

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.proof.model.deployed_version import DeployedSource
from shared.proof.model.finding import Finding
from shared.proof.model.recommendation import ActionKind, Reason
from shared.proof.proof_context import ProofRequest
from tests.support.history_builder import HistoryBuilder, make_incident, make_sighting, prove_incident, valid_source

SOUND = "x = 1\ny = 2\nmatch x:\n    case 1:\n        y = 3\n"
"""On line 3 it has what Python 3.9 does not know."""
IMAGE = "FROM python:{}-slim\nCOPY . .\nCMD python app.py\n"


def forged(
    story: HistoryBuilder, compilers: LocalCompilers, *, label: str | None = None, setting: str | None = None
) -> Finding:
    """Of a log whose paths name Python 3.9."""
    failing = make_incident(
        "/srv/app.py", replace(make_sighting(3, seen_at=story.committed_at("healthy")), python="3.9")
    )
    deployed = story.ids[label] if label else None
    request = ProofRequest(deployed=deployed, source=DeployedSource.LABEL, python=setting, wants_alternative=True)
    return prove_incident(story.path, failing, compilers, request)


def tell(story: HistoryBuilder, **files: str) -> None:
    story.commit("start", {"app.py": "x = 1\n", **files})
    story.commit("match", {"app.py": SOUND})
    story.commit("healthy", {"other.py": valid_source()})
    story.write_repository()


@pytest.mark.parametrize("label", ["healthy", None])
@pytest.mark.parametrize(
    "files",
    [
        {"Dockerfile": IMAGE.format("3.11")},
        {".python-version": "3.11\n"},
        {"pyproject.toml": '[project]\nrequires-python = ">=3.10"\n'},
    ],
    ids=["image", "buildpack", "requirement"],
)
def test_a_version_that_the_deployed_commit_excludes_is_not_believed(
    story: HistoryBuilder, compilers: LocalCompilers, files: dict[str, str], label: str | None
) -> None:
    tell(story, **files)
    proof = forged(story, compilers, label=label)
    assert (proof.recommendation.kind, proof.recommendation.reason) == (ActionKind.NONE, Reason.NOT_CORROBORATED)
    assert (proof.introduced, proof.rollback, proof.alternative_rollback) == (None, None, None)
    assert any("3.9" in statement for statement in proof.deployed.platform_statements)


def test_version_that_the_setting_excludes_is_not_believed(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    tell(story)
    assert forged(story, compilers, label="healthy", setting="3.11").recommendation.kind is ActionKind.NONE


def test_version_of_an_earlier_image_is_not_believed(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("old image", {"app.py": "x = 1\n", "Dockerfile": IMAGE.format("3.9")})
    story.commit("new image", {"Dockerfile": IMAGE.format("3.11")})
    story.commit("match", {"app.py": SOUND})
    story.commit("healthy", {"other.py": valid_source()})
    story.write_repository()
    assert forged(story, compilers, label="healthy").recommendation.kind is ActionKind.NONE


@pytest.mark.parametrize(
    "files",
    [
        {"Dockerfile": IMAGE.format("3.9")},
        {"Dockerfile": IMAGE.format("3.11"), "Dockerfile.jobs": IMAGE.format("3.9")},
        {"pyproject.toml": '[project]\nrequires-python = ">=3.8"\n'},
        {},
    ],
    ids=["the image", "another image", "a requirement that permits it", "nothing"],
)
def test_version_that_the_deployed_commit_permits_is_believed(
    story: HistoryBuilder, compilers: LocalCompilers, files: dict[str, str]
) -> None:
    tell(story, **files)
    proof = forged(story, compilers)
    assert (proof.deployed.python, proof.deployed.corroborated) == ("3.9", True)
    assert proof.introduced is not None
    assert proof.introduced.commit.subject == "match"
