"""Which Python is deployed, as the files of a repository tell it."""

from collections.abc import Mapping

import pytest

from shared.proof.declared.deployed_python import find_deployed_fact, find_deployed_python, select_declaring_files
from shared.proof.declared.dockerfile_python import find_dockerfile_python, parse_image_python


def told(files: Mapping[str, str], near: str) -> tuple[str, str, str] | None:
    """The version, the file that tells it, and its line there; None where nothing tells."""
    fact = find_deployed_fact(files, near)
    return (fact.version, fact.path, fact.text) if fact else None


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("python:3.11-slim", "3.11"),
        ("python:3.11.7-slim-bookworm", "3.11"),
        ("python:3.10", "3.10"),
        ("python:3.11@sha256:0a1b", "3.11"),
        ("python:3.12-alpine3.19", "3.12"),
        ("ghcr.io/astral-sh/uv:python3.12-bookworm-slim", "3.12"),
        ("ghcr.io/astral-sh/uv:0.8.4-python3.13-trixie", "3.13"),
        ("tiangolo/uvicorn-gunicorn-fastapi:python3.11", "3.11"),
        ("public.ecr.aws/lambda/python:3.12", "3.12"),
        ("gcr.io/distroless/python3-debian12", "3.11"),
        ("gcr.io/distroless/python3-debian11:nonroot", "3.9"),
        ("registry.example.test:5000/base/python:3.9", "3.9"),
        ("registry.access.redhat.com/ubi9/python-311", "3.11"),
        ("mcr.microsoft.com/devcontainers/python:1-3.11-bullseye", "3.11"),
        ("python:3", None),
        ("python:latest", None),
        ("python", None),
        ("python:3-alpine3.18", None),
        ("python:2.7", None),
        ("node:20-alpine3.18", None),
        ("registry.example.test:3012/app", None),
        ("gcr.io/distroless/python3", None),
        ("scratch", None),
    ],
)
def test_an_image_tells_its_python_by_name_or_tag(image: str, version: str | None) -> None:
    assert parse_image_python(image) == version


@pytest.mark.parametrize(
    ("text", "version", "line"),
    [
        ("FROM python:3.11-slim\n", "3.11", 1),
        ("# from python:3.9\n\nfrom python:3.11-slim as run\n", "3.11", 3),
        ("ARG PY=3.11\nFROM python:${PY}-slim\n", "3.11", 2),
        ("ARG PY='3.10'\nFROM python:$PY\n", "3.10", 2),
        ("FROM python:${PY:-3.12}-slim\n", "3.12", 1),
        ("ARG REG=example.test\nARG BASE=$REG/python:3.9\nFROM ${BASE}\n", "3.9", 3),
        ("FROM --platform=linux/amd64 python:3.11\n", "3.11", 1),
        ("FROM \\\n  # which one\n  python:3.11 \\\n  AS run\n", "3.11", 1),
        ("FROM python:3.12 AS build\nRUN pip wheel .\nFROM python:3.11-slim\nCOPY --from=build /w /w\n", "3.11", 3),
        ("FROM python:3.11 AS Base\nFROM base AS build\nFROM base\n", "3.11", 1),
        ("FROM python:3.11 AS build\nFROM debian:12\nCOPY --from=build /venv /venv\n", "3.11", 1),
        ("FROM python:3.11 AS build\nFROM debian:12\nCOPY --from=0 /venv /venv\n", "3.11", 1),
        ("FROM ubuntu:22.04\nRUN apt-get update && \\\n apt-get install -y python3.10\n", "3.10", 2),
        ("FROM debian:12\nRUN uv python install 3.13\n", "3.13", 2),
        ("FROM python:3.11\nRUN <<EOF\nfrom python:3.8\nEOF\n", "3.11", 1),
        ("# escape=`\nFROM `\npython:3.11\n", "3.11", 2),
        ("\ufeffFROM python:3.11\r\nRUN true\r\n", "3.11", 1),
    ],
)
def test_the_final_stage_of_a_dockerfile_tells_the_python(text: str, version: str, line: int) -> None:
    told = find_dockerfile_python(text)
    assert told is not None
    assert (told.version, told.line) == (version, line)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "FROM python:3\n",
        "FROM python:latest\n",
        "FROM python:${PY}\n",
        "FROM python:3.11 AS test\nFROM node:20\nRUN npm ci\n",
        "FROM a\nFROM b AS a\nFROM a AS b\nCOPY --from=b x y\n",
        "FROM\nFROM  \\",
    ],
)
def test_a_dockerfile_that_tells_nothing_tells_nothing(text: str) -> None:
    assert find_dockerfile_python(text) is None


def test_the_source_is_the_instruction_with_its_variables_filled_in() -> None:
    files = {"Dockerfile": "ARG PY=3.11\nFROM python:${PY}-slim\n"}
    assert told(files, "app/main.py") == ("3.11", "Dockerfile", "FROM python:3.11-slim")


def test_version_and_source_are_what_the_fact_holds() -> None:
    files = {"svc/Dockerfile": "FROM python:3.11\n"}
    fact = find_deployed_fact(files, "svc/app/main.py")
    assert fact is not None
    assert find_deployed_python(files, "svc/app/main.py") == (fact.version, f"{fact.path}: {fact.text}")


def test_the_dockerfile_nearest_above_the_failing_file_counts() -> None:
    files = {
        "Dockerfile": "FROM python:3.9\n",
        "services/chat/Dockerfile": "FROM python:3.11\n",
        "services/mail/Dockerfile": "FROM python:3.12\n",
    }
    assert told(files, "services/chat/app/stream.py") == ("3.11", "services/chat/Dockerfile", "FROM python:3.11")
    assert told(files, "services/jobs/run.py") == ("3.9", "Dockerfile", "FROM python:3.9")


def test_dockerfiles_elsewhere_count_only_where_the_closest_agree() -> None:
    files = {
        "deploy/chat/Dockerfile": "FROM python:3.11\n",
        "deploy/mail/Dockerfile": "FROM python:3.12\n",
        "services/chat/docker/Dockerfile": "FROM python:3.10\n",
    }
    assert find_deployed_python(files, "app/main.py") is None
    assert told(files, "services/chat/app/main.py") == ("3.10", "services/chat/docker/Dockerfile", "FROM python:3.10")


@pytest.mark.parametrize(
    ("names", "first"),
    [
        (("Dockerfile.web", "Dockerfile"), "Dockerfile"),
        (("api.Dockerfile", "Containerfile", "Dockerfile.api"), "Containerfile"),
        (("Dockerfile.web", "Dockerfile.api"), "Dockerfile.api"),
        (("Dockerfile.dev", "Dockerfile.web", "Dockerfile"), "Dockerfile"),
        (("Dockerfile.test", "Dockerfile.dev"), "Dockerfile.dev"),
    ],
)
@pytest.mark.parametrize("is_beside", [True, False])
def test_of_several_dockerfiles_the_plain_one_counts_else_the_first(
    names: tuple[str, ...], first: str, *, is_beside: bool
) -> None:
    """Beside the failing file each may be on a Python of its own; elsewhere they count only where they agree."""
    folder = "svc" if is_beside else "deploy"
    versions = [f"3.{11 + number}" if is_beside else "3.11" for number in range(len(names))]
    files = {f"{folder}/{name}": f"FROM python:{version}\n" for name, version in zip(names, versions, strict=True)}
    fact = find_deployed_fact(files, "svc/main.py")
    assert fact is not None
    assert (fact.path, fact.version) == (f"{folder}/{first}", versions[names.index(first)])


def test_a_dockerfile_for_development_counts_last() -> None:
    files = {"Dockerfile.dev": "FROM python:3.13\n", "Dockerfile.prod": "FROM python:3.11\n"}
    assert told(files, "main.py") == ("3.11", "Dockerfile.prod", "FROM python:3.11")
    files = {".devcontainer/Dockerfile": "FROM python:3.13\n", "docker/api.Dockerfile": "FROM python:3.11\n"}
    assert told(files, "main.py") == ("3.11", "docker/api.Dockerfile", "FROM python:3.11")


@pytest.mark.parametrize(
    ("name", "text", "version"),
    [
        (".python-version", "3.11.7\n", "3.11"),
        (".python-version", "cpython-3.12\n", "3.12"),
        ("runtime.txt", "python-3.10.4\n", "3.10"),
        ("project.toml", '[[build.env]]\nname = "GOOGLE_PYTHON_VERSION"\nvalue = "3.11.x"\n', "3.11"),
        ("cloudbuild.yaml", "  args: ['--env', 'GOOGLE_PYTHON_VERSION=3.12.1']\n", "3.12"),
        ("pyproject.toml", '[project]\nrequires-python = ">=3.10,<3.13"\n', "3.10"),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.11"\n', "3.11"),
        ("setup.cfg", "[options]\npython_requires = >=3.9\n", "3.9"),
    ],
)
def test_without_a_dockerfile_the_buildpack_and_then_the_requirement_tell(name: str, text: str, version: str) -> None:
    found = find_deployed_python({name: text}, "app/main.py")
    assert found is not None
    assert found[0] == version
    assert found[1].startswith(f"{name}: ")


def test_dockerfile_beats_buildpack_beats_requirement() -> None:
    files = {"pyproject.toml": '[project]\nrequires-python = ">=3.9"\n', ".python-version": "3.12\n"}
    assert told(files, "m.py") == ("3.12", ".python-version", "3.12")
    assert told({**files, "Dockerfile": "FROM python:3.11\n"}, "m.py") == ("3.11", "Dockerfile", "FROM python:3.11")


def test_malformed_files_give_no_answer_and_no_error() -> None:
    files = {
        "Dockerfile": "\0\x01FROM",
        "pyproject.toml": "[[[",
        ".python-version": "\n\n",
        "setup.cfg": "python_requires",
    }
    assert find_deployed_python(files, "a/b.py") is None


def test_relevant_files_are_bounded_and_nearest_the_root_first() -> None:
    paths = [f"deep/{n:04}/er/Dockerfile" for n in range(500)]
    wanted = select_declaring_files(
        [*paths, "Dockerfile", "app/Dockerfile.prod", ".github/workflows/test.yml", "pyproject.toml", "README.md"]
    )
    assert wanted[:4] == (".github/workflows/test.yml", "Dockerfile", "pyproject.toml", "app/Dockerfile.prod")
    assert len(wanted) == 200


def test_files_that_others_brought_are_not_wanted() -> None:
    paths = ["node_modules/x/Dockerfile", "Dockerfile.dockerignore", "docs/dockerfile.md", "x/.github/workflows/a.yml"]
    assert select_declaring_files(paths) == ()


def test_deployed_image_elsewhere_beats_nearby_development_image() -> None:
    files = {"Dockerfile.dev": "FROM python:3.12\n", "deploy/Dockerfile": "FROM python:3.11\n"}
    found = find_deployed_python(files, "app/main.py")
    assert found is not None
    assert found[0] == "3.11"
