"""Whether Python was started with a file that is none, such as a shell script: a failing version in, yes or no out."""

from shared.proof.judging.compile_verdicts import Verdicts
from shared.proof.model.ports import History
from shared.proof.model.python_names import is_python_name, names_other_interpreter
from shared.proof.searching.introducing_commit import Version


def is_no_python(history: History, verdicts: Verdicts, failing: Version, head: str) -> bool:
    """By its name and its first line; where these leave it open, by whether any version of it ever compiled."""
    if is_python_name(failing.path):
        return False
    content = history.read(failing.blob) or b""
    if content.startswith(b"#!"):
        return names_other_interpreter(content)
    versions = history.versions([failing.path], list(dict.fromkeys((head, failing.commit.id))))
    blobs = {failing.blob, *(blob for each in versions for blob in each.blobs.values())}
    return all(verdicts.of(blob, failing.path).ok is False for blob in sorted(blobs))
