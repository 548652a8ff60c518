"""Which files of a repository tell what an image is made of, by their names."""

import re

from shared.proof.loading.commit_tree import is_build_file, is_image_file

_MAY_PROVIDE = re.compile(
    r"(?:^|/)(?:\.gitignore|\.gcloudignore|[\w.-]*\.?dockerignore|Pipfile(?:\.lock)?|(?:poetry|pdm|uv)\.lock|environment\.ya?ml"
    r"|pyproject\.toml|setup\.(?:cfg|py)|requirements[\w.-]*|[\w.-]*Dockerfile|Procfile)$"
)
_REQUIREMENTS = re.compile(r"(?:^|/)requirements/[\w./-]+\.(?:txt|in)$")


def may_provide(path: str) -> bool:
    """Whether a file may tell what a build brings or leaves out."""
    return _MAY_PROVIDE.search(path) is not None


def decides_image(path: str) -> bool:
    """Whether a change of a file may change what an image has beside the files of the repository."""
    return may_provide(path) or is_image_file(path) or is_build_file(path) or bool(_REQUIREMENTS.search(path))
