"""Reads how a repository builds its images: from which folder, which stage, and whether gcloud uploads it.

Returns the builds and uploads that compose files, Cloud Build, workflows and scripts of a commit name.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import yaml

from shared.proof.loading.commit_tree import BUILD_FOLDERS, RecordingTree, is_build_file, is_compose_file
from shared.proof.loading.dockerfile_stages import split_words
from shared.proof.model.ignore_rules import make_default_gcloud_ignore, parse_gcloud_ignore
from shared.proof.model.paths import AppliedIgnores

_MAX_FILES = 30
_MAX_TEXT = 100_000
_MAX_MERGES = 20
_MAX_ACTION_LINES = 40
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_NODES = 5_000
_DOCKER_BUILD = re.compile(
    r"\b(?:docker|podman|buildah)\s{1,4}+(?:buildx\s{1,4}+|image\s{1,4}+)?(?:build|bud)\b([^\n;&|]*)"
)
_UPLOAD = re.compile(
    r"\bgcloud\b[^\n;&|]{0,200}?\b(builds\s{1,4}+submit|run\s{1,4}+(?:jobs\s{1,4}+)?deploy|functions\s{1,4}+deploy"
    r"|app\s{1,4}+deploy)\b([^\n;&|]*)"
)
_CONTINUED = re.compile(r"\\\r?\n[ \t]*+")
_CHANGED_FOLDER = re.compile(r"working-directory:|(?:^|[\s;&|(])cd\s", re.MULTILINE)
_VALUE_OPTIONS = frozenset(
    {
        "-t", "--tag", "-f", "--file", "--target", "--build-arg", "--platform", "--label", "--cache-from", "--cache-to",
        "--config", "--project", "--region", "--substitutions", "--timeout", "--network", "--secret", "--ssh",
        "--progress", "--output", "-o", "--source", "--machine-type", "--gcs-log-dir", "--service-account", "--builder",
        "--image", "--ignore-file", "--entry-point", "--runtime", "--iidfile", "--build-context",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class BuildDeclaration:
    """One build of an image. `context` is a folder, `dockerfile` a file of the repository, `target` a stage or ""."""

    context: str
    dockerfile: str
    target: str
    path: str
    """The file that says so."""
    is_for_development: bool = False
    """Whether it is of a compose file, which rarely says how a deployed image is built."""


@dataclass(frozen=True, slots=True)
class SourceUpload:
    """A folder that gcloud uploads before it is built; `is_certain`: a command of the repository says so."""

    folder: str
    is_certain: bool


@lru_cache(maxsize=8)  # every Dockerfile of a tree asks
def find_build_declarations(tree: RecordingTree, beside: str) -> tuple[BuildDeclaration, ...]:
    """The builds that files at the top, in usual folders and in the folder `beside` declare."""
    declared: dict[BuildDeclaration, None] = {}
    for path, text in _read_build_files(tree, beside):
        declared |= dict.fromkeys(_read_builds(path, text))
    return tuple(declared)


@lru_cache(maxsize=256)  # most commits of a history have the same ones
def _read_builds(path: str, text: str) -> tuple[BuildDeclaration, ...]:
    return (*_read_commands(path, text), *_read_nodes(path, text, is_compose=is_compose_file(path)))


def find_source_uploads(tree: RecordingTree, context: str, *, has_dockerfile: bool) -> tuple[SourceUpload, ...]:
    """The folders that gcloud uploads, or may upload where nothing says how the image is built."""
    uploads: dict[SourceUpload, None] = {}
    builds_itself = False
    for _, text in _read_build_files(tree, context):
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


def _read_build_files(tree: RecordingTree, beside: str) -> Iterator[tuple[str, str]]:
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
        build = _parse_build(path, split_words(match[1]))
        if build:
            yield build


def _parse_build(path: str, words: Sequence[str]) -> BuildDeclaration | None:
    options, positional = _split_options(words)
    context = positional[-1] if positional else ""
    dockerfile = options.get("-f") or options.get("--file") or posixpath.join(context, "Dockerfile")
    return _make_declaration(path, context, dockerfile, options.get("--target", ""))


def _make_declaration(path: str, context: str, dockerfile: str, target: str) -> BuildDeclaration | None:
    """None where a variable or an address stands for a folder."""
    if not context or any("$" in text or "://" in text or text.startswith("/") for text in (context, dockerfile)):
        return None
    folder, file = _clean(context), _clean(dockerfile)
    if folder.startswith("..") or file.startswith(".."):
        return None
    return BuildDeclaration(folder, file, "" if "$" in target else target, path)


def _split_options(words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The options that have a value, and what is no option."""
    options: dict[str, str] = {}
    positional: list[str] = []
    waiting = ""
    for word in words:
        if waiting:
            options[waiting], waiting = word, ""
        elif word.startswith("-") and word != "-":
            name, equals, value = word.partition("=")
            if equals:
                options[name] = value
            elif name in _VALUE_OPTIONS:
                waiting = name
        else:
            positional.append(word)
    return options, positional


def _list_uploaded(text: str) -> Iterator[str]:
    """The folders that gcloud commands and Google's deploy actions upload."""
    for match in _UPLOAD.finditer(text):
        options, positional = _split_options(split_words(match[2]))
        if "--no-source" in match[2]:
            continue
        source = options.get("--source")
        if match[1].startswith("builds"):
            source = next((word for word in positional if not word.endswith((".yaml", ".yml"))), ".")
        elif match[1].startswith(("app", "functions")):
            source = source or "."
        if source and "$" not in source and "://" not in source and not source.startswith("/"):
            yield _clean(source)
    for block in text.split("uses:")[1:]:
        if block.strip().strip("'\"").startswith("google-github-actions/deploy-"):
            pairs = (line.strip().partition(":") for line in block.splitlines()[:_MAX_ACTION_LINES])
            given = {key: value.strip().strip("'\"") for key, _, value in pairs}
            yield from (_clean(given[key]) for key in ("source", "source_dir", "working_directory") if given.get(key))


def _read_nodes(path: str, text: str, *, is_compose: bool) -> Iterator[BuildDeclaration]:
    """Builds that YAML states as keys: of a compose file, of the action that builds, of Cloud Build's steps."""
    if not path.endswith((".yml", ".yaml")) or "build" not in text or text.count("<<") > _MAX_MERGES:
        return
    try:
        roots = list(yaml.load_all(text, Loader=_LOADER))  # a safe loader
    except (yaml.YAMLError, ValueError, RecursionError):
        return
    base = posixpath.dirname(path) if is_compose else ""
    for node in _walk(roots):
        if is_compose and "build" in node:
            yield from _read_compose_build(path, base, node["build"])
        elif str(node.get("uses", "")).startswith("docker/build-push-action"):
            given = node.get("with")
            yield from _read_action(path, given if isinstance(given, Mapping) else {})
        elif "args" in node and "docker" in str(node.get("name", "")):
            yield from _read_step(path, node)


def _walk(roots: Sequence[object]) -> Iterator[Mapping[object, object]]:
    waiting, seen = list(roots), 0
    while waiting and seen < _MAX_NODES:
        node = waiting.pop()
        seen += 1
        if isinstance(node, Mapping):
            yield node
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _read_compose_build(path: str, base: str, build: object) -> Iterator[BuildDeclaration]:
    given = build if isinstance(build, Mapping) else {"context": build}
    context = posixpath.join(base, str(given.get("context") or "."))
    dockerfile = posixpath.join(context, str(given.get("dockerfile") or "Dockerfile"))
    made = _make_declaration(path, context, dockerfile, str(given.get("target") or ""))
    if made:
        yield BuildDeclaration(made.context, made.dockerfile, made.target, path, is_for_development=True)


def _read_action(path: str, given: Mapping[object, object]) -> Iterator[BuildDeclaration]:
    context = str(given.get("context") or ".")
    made = _make_declaration(
        path, context, str(given.get("file") or posixpath.join(context, "Dockerfile")), str(given.get("target") or "")
    )
    if made:
        yield made


def _read_step(path: str, step: Mapping[object, object]) -> Iterator[BuildDeclaration]:
    args = step["args"]
    words = [str(word) for word in args] if isinstance(args, list) else []
    if "build" not in words[:2] or step.get("dir"):
        return
    made = _parse_build(path, words[words.index("build") + 1 :])
    if made:
        yield made


def _clean(path: str) -> str:
    cleaned = posixpath.normpath(path)
    return "" if cleaned == "." else cleaned


def _is_above(folder: str, path: str) -> bool:
    return not folder or folder == path or path.startswith(f"{folder}/")
