"""Whether Python was started with a file that is none, such as a shell script: a failing version in, yes or no out."""

from shared.proof.judging.compile_verdicts import CompileVerdicts
from shared.proof.model.ports import History
from shared.proof.model.python_names import is_python_name, has_other_interpreter
from shared.proof.searching.introducing_commit import FileAtCommit


def is_not_python(history: History, verdicts: CompileVerdicts, failing_version: FileAtCommit, branch_head: str) -> bool:
    """By its name and its first line; where these leave it open, by whether any version of it ever compiled."""
    if is_python_name(failing_version.path):
        return False
    content = history.read(failing_version.blob) or b""
    if content.startswith(b"#!"):
        return has_other_interpreter(content)
    versions = history.file_versions([failing_version.path], list(dict.fromkeys((branch_head, failing_version.commit.id))))
    blobs = {failing_version.blob, *(blob for each in versions for blob in each.blobs.values())}
    return all(verdicts.judge(blob, failing_version.path).compiles is False for blob in sorted(blobs))
