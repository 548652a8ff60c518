"""Which image counts where Dockerfiles name different Pythons: a commit and a file of it in, the Dockerfile out."""

from shared.domain.declared import dockerfile_versions
from shared.steps import pythons
from shared.steps.inquiry import Inquiry
from shared.steps.loaded import Loaded
from shared.steps.traced import traced_files


def choose_image(inquiry: Inquiry, commit: str, path: str) -> str:
    """The Dockerfile whose closure holds a file; "" where they all name one Python, and it does not matter."""
    files = pythons.declared_files(inquiry.history, commit)
    if not path or len(dockerfile_versions({each.path: each.text for each in files})) < 2:
        return ""
    traced = traced_files(inquiry.history, inquiry.incident, commit)
    return Loaded(inquiry.history, path, traced, inquiry.request.roots).at(commit).closure.image
