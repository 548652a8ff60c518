"""Whether a file of the repository is in the image: yes, no with the line that is responsible, or unknown."""

import pytest

from shared.proof.loading.buildpack_start import find_buildpack_start
from shared.proof.loading.commit_tree import RecordingTree
from shared.proof.loading.image_contents import AbsenceKind, FilePresence, ImageContents, Presence
from shared.proof.loading.images import find_images
from tests.support.source_tree import FakeSourceTree

FILE = "shop/monitoring/__init__.py"
MAIN = "shop/main.py"
WHOLE = "FROM python:3.11-slim\nWORKDIR /app\nCOPY . .\nCMD uvicorn shop.main:app\n"
SOURCES = {MAIN: "from shop.monitoring import probes\n", "shop/__init__.py": "", FILE: "", "requirements.txt": ""}


def ask(files: dict[str, str], path: str = FILE, failing: str = MAIN) -> FilePresence:
    tree = RecordingTree(FakeSourceTree(files))
    image = next(find_images(tree, failing))
    return ImageContents(image.files, image.path, (failing,)).holds(path)


def describe(presence: FilePresence) -> tuple[AbsenceKind, str, int, str]:
    assert presence.state is Presence.ABSENT, presence.reason
    assert presence.absence is not None
    reason = presence.absence
    assert presence.reason == reason.sentence
    return reason.kind, reason.path, reason.line, reason.text


def service(dockerfile: str = WHOLE, **files: str) -> dict[str, str]:
    """The sources with a Dockerfile and further files; `dot_x` is named `.x`."""
    named = {f".{name.removeprefix('dot_')}" if name.startswith("dot_") else name: text for name, text in files.items()}
    return {**SOURCES, "Dockerfile": dockerfile, **named}


def test_what_a_copy_takes_is_in_the_image_and_where() -> None:
    presence = ask(service())
    assert (presence.state, presence.image_paths) == (Presence.PRESENT, (f"/app/{FILE}",))


def test_an_ignore_line_keeps_a_package_out() -> None:
    presence = ask(service(dot_dockerignore=".git\n\n# logs\n**/monitoring/\n*.log\n"))
    assert describe(presence) == (AbsenceKind.IGNORED, ".dockerignore", 4, "**/monitoring/")


def test_a_lifted_line_lets_it_in() -> None:
    assert ask(service(dot_dockerignore="**/monitoring/\n!shop/monitoring\n")).state is Presence.PRESENT


def test_the_ignore_file_of_the_dockerfile_has_precedence() -> None:
    files = {**service(dot_dockerignore="docs\n"), "Dockerfile.dockerignore": "shop/monitoring\n"}
    assert describe(ask(files)) == (AbsenceKind.IGNORED, "Dockerfile.dockerignore", 1, "shop/monitoring")


def test_an_empty_ignore_file_of_the_dockerfile_has_precedence_too() -> None:
    files = {**service(dot_dockerignore="shop/monitoring\n"), "Dockerfile.dockerignore": ""}
    assert ask(files).state is Presence.PRESENT


def test_an_ignore_file_that_leaves_out_what_ran_is_not_the_builds() -> None:
    assert ask(service(dot_dockerignore="shop\n")).state is Presence.UNKNOWN


def test_a_line_on_which_builders_differ_decides_nothing() -> None:
    assert ask(service(dot_dockerignore="shop/monitoring\n!shop\n")).state is Presence.UNKNOWN


def test_a_list_of_copies_without_the_folder() -> None:
    lines = "FROM python:3.11\nWORKDIR /app\nCOPY shop/main.py shop/__init__.py shop/\nCMD uvicorn shop.main:app\n"
    assert describe(ask(service(lines)))[:3] == (AbsenceKind.NOT_COPIED, "Dockerfile", 3)


def test_a_file_that_was_never_added_is_laid_to_the_line_that_hides_it() -> None:
    files = service(dot_gitignore="*.log\nmonitoring/\n")
    del files[FILE]
    assert describe(ask(files)) == (AbsenceKind.NOT_IN_REPOSITORY, ".gitignore", 2, "monitoring/")


def test_a_file_that_never_was_is_laid_to_nothing() -> None:
    files = service()
    del files[FILE]
    assert describe(ask(files)) == (AbsenceKind.NOT_IN_REPOSITORY, "", 0, "")


BELOW = {
    "backend/Dockerfile": WHOLE,
    "backend/shop/main.py": "import common.probes\n",
    "backend/shop/__init__.py": "",
    "common/probes.py": "",
}


def test_a_context_one_folder_down_leaves_out_what_lies_above() -> None:
    presence = ask(BELOW, "common/probes.py", "backend/shop/main.py")
    assert describe(presence)[:2] == (AbsenceKind.OUTSIDE_CONTEXT, "backend/Dockerfile")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            ".github/workflows/d.yml",
            "jobs:\n  d:\n    steps:\n      - run: docker build -f backend/Dockerfile -t x .\n",
        ),
        ("Makefile", "image:\n\tdocker buildx build \\\n\t  --file=backend/Dockerfile --tag x .\n"),
        (
            "cloudbuild.yaml",
            "steps:\n- name: docker\n  args: [build, -f, backend/Dockerfile, .]\n",
        ),
        ("compose.yaml", "services:\n  api:\n    build:\n      context: .\n      dockerfile: backend/Dockerfile\n"),
        (
            ".github/workflows/d.yml",
            "jobs:\n  d:\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          context: .\n"
            "          file: backend/Dockerfile\n",
        ),
    ],
)
def test_a_declared_build_tells_the_context(path: str, text: str) -> None:
    lines = "FROM python:3.11\nWORKDIR /app\nCOPY . .\nCMD uvicorn shop.main:app\n"
    files = {**BELOW, "backend/Dockerfile": lines, path: text}
    assert ask(files, "common/probes.py", "backend/shop/main.py").image_paths == ("/app/common/probes.py",)


def test_a_declared_target_is_the_image() -> None:
    stages = (
        "FROM python:3.11 AS api\nWORKDIR /app\nCOPY shop/main.py shop/\nCMD uvicorn shop.main:app\n"
        "FROM api AS worker\nCOPY . .\nCMD python -m shop.main\n"
    )
    build = "steps:\n- name: docker\n  args: [build, --target, api, .]\n"
    assert ask(service(stages)).state is Presence.PRESENT
    assert describe(ask(service(stages, **{"cloudbuild.yaml": build})))[0] is AbsenceKind.NOT_COPIED


STAGED = (
    "FROM python:3.11 AS build\nWORKDIR /src\nCOPY . .\n{run}FROM python:3.11-slim\nWORKDIR /app\n"
    "COPY --from=build /src/shop/main.py shop/\n{more}CMD uvicorn shop.main:app\n"
)


@pytest.mark.parametrize(
    ("run", "more", "state"),
    [
        ("", "", Presence.ABSENT),
        ("", "COPY --from=build --chown=app:app /src/shop ./shop\n", Presence.PRESENT),
        ("", "COPY --link --from=0 /src /app\n", Presence.PRESENT),
        ("RUN pip install --prefix=/out .\n", "COPY --from=build /out /usr/local\n", Presence.UNKNOWN),
        ("RUN pip install -r requirements.txt\n", "COPY --from=build /out /usr/local\n", Presence.ABSENT),
        ("RUN mv shop/monitoring /out\n", "COPY --from=build /out /app/shop\n", Presence.UNKNOWN),
    ],
)
def test_stages(run: str, more: str, state: Presence) -> None:
    assert ask(service(STAGED.format(run=run, more=more))).state is state


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ("RUN rm -rf /app/shop/monitoring\n", Presence.UNKNOWN),
        ("RUN rm -rf shop/*/__init__.py\n", Presence.UNKNOWN),
        ("RUN apt-get update && rm -rf /var/lib/apt/lists/*\n", Presence.PRESENT),
        ("RUN find . -name '*.pyc' -delete\n", Presence.PRESENT),
        ("RUN find /app -type d -name monitoring -exec rm -rf {} +\n", Presence.UNKNOWN),
        ("RUN find . -not -name main.py -delete\n", Presence.UNKNOWN),
        ("RUN find . -type f -exec chmod a+r '{}' ';'\n", Presence.PRESENT),
        ("RUN <<EOF\nset -e\nmv shop/monitoring shop/metrics\nEOF\n", Presence.UNKNOWN),
        ('RUN ["rm", "-r", "shop/monitoring"]\n', Presence.UNKNOWN),
        ("RUN sh -c 'cd shop && rm -r monitoring'\n", Presence.UNKNOWN),
        ("RUN --mount=type=cache,target=/root/.cache pip install -r requirements.txt\n", Presence.PRESENT),
        ("RUN sed -i s/a/b/ shop/monitoring/__init__.py\n", Presence.UNKNOWN),
        ("COPY --from=other:1 /x /app/shop\n", Presence.UNKNOWN),
        ("COPY <<EOF /app/shop/monitoring/__init__.py\nx = 1\nEOF\n", Presence.UNKNOWN),
        ("ADD https://example.org/x.tar.gz /opt/x\n", Presence.PRESENT),
        ("RUN echo done # rm -rf shop\n", Presence.PRESENT),
    ],
)
def test_what_a_command_touches_is_not_known(more: str, state: Presence) -> None:
    assert ask(service(WHOLE + more)).state is state


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ("RUN git clone https://example.org/shop.git /app/shop\n", Presence.UNKNOWN),
        ("RUN git clone https://example.org/tool.git /opt/tool\n", Presence.ABSENT),
        ("RUN curl -fsSL https://example.org/install.sh | sh\n", Presence.ABSENT),
        ("RUN curl -L https://example.org/a.tgz | tar xz -C /app\n", Presence.UNKNOWN),
        ("RUN tar czf /tmp/x.tgz /app\n", Presence.ABSENT),
        ("RUN cp -r /opt/code/. /app\n", Presence.UNKNOWN),
        ("RUN cp config.example.json config.json\n", Presence.ABSENT),
        ("RUN pip install -r requirements.txt\n", Presence.ABSENT),
        ("ADD sources.tar.gz /app\n", Presence.UNKNOWN),
        ("COPY --from=ghcr.io/astral-sh/uv:latest /uv /bin/uv\n", Presence.ABSENT),
    ],
)
@pytest.mark.parametrize("ignore", ["**/monitoring\n", ""])
def test_what_a_command_may_bring_is_not_known(more: str, state: Presence, ignore: str) -> None:
    copies = WHOLE if ignore else WHOLE.replace("COPY . .", "COPY shop/main.py shop/")
    assert ask(service(copies + more, dot_dockerignore=ignore)).state is state


@pytest.mark.parametrize(
    ("image", "state"),
    [
        ("python:3.11-slim", Presence.ABSENT),
        ("docker.io/library/python:3.12@sha256:ab", Presence.ABSENT),
        ("gcr.io/distroless/python3-debian12", Presence.ABSENT),
        ("registry.example.org/shop/base:4", Presence.UNKNOWN),
        ("$BASE", Presence.UNKNOWN),
    ],
)
def test_a_base_image_of_its_own_may_hold_the_file(image: str, state: Presence) -> None:
    files = service(WHOLE.replace("python:3.11-slim", image), dot_dockerignore="**/monitoring\n")
    assert ask(files).state is state


@pytest.mark.parametrize(
    ("copies", "state"),
    [
        ("COPY sh* /app/shop/", Presence.PRESENT),
        ("COPY */monitoring /app/shop/monitoring/", Presence.PRESENT),
        ("COPY shop/*.py /app/shop/", Presence.ABSENT),
        ("COPY --parents shop/monitoring /app/", Presence.PRESENT),
        ("COPY --exclude=**/monitoring . /app/", Presence.UNKNOWN),
        ("COPY --exclude=*.md . /app/", Presence.PRESENT),
        ('COPY ["shop", "/app/shop"]', Presence.PRESENT),
        ("ADD . .", Presence.PRESENT),
        ("ARG TOP=shop\nENV AT=/app/shop\nCOPY ${TOP} $AT", Presence.PRESENT),
        ("ARG TOP\nCOPY ${TOP} /app/shop", Presence.UNKNOWN),
    ],
)
def test_forms_of_copies(copies: str, state: Presence) -> None:
    assert ask(service(WHOLE.replace("COPY . .", copies))).state is state


DEPLOY = {"deploy.sh": "gcloud run deploy shop \\\n  --source . --region europe-west1\n"}


def test_gclouds_default_leaves_out_what_git_ignores() -> None:
    presence = ask(service(dot_gitignore="*.log\nmonitoring/\n", **DEPLOY))
    assert describe(presence) == (AbsenceKind.NOT_UPLOADED, ".gitignore", 2, "monitoring/")


def test_a_gcloudignore_replaces_the_default() -> None:
    assert ask(service(dot_gitignore="monitoring/\n", dot_gcloudignore="docs/\n", **DEPLOY)).state is Presence.PRESENT


def test_a_gcloudignore_includes_the_gitignore() -> None:
    files = service(dot_gitignore="monitoring/\n", dot_gcloudignore="docs/\n#!include:.gitignore\n", **DEPLOY)
    assert describe(ask(files)) == (AbsenceKind.NOT_UPLOADED, ".gitignore", 1, "monitoring/")


def test_both_ignore_files_count_where_gcloud_uploads() -> None:
    files = service(dot_gcloudignore="docs/\n", dot_dockerignore="**/monitoring\n", **DEPLOY)
    assert describe(ask(files))[0] is AbsenceKind.IGNORED


def test_without_a_sign_of_gcloud_its_rules_leave_it_open() -> None:
    assert ask(service(dot_gitignore="monitoring/\n")).state is Presence.UNKNOWN


def test_an_image_that_a_workflow_builds_by_docker_knows_nothing_of_the_gitignore() -> None:
    workflow = {".github/workflows/ci.yml": "jobs:\n  b:\n    steps:\n      - run: docker build -t shop .\n"}
    assert ask({**service(dot_gitignore="monitoring/\n"), **workflow}).state is Presence.PRESENT


def test_a_buildpack_takes_the_whole_source_but_for_gclouds_rules() -> None:
    files = {**SOURCES, "Procfile": "web: uvicorn shop.main:app\n", **DEPLOY}
    for ignore, state in (("", Presence.PRESENT), ("monitoring/\n", Presence.ABSENT)):
        tree = RecordingTree(FakeSourceTree({**files, ".gitignore": ignore}))
        start = find_buildpack_start(tree, MAIN)
        assert start is not None
        assert ImageContents(start.files, "", (MAIN,)).holds(FILE).state is state


@pytest.mark.parametrize(
    ("files", "inputs"),
    [
        (service(dot_dockerignore="**/monitoring\n"), {".dockerignore", "Dockerfile", FILE}),
        (
            service(dot_gitignore="monitoring/\n", **DEPLOY),
            {".gitignore", ".gcloudignore", ".dockerignore", "deploy.sh"},
        ),
        (service(), {".dockerignore", "Dockerfile.dockerignore", ".gcloudignore", ".gitignore"}),
    ],
)
def test_what_the_answer_depends_on_is_recorded(files: dict[str, str], inputs: set[str]) -> None:
    tree = RecordingTree(FakeSourceTree(files))
    image = next(find_images(tree, MAIN))
    ImageContents(image.files, image.path, (MAIN,)).explain_absence(FILE)
    assert inputs <= tree.recorded_paths
