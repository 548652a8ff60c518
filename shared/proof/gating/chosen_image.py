"""Which image counts where Dockerfiles name different Pythons: a commit and a file of it in, the Dockerfile out."""

from shared.proof import pythons
from shared.proof.declared.deployed_python import dockerfile_versions
from shared.proof.gating.loaded import Loaded
from shared.proof.gating.traced import traced_files
from shared.proof.proof_context import Inquiry


def choose_image(inquiry: Inquiry, commit: str, path: str) -> str:
    """The Dockerfile whose closure holds a file; "" where they all name one Python, and it does not matter."""
    files = pythons.declared_files(inquiry.history, commit)
    if not path or len(dockerfile_versions({each.path: each.text for each in files})) < 2:
        return ""
    traced = traced_files(inquiry.history, inquiry.incident, commit)
    return Loaded(inquiry.history, path, traced, inquiry.request.roots).at(commit).closure.image
