"""Reads how a repository builds its images: from which folder, which stage, and whether gcloud uploads it.

Returns the builds and uploads that compose files, Cloud Build, workflows and scripts of a commit name.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from shared.proof.loading.build_commands import BuildDeclaration, clean_path, parse_build, split_options
from shared.proof.loading.build_nodes import read_nodes
from shared.proof.loading.commit_tree import BUILD_FOLDERS, RecordingTree, is_build_file, is_compose_file
from shared.proof.loading.dockerfile_stages import split_words
from shared.proof.model.ignore_rules import make_default_gcloud_ignore, parse_gcloud_ignore
from shared.proof.model.paths import AppliedIgnores

_MAX_FILES = 30
_MAX_TEXT = 100_000
_MAX_ACTION_LINES = 40
_DOCKER_BUILD = re.compile(
    r"\b(?:docker|podman|buildah)\s{1,4}+(?:buildx\s{1,4}+|image\s{1,4}+)?(?:build|bud)\b([^\n;&|]*)"
)
_UPLOAD = re.compile(
    r"\bgcloud\b[^\n;&|]{0,200}?\b(builds\s{1,4}+submit|run\s{1,4}+(?:jobs\s{1,4}+)?deploy|functions\s{1,4}+deploy"
    r"|app\s{1,4}+deploy)\b([^\n;&|]*)"
)
_CONTINUED = re.compile(r"\\\r?\n[ \t]*+")
_CHANGED_FOLDER = re.compile(r"working-directory:|(?:^|[\s;&|(])cd\s", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SourceUpload:
    """A folder that gcloud uploads before it is built; `is_certain`: a command of the repository says so."""

    folder: str
    is_certain: bool


@lru_cache(maxsize=8)  # every Dockerfile of a tree asks
def find_build_declarations(tree: RecordingTree, beside: str) -> tuple[BuildDeclaration, ...]:
    """The builds that files at the top, in usual folders and in the folder `beside` declare."""
    declared: dict[BuildDeclaration, None] = {}
    for path, text in read_build_files(tree, beside):
        declared |= dict.fromkeys(_read_builds(path, text))
    return tuple(declared)


@lru_cache(maxsize=256)  # most commits of a history have the same ones
def _read_builds(path: str, text: str) -> tuple[BuildDeclaration, ...]:
    return (*_read_commands(path, text), *read_nodes(path, text, is_compose=is_compose_file(path)))


def find_source_uploads(tree: RecordingTree, context: str, *, has_dockerfile: bool) -> tuple[SourceUpload, ...]:
    """The folders that gcloud uploads, or may upload where nothing says how the image is built."""
    uploads: dict[SourceUpload, None] = {}
    builds_itself = False
    for _, text in read_build_files(tree, context):
        joined = _CONTINUED.sub(" ", text)
        builds_itself = builds_itself or "docker/build-push-action" in text or bool(_DOCKER_BUILD.search(joined))
        is_certain = not _CHANGED_FOLDER.search(joined)
        uploads |= dict.fromkeys(SourceUpload(folder, is_certain) for folder in _list_uploaded(joined))
    if uploads:
        return tuple(upload for upload in uploads if _is_above(upload.folder, context))
    names = (".gcloudignore",) if builds_itself and has_dockerfile else (".gcloudignore", ".gitignore")
    folders = (folder for folder in dict.fromkeys((context, "")) if _has_file(tree, folder, names))
    return tuple(SourceUpload(folder, is_certain=False) for folder in folders)


def read_upload_ignores(tree: RecordingTree, folder: str) -> AppliedIgnores:
    """The rules by which gcloud uploads a folder: its `.gcloudignore`, else its `.gitignore` and git's own files."""
    path, git_path = posixpath.join(folder, ".gcloudignore"), posixpath.join(folder, ".gitignore")
    if tree.blob(path) is not None:
        return AppliedIgnores(folder, parse_gcloud_ignore(path, tree.read_text(path), tree.read_text))
    return AppliedIgnores(folder, make_default_gcloud_ignore(git_path, tree.read_text(git_path)))


def _has_file(tree: RecordingTree, folder: str, names: Sequence[str]) -> bool:
    return any(tree.blob(posixpath.join(folder, name)) is not None for name in names)


def read_build_files(tree: RecordingTree, beside: str) -> Iterator[tuple[str, str]]:
    paths: dict[str, None] = {}
    for folder in dict.fromkeys((*BUILD_FOLDERS, beside)):
        for name, kind in sorted((tree.list_unrecorded(folder) or {}).items()):
            path = posixpath.join(folder, name)
            if kind == "file" and is_build_file(path):
                paths[path] = None
    for path in list(paths)[:_MAX_FILES]:
        yield path, tree.read_text(path)[:_MAX_TEXT]


def _read_commands(path: str, text: str) -> Iterator[BuildDeclaration]:
    """`docker build` with its options, from the top of the repository unless the file changes the folder."""
    joined = _CONTINUED.sub(" ", text)
    if _CHANGED_FOLDER.search(joined):
        return
    for match in _DOCKER_BUILD.finditer(joined):
        build = parse_build(path, split_words(match[1]))
        if build:
            yield build


def _list_uploaded(text: str) -> Iterator[str]:
    """The folders that gcloud commands and Google's deploy actions upload."""
    for match in _UPLOAD.finditer(text):
        options, positional = split_options(split_words(match[2]))
        if "--no-source" in match[2]:
            continue
        source = options.get("--source")
        if match[1].startswith("builds"):
            source = next((word for word in positional if not word.endswith((".yaml", ".yml"))), ".")
        elif match[1].startswith(("app", "functions")):
            source = source or "."
        if source and "$" not in source and "://" not in source and not source.startswith("/"):
            yield clean_path(source)
    for block in text.split("uses:")[1:]:
        if block.strip().strip("'\"").startswith("google-github-actions/deploy-"):
            pairs = (line.strip().partition(":") for line in block.splitlines()[:_MAX_ACTION_LINES])
            given = {key: value.strip().strip("'\"") for key, _, value in pairs}
            yield from (
                clean_path(given[key]) for key in ("source", "source_dir", "working_directory") if given.get(key)
            )


def _is_above(folder: str, path: str) -> bool:
    return not folder or folder == path or path.startswith(f"{folder}/")
