"""Which Dockerfile, folder, stage and command a deployment uses, as the files that build and deploy say."""

import json

import pytest

from shared.proof.loading.build_commands import BuildDeclaration
from shared.proof.loading.build_declarations import find_build_declarations
from shared.proof.loading.commit_tree import RecordingTree
from shared.proof.loading.import_closure import ImportClosure, find_import_closure
from tests.support.source_tree import FakeSourceTree


def closure(failing: str, files: dict[str, str]) -> ImportClosure:
    return find_import_closure(FakeSourceTree(files), failing, (), ())


def write_steps(*steps: dict[str, object]) -> str:
    return json.dumps({"steps": steps})


@pytest.mark.parametrize(
    ("path", "text", "declared"),
    [
        (
            "cloudbuild.yaml",
            write_steps(
                {"name": "gcr.io/kaniko-project/executor:v1", "args": ["--dockerfile=deploy/Web", "-c", "quay"]}
            ),
            ("quay", "quay/deploy/Web", ""),
        ),
        (
            "cloudbuild.yaml",
            write_steps({"name": "kaniko", "args": ["--context=dir:///workspace/quay", "--target=web", "-d", "r/q"]}),
            ("quay", "quay/Dockerfile", "web"),
        ),
        (
            "cloudbuild.yaml",
            write_steps({"name": "docker", "dir": "quay", "args": ["build", "-t", "r/q", "--target", "web", "."]}),
            ("quay", "quay/Dockerfile", "web"),
        ),
        (
            "cloudbuild.yaml",
            write_steps({"name": "docker", "args": ["build", "--build-arg", "A=b", "-f", "quay/Web", "."]}),
            ("", "quay/Web", ""),
        ),
        (
            "deploy/skaffold.yaml",
            "build:\n  artifacts:\n  - image: r/q\n    context: ../quay\n    docker: {dockerfile: Web, target: web}\n",
            ("quay", "quay/Web", "web"),
        ),
        ("skaffold.yaml", "build:\n  artifacts:\n  - image: r/q\n", ("", "Dockerfile", "")),
        ("skaffold.yaml", "build:\n  artifacts:\n  - image: r/q\n    buildpacks: {builder: b}\n", None),
        (
            ".github/workflows/deploy.yml",
            "jobs:\n  a:\n    steps:\n    - uses: docker/build-push-action@v6\n"
            "      with: {context: quay, file: quay/Web, target: web}\n",
            ("quay", "quay/Web", "web"),
        ),
    ],
)
def test_every_way_to_declare_a_build_is_read(path: str, text: str, declared: tuple[str, str, str] | None) -> None:
    found = find_build_declarations(RecordingTree(FakeSourceTree({path: text})), "")
    assert found == (() if declared is None else (BuildDeclaration(*declared, path),))


IMAGE = "FROM python:3.11\nWORKDIR /app\nCOPY . .\nCMD python main.py\n"
SERVICE = {
    "Dockerfile": IMAGE,
    "main.py": "import pages, shared\n",
    "pages.py": "",
    "worker.py": "import jobs, shared\n",
    "jobs.py": "",
    "shared.py": "",
}
OVERRIDDEN = {"worker.py", "jobs.py", "shared.py"}
DEPLOY = "gcloud run deploy quay --image r/q"
RUN_DEPLOY = DEPLOY.split()[1:]
KNATIVE = """\
kind: Service
spec:
  template:
    spec:
      containers:
      - image: r/proxy
        command: [proxy]
      - image: r/q
        ports: [{containerPort: 8080}]
        command: [python]
        args: [worker.py]
"""


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("deploy.sh", f"{DEPLOY} --command=python --args=worker.py\n"),
        ("scripts/deploy.sh", f"{DEPLOY} \\\n  --args '^:^python:worker.py'\n"),
        (
            "cloudbuild.yaml",
            write_steps({"name": "gcloud", "args": [*RUN_DEPLOY, "--args", "python,worker.py"]}),
        ),
        (
            ".github/workflows/deploy.yml",
            "jobs:\n  a:\n    steps:\n    - uses: google-github-actions/deploy-cloudrun@v2\n"
            "      with:\n        service: quay\n        flags: '--command=python --args=worker.py'\n",
        ),
        ("service.yaml", KNATIVE),
        ("deploy/quay-service.yaml", KNATIVE),
    ],
)
def test_a_deployment_starts_what_it_says_in_place_of_the_image(path: str, text: str) -> None:
    found = closure("shared.py", {**SERVICE, path: text})
    assert (set(found.files), found.is_exact) == (OVERRIDDEN, True)


@pytest.mark.parametrize(
    "text",
    [
        f"{DEPLOY} --args=python,worker.py\n{DEPLOY}-web\n",
        f"{DEPLOY} --args=python,worker.py\n{DEPLOY} --args=python,main.py\n",
    ],
)
def test_deployments_that_differ_may_each_be_the_failing_one(text: str) -> None:
    found = closure("shared.py", {**SERVICE, "deploy.sh": text})
    assert set(found.files) == {*OVERRIDDEN, "main.py", "pages.py"}


def test_an_override_that_is_not_plain_leaves_the_start_open() -> None:
    found = closure("shared.py", {**SERVICE, "deploy.sh": f"{DEPLOY} --command=$START\n"})
    assert not found.is_exact


def test_an_override_of_another_image_changes_nothing() -> None:
    other = {"jobs/Dockerfile": IMAGE.replace("COPY . .", "COPY jobs .").replace("main", "run"), "jobs/run.py": ""}
    found = closure("shared.py", {**SERVICE, **other, "deploy.sh": f"{DEPLOY} --command=python --args=run.py\n"})
    assert set(found.files) == {"main.py", "pages.py", "shared.py"}


@pytest.mark.parametrize(
    ("building", "image"),
    [
        ("docker build -f Dockerfile.cloud .\n", "Dockerfile.cloud"),
        (f"{DEPLOY} --source .\n", "Dockerfile"),
    ],
)
def test_of_two_dockerfiles_with_one_start_the_one_that_is_deployed_counts(building: str, image: str) -> None:
    found = closure("shared.py", {**SERVICE, "Dockerfile.cloud": IMAGE, "deploy.sh": building})
    assert (found.image_path, found.ambiguous_images) == (image, ())


@pytest.mark.parametrize("building", ["", "docker build -f Dockerfile.cloud .\ndocker build .\n"])
def test_of_two_that_may_be_deployed_each_may_be_the_failing_one(building: str) -> None:
    found = closure("shared.py", {**SERVICE, "Dockerfile.cloud": IMAGE, "deploy.sh": building})
    assert found.ambiguous_images == ("Dockerfile.cloud",)


def test_builds_of_two_stages_leave_open_which_is_the_failing_one() -> None:
    stages = (
        "FROM python:3.11 AS both\nWORKDIR /app\nCOPY . .\nFROM both AS web\nCMD python main.py\n"
        "FROM both AS jobs\nCMD python worker.py\n"
    )
    files = {**SERVICE, "Dockerfile": stages}
    one = closure("shared.py", {**files, "deploy.sh": "docker build --target web .\n"})
    assert (set(one.files), one.ambiguous_images) == (
        {"main.py", "pages.py", "shared.py"}, ("Dockerfile (stage jobs)",),
    )  # fmt: skip
    two = closure("shared.py", {**files, "deploy.sh": "docker build --target web .\ndocker build --target jobs .\n"})
    assert two.ambiguous_images == ("Dockerfile (stage web)",)
