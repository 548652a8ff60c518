"""Writes the example service out: a work tree with its history and its CI, and the log of its incident."""

from dataclasses import dataclass
from pathlib import Path

from functions.demo import fast_import
from functions.demo.build_repository import build_incident
from functions.demo.incident_log import Shape, write_incident_log
from shared.errors import UsageError

_README = """\
The example service of `provenfix demo`: `service` is its repository, with the checks of its CI in
.github/workflows/ci.yml; `log.json` is what it logged in the night of the incident. Try:

    provenfix investigate --repo service --log log.json
    provenfix check --repo service
"""


@dataclass(frozen=True, slots=True)
class ExportedExample:
    """Where its parts are."""

    repository: Path
    log: Path


def export_example(folder: Path) -> ExportedExample:
    """Writes into a folder that is new or empty. Raises UsageError for another one, InputError where git fails."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"--export {folder}: the folder must be new or empty")
    folder.mkdir(parents=True, exist_ok=True)
    repository = folder / "service"
    git_folder = repository / ".git"
    story = build_incident(git_folder)
    fast_import.run_git([f"--git-dir={git_folder}", "config", "core.bare", "false"])
    fast_import.run_git([f"--git-dir={git_folder}", f"--work-tree={repository}", "checkout", "--quiet", "--force"])
    log = write_incident_log(story, folder / "log.json", Shape.GCLOUD)
    (folder / "README.md").write_text(_README, "utf-8")
    return ExportedExample(repository, log)
