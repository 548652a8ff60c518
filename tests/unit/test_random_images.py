"""Random Dockerfiles against a build that really copies: every definite answer is what that image holds."""

import random
from collections import Counter

import pytest

from shared.proof.loading.commit_tree import RecordingTree
from shared.proof.loading.dockerfile_stages import parse_stages
from shared.proof.loading.image_contents import ImageContents, Presence
from shared.proof.loading.image_files import ImageFiles
from shared.proof.model.ignore_rules import parse_docker_ignore
from tests.support.simulated_build import build, make_context
from tests.support.source_tree import FakeSourceTree

FOLDERS = ("", "shop/", "shop/meters/", "lib/", "lib/meters/", "docs/")
NAMES = ("main.py", "a.py", "__init__.py", "x.txt")
SOURCES = (
    ".", "./", "shop", "shop/", "lib", "*", "*.py", "shop/*", "shop/*.py", "*/meters", "l*", "main.py", "shop/main.py",
    "shop/meters", "x.txt", "/lib/a.py", "do?s",
)  # fmt: skip
TARGETS = (".", "./", "/app", "/app/", "shop", "shop/", "/srv/lib", "lib/", "main.py", "/app/shop/meters/", "/")
IGNORED = (
    "**/meters",
    "shop",
    "*.txt",
    "lib/**",
    "!lib/a.py",
    "docs",
    "**/*.py",
    "!**/main.py",
    "/x.txt",
    "!shop/meters",
)
BUILDS = 250


def choose_target(chance: random.Random, sources: str) -> str:
    """A folder for what a pattern matches, as Docker wants it where it matches several; no file without a suffix."""
    target = chance.choice(TARGETS)
    if target == "main.py" and (not sources.endswith((".py", ".txt")) or set(" *?") & set(sources)):
        target = "shop/"
    is_plain = target.endswith(("/", ".", ".py")) or not set("*?.") & set(sources)
    return target if is_plain else f"{target}/"


def make_stages(chance: random.Random) -> list[list[str]]:
    stages: list[list[str]] = []
    for number in range(chance.choice((1, 1, 1, 2, 3))):
        lines = ["WORKDIR /app"] if chance.random() < 0.7 else []
        for _ in range(chance.randint(1, 3)):
            if number and chance.random() < 0.6:
                source = chance.choice(
                    ("/app", "/app/shop", "/app/*", "/srv", "/app/main.py", "/app/shop/meters/", "/")
                )
                lines.append(f"COPY --from={chance.randrange(number)} {source} {choose_target(chance, source)}")
            else:
                sources = " ".join(chance.choice(SOURCES) for _ in range(chance.choice((1, 1, 1, 2))))
                lines.append(f"COPY {sources} {choose_target(chance, sources)}")
        stages.append(lines)
    return stages


@pytest.mark.parametrize("seed", [11])
def test_every_definite_answer_is_what_the_image_holds(seed: int) -> None:
    chance = random.Random(seed)
    outcomes: Counter[Presence] = Counter()
    for _ in range(BUILDS):
        paths = [folder + name for folder in FOLDERS for name in NAMES if chance.random() < 0.6]
        ignore = "\n".join(chance.sample(IGNORED, chance.choice((0, 0, 1, 2, 3))))
        rules = parse_docker_ignore(".dockerignore", ignore)
        stages = make_stages(chance)
        image = build(make_context(paths, lambda path: rules.find_line(path) is not None), stages)  # noqa: B023
        if image is None:
            continue
        dockerfile = "".join("FROM python:3.11\n" + "".join(f"{line}\n" for line in lines) for lines in stages)
        tree = RecordingTree(
            FakeSourceTree({**dict.fromkeys(paths, ""), "Dockerfile": dockerfile, ".dockerignore": ignore})
        )
        files = ImageFiles(tree, parse_stages(dockerfile), "")
        contents = ImageContents(files, "Dockerfile")
        for path in paths:
            presence = contents.holds(path)
            outcomes[presence.state] += 1
            places = sorted(place for place, origin in image.files.items() if origin == path)
            if presence.state is Presence.PRESENT:
                assert places, (path, ignore, dockerfile)
                assert set(places) <= set(presence.image_paths), (path, ignore, dockerfile)
            elif presence.state is Presence.ABSENT:
                assert not places, (path, ignore, dockerfile)
        files.is_left_out = contents.is_left_out
        located = {place: files.locate(place) for place in image.files}
        assert located == image.files, (ignore, dockerfile)
    assert min(outcomes[Presence.PRESENT], outcomes[Presence.ABSENT]) > BUILDS
    assert outcomes[Presence.UNKNOWN] < outcomes.total() // 10
