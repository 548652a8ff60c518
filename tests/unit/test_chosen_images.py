"""Which of a repository's images is a service's: its source roots say so, else its name, else all may be."""

import pytest

from shared.proof.check_commit import choose_started
from shared.proof.started_services import StartedService

TIDE = StartedService("services/tide/main.py", "services/tide/Dockerfile")
QUAY = StartedService("services/quay/main.py", "services/quay/Dockerfile")
WORKER = StartedService("work/run.py", "Dockerfile.worker")


@pytest.mark.parametrize(
    ("name", "source_roots", "chosen"),
    [
        ("tide", (), [TIDE]),
        ("TIDE", (), [TIDE]),
        ("worker", (), [WORKER]),
        ("harbour", (), [TIDE, QUAY, WORKER]),
        ("harbour", ("services/quay",), [QUAY]),
        ("tide", ("services/quay/",), [QUAY]),
        ("tide", ("elsewhere",), [TIDE]),
        ("tid", (), [TIDE, QUAY, WORKER]),
    ],
)
def test_the_image_is_chosen(name: str, source_roots: tuple[str, ...], chosen: list[StartedService]) -> None:
    assert list(choose_started([TIDE, QUAY, WORKER], name, source_roots)) == chosen
