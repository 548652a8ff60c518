"""Reads the builds that YAML states as keys: of compose files, Skaffold, the action that builds, Cloud Build's steps.

Takes a file's path and text. Returns the builds.
"""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import yaml

from shared.proof.loading.build_commands import (
    BuildDeclaration,
    clean_path,
    make_declaration,
    parse_build,
    split_options,
)

_MAX_MERGES = 20
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_NODES = 5_000


def list_mappings(path: str, text: str) -> Iterator[Mapping[object, object]]:
    """Every mapping of a YAML file, in a bounded number; nothing of what is no YAML."""
    if not path.endswith((".yml", ".yaml")) or text.count("<<") > _MAX_MERGES:
        return
    try:
        roots = list(yaml.load_all(text, Loader=_LOADER))  # a safe loader
    except (yaml.YAMLError, ValueError, RecursionError):
        return
    yield from _walk(roots)


def read_nodes(path: str, text: str, *, is_compose: bool) -> Iterator[BuildDeclaration]:
    """Builds that YAML states as keys."""
    base = posixpath.dirname(path) if is_compose else ""
    for node in list_mappings(path, text) if "build" in text or "kaniko" in text else ():
        if is_compose and "build" in node:
            yield from _read_compose_build(path, base, node["build"])
        elif str(node.get("uses", "")).startswith("docker/build-push-action"):
            given = node.get("with")
            yield from _read_action(path, given if isinstance(given, Mapping) else {})
        elif "args" in node and "kaniko" in str(node.get("name", "")):
            yield from _read_kaniko(path, node)
        elif "args" in node and "docker" in str(node.get("name", "")):
            yield from _read_step(path, node)
        elif posixpath.basename(path).startswith("skaffold"):
            artifacts = node.get("artifacts")
            for artifact in artifacts if isinstance(artifacts, list) else ():
                yield from _read_artifact(path, artifact if isinstance(artifact, Mapping) else {})


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
    made = make_declaration(path, context, dockerfile, str(given.get("target") or ""))
    if made:
        yield BuildDeclaration(made.context, made.dockerfile, made.target, path, is_for_development=True)


def _read_action(path: str, given: Mapping[object, object]) -> Iterator[BuildDeclaration]:
    context = str(given.get("context") or ".")
    made = make_declaration(
        path, context, str(given.get("file") or posixpath.join(context, "Dockerfile")), str(given.get("target") or "")
    )
    if made:
        yield made


def _read_step(path: str, step: Mapping[object, object]) -> Iterator[BuildDeclaration]:
    """`docker build` as Cloud Build runs it, in the folder `dir` of the repository."""
    words = _read_words(step)
    if "build" in words[:2]:
        yield from _place_in_folder(step, parse_build(path, words[words.index("build") + 1 :]))


def _read_kaniko(path: str, step: Mapping[object, object]) -> Iterator[BuildDeclaration]:
    """The executor's own options; its context is the working directory where none is given."""
    options, _ = split_options(_read_words(step))
    context = (options.get("--context") or options.get("-c") or ".").removeprefix("dir://").removeprefix(
        "/workspace"
    ).lstrip("/") or "."
    dockerfile = options.get("--dockerfile") or options.get("-f") or "Dockerfile"
    if not dockerfile.startswith("/"):
        dockerfile = posixpath.join(context, dockerfile)
    dockerfile = dockerfile.removeprefix("/workspace/")
    yield from _place_in_folder(step, make_declaration(path, context, dockerfile, options.get("--target", "")))


def _read_artifact(path: str, artifact: Mapping[object, object]) -> Iterator[BuildDeclaration]:
    """One artifact of Skaffold, whose paths are seen from its file; a buildpack has no Dockerfile."""
    builder = next((artifact[key] for key in ("docker", "kaniko") if isinstance(artifact.get(key), Mapping)), {})
    if "buildpacks" in artifact or not isinstance(builder, Mapping) or "image" not in artifact:
        return
    context = posixpath.join(posixpath.dirname(path), str(artifact.get("context") or "."))
    dockerfile = posixpath.join(context, str(builder.get("dockerfile") or "Dockerfile"))
    made = make_declaration(path, context, dockerfile, str(builder.get("target") or ""))
    if made:
        yield made


def _read_words(step: Mapping[object, object]) -> list[str]:
    args = step["args"]
    return [str(word) for word in args] if isinstance(args, list) else []


def _place_in_folder(step: Mapping[object, object], made: BuildDeclaration | None) -> Iterator[BuildDeclaration]:
    """A build whose paths are seen from the step's own folder."""
    folder = str(step.get("dir") or "")
    if made is None or "$" in folder or folder.startswith(("/", "..")):
        return
    paths = (clean_path(posixpath.join(folder, path)) for path in (made.context, made.dockerfile))
    context, dockerfile = paths
    if not context.startswith("..") and not dockerfile.startswith(".."):
        yield replace(made, context=context, dockerfile=dockerfile)
