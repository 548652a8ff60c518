"""Which files of a repository say what an image is made of, by their names."""

import re

from shared.proof.loading.commit_tree import is_build_file, is_image_file

_MAY_PROVIDE = re.compile(
    r"(?:^|/)(?:\.gitignore|\.gcloudignore|[\w.-]*\.?dockerignore|Pipfile(?:\.lock)?|(?:poetry|pdm|uv)\.lock|environment\.ya?ml"
    r"|pyproject\.toml|setup\.(?:cfg|py)|requirements[\w.-]*|[\w.-]*Dockerfile|Procfile)$"
)
_REQUIREMENTS = re.compile(r"(?:^|/)requirements/[\w./-]+\.(?:txt|in)$")

_MODULES_THAT_MAY_DECIDE = ("setup", "requirements", "dockerfile", "containerfile")
"""What a `.py` is called that one of the rules below may know; thousands of others change from commit to commit."""


def may_provide(path: str) -> bool:
    """Whether a file may say what a build brings or leaves out."""
    return _MAY_PROVIDE.search(path) is not None


def decides_image(path: str) -> bool:
    """Whether a change of a file may change what an image has beside the files of the repository."""
    name = path.rpartition("/")[2]
    if name.endswith(".py") and not name.lower().startswith(_MODULES_THAT_MAY_DECIDE):
        return False
    return may_provide(path) or is_image_file(path) or is_build_file(path) or bool(_REQUIREMENTS.search(path))
