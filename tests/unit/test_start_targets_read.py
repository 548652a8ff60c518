"""What a start command asks for, as its Dockerfile says it; and what a Dockerfile leaves open."""

import pytest

from shared.proof.claims.starting.start_image import StartImage, open_start_images
from shared.proof.loading.commit_tree import RecordingTree
from tests.support.source_tree import FakeSourceTree

HEAD = "FROM python:3.11-slim\nWORKDIR /srv\nCOPY . .\n"
FILES = {"quay/main.py": "app = 1\n", "quay/__init__.py": "", "main.py": "", "src/lamp.py": ""}


def read(command: str, **files: str) -> StartImage:
    tree = RecordingTree(FakeSourceTree({**FILES, **files, "Dockerfile": HEAD + command + "\n"}))
    [image] = open_start_images(tree, "Dockerfile")
    return image


TARGETS = {
    'CMD ["uvicorn", "quay.main:app", "--port", "80"]': ("uvicorn", "quay.main", "app", "", ("/srv",)),
    "CMD exec uvicorn --app-dir src lamp:app": ("uvicorn", "lamp", "app", "", ("/srv/src",)),
    "CMD python -m uvicorn --app-dir src lamp:app": ("uvicorn", "lamp", "app", "", ("/srv/src", "/srv")),
    "CMD cd src && uvicorn lamp:app": ("uvicorn", "lamp", "app", "", ("/srv/src",)),
    "CMD PYTHONPATH=/srv/src uvicorn lamp:app": ("uvicorn", "lamp", "app", "", ("/srv", "/srv/src")),
    "CMD gunicorn quay.main": ("gunicorn", "quay.main", "application", "", ("/srv",)),
    "CMD gunicorn -k uvicorn.workers.UvicornWorker --bind :$PORT quay.main:app": (
        "gunicorn", "quay.main", "app", "", ("/srv",),
    ),
    "CMD gunicorn --chdir src lamp:app": ("gunicorn", "lamp", "app", "", ("/srv/src", "/srv")),
    "CMD gunicorn --pythonpath src 'lamp:make(1)'": ("gunicorn", "lamp", "make", "", ("/srv/src", "/srv")),
    "CMD poetry run hypercorn quay.main": ("hypercorn", "quay.main", "app", "", ("/srv",)),
    "CMD daphne -b 0.0.0.0 quay.main:app": ("daphne", "quay.main", "app", "", ("/srv",)),
    "CMD celery -A worker worker": ("celery", "worker", "", "", ("/srv",)),
    "CMD celery --app=quay.jobs:app worker": ("celery", "quay.jobs", "app", "", ("/srv",)),
    "CMD functions-framework --target=moor": ("functions-framework", "", "moor", "/srv/main.py", ("/srv",)),
    "CMD python -u main.py": ("python", "", "", "/srv/main.py", ("/srv",)),
    "CMD python -m quay.main": ("python -m", "quay.main", "", "", ("/srv",)),
}  # fmt: skip


@pytest.mark.parametrize("command", TARGETS)
def test_the_target_of_a_command(command: str) -> None:
    image = read(command)
    [target] = image.targets
    assert (target.program, target.module, target.name, target.path, target.roots) == TARGETS[command]
    assert image.doubt == ""
    assert image.line == 4


OPEN = (
    "CMD uvicorn $TARGET",
    "CMD uvicorn ${TARGET:-quay.main:app}",
    "CMD uvicorn --app-dir $PLACE quay.main:app",
    "CMD cd $PLACE; uvicorn quay.main:app",
    "CMD uvicorn quay.main",
    "CMD celery -A quay.jobs worker",
    "CMD gunicorn --chdir /opt/quay main:app",
    "CMD gunicorn --pythonpath a,b main:app",
    "CMD gunicorn --paste settings.ini",
    "CMD functions-framework --target=$TARGET",
    "CMD sleep 5",
    "CMD uv run --directory quay uvicorn main:app",
    "CMD uv --directory quay run uvicorn main:app",
    "CMD poetry -C quay run uvicorn main:app",
    "CMD env -C quay uvicorn main:app",
    'CMD ["su", "-", "web", "-c", "uvicorn quay.main:app"]',
    "CMD chroot /srv uvicorn quay.main:app",
    "ARG PART=quay\nCOPY $PART /srv/x\nCMD uvicorn quay.main:app",
    "ARG PART=quay\nENV PLACE=/srv/$PART\nWORKDIR ${PLACE}\nCMD uvicorn main:app",
    'CMD ["./start.sh"]',
)


SURE = (
    "CMD uv run uvicorn quay.main:app",
    "CMD poetry run uvicorn quay.main:app",
    'CMD ["su", "web", "-c", "uvicorn quay.main:app"]',
    "ARG VERSION=1\nENV VERSION=$VERSION\nCMD uvicorn quay.main:app",
)


@pytest.mark.parametrize("command", SURE)
def test_what_runs_in_the_same_folder_is_no_doubt(command: str) -> None:
    assert read(command).doubt == ""


@pytest.mark.parametrize("command", OPEN)
def test_what_a_command_leaves_open_is_a_doubt(command: str) -> None:
    assert read(command).doubt


def test_a_script_of_the_image_is_read_and_named() -> None:
    script = "#!/bin/sh\nset -e\nalembic upgrade head\nexec uvicorn quay.main:app --port ${PORT:-8080}\n"
    image = read('ENTRYPOINT ["./start.sh"]', **{"start.sh": script})
    assert [target.text for target in image.targets] == ["quay.main:app"]
    assert (image.scripts, image.doubt) == (("start.sh",), "")


def test_a_script_that_a_variable_steers_is_a_doubt() -> None:
    script = '#!/bin/sh\nexec uvicorn "${TARGET}"\n'
    assert read('ENTRYPOINT ["./start.sh"]', **{"start.sh": script}).doubt


def test_a_dockerfile_that_is_gone_or_empty_has_no_image() -> None:
    assert open_start_images(RecordingTree(FakeSourceTree({**FILES, "Dockerfile": "\n"})), "Dockerfile") == []
    assert open_start_images(RecordingTree(FakeSourceTree(FILES)), "Dockerfile") == []


def test_two_folders_that_may_be_the_context_are_two_images() -> None:
    files = {f"web/{path}": text for path, text in FILES.items()} | {"web/Dockerfile": HEAD + "CMD python main.py\n"}
    images = open_start_images(RecordingTree(FakeSourceTree(files)), "web/Dockerfile")
    assert sorted(image.files.context for image in images) == ["", "web"]
