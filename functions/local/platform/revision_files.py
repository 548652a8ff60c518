"""Writes the files of a revision, from a commit or from a folder, into a folder of its own, as a build would take them.

What the `.dockerignore` leaves out is not there: a service that needs it does not start here either. A commit is
written out by `git archive` in a scratch repository that borrows the objects: no hook, filter or setting of the
repository is in force.
"""

import io
import os
import shutil
import stat
import tempfile
import zipfile
from pathlib import Path

from shared.adapters.git.scratch import ScratchRepository
from shared.adapters.standins.process_platform import RevisionSource
from shared.proof.model.ignore_rules import parse_docker_ignore

_DOCKERFILE = "Dockerfile"
_IGNORE_FILE = ".dockerignore"


def prepare_files(repository: str, source: RevisionSource, folder: Path) -> Path:
    """`folder` with the files in it; what is there already is left as it is. Raises InputError."""
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as name:
        files = Path(name, "files")
        if source.folder:
            shutil.copytree(source.folder, files, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        else:
            export_commit(repository, source.commit, files)
        _remove_ignored_files(files)
        files.rename(folder)
    return folder


def _remove_ignored_files(folder: Path) -> None:
    """Removes what Docker would leave out; the Dockerfile itself is always read."""
    own = folder / f"{_DOCKERFILE}{_IGNORE_FILE}"
    file = own if own.is_file() else folder / _IGNORE_FILE
    if not (folder / _DOCKERFILE).is_file() or not file.is_file():
        return
    rules = parse_docker_ignore(file.name, file.read_text("utf-8", "replace"))
    for above, folders, names in os.walk(folder, topdown=False):
        for file_path in (Path(above, name) for name in (*names, *folders)):
            if not rules.find_line(file_path.relative_to(folder).as_posix()) or file_path == folder / _DOCKERFILE:
                continue
            if not file_path.is_dir() or file_path.is_symlink():
                file_path.unlink()
            elif not any(file_path.iterdir()):
                file_path.rmdir()


def export_commit(repository: str, commit: str, folder: Path) -> Path:
    """Writes the tree of a commit into the folder, which is made. Raises InputError."""
    scratch = ScratchRepository(repository)
    try:
        packed = scratch.git().run("archive", "--format=zip", commit)
    finally:
        scratch.close()
    folder.mkdir(parents=True)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        for member in archive.infolist():
            _extract_member(archive, member, folder)
    return folder


def _extract_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    """Modes and links are left out by `zipfile`; a link that leads outside is left out here."""
    mode = member.external_attr >> 16
    if not stat.S_ISLNK(mode):
        written = Path(archive.extract(member, folder))
        if mode & stat.S_IXUSR and written.is_file():
            written.chmod(0o755)
        return
    path, target = folder / member.filename, os.fsdecode(archive.read(member))
    if Path(os.path.realpath(path.parent / target)).is_relative_to(os.path.realpath(folder)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
