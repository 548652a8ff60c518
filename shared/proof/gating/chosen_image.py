"""Which image counts where Dockerfiles name different Pythons: a commit and a file of it in, the Dockerfile out."""

from shared.proof import pythons
from shared.proof.declared.deployed_python import list_dockerfile_pythons
from shared.proof.gating.loaded import LoadedFiles
from shared.proof.gating.traced import find_traced_files
from shared.proof.proof_context import ProofContext


def choose_dockerfile(context: ProofContext, commit: str, path: str) -> str:
    """The Dockerfile whose closure holds a file; "" where they all name one Python, and it does not matter."""
    files = pythons.read_declaring_files(context.history, commit)
    if not path or len(list_dockerfile_pythons({each.path: each.text for each in files})) < 2:
        return ""
    traced = find_traced_files(context.history, context.incident, commit)
    return LoadedFiles(context.history, path, traced, context.request.source_roots).get_state(commit).closure.image_path
