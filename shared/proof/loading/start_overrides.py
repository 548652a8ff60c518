"""What deployments start instead of what the image says: `--command` and `--args` of Cloud Run, and its descriptions.

Takes a commit's tree. Returns what each declared deployment overrides, each once.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from shared.proof.loading.build_commands import split_options
from shared.proof.loading.build_declarations import read_build_files
from shared.proof.loading.build_nodes import list_mappings
from shared.proof.loading.commit_tree import RecordingTree
from shared.proof.loading.dockerfile_stages import split_words

_CONTINUED = re.compile(r"\\\r?\n[ \t]*+")
_DEPLOY = re.compile(r"\bgcloud\b[^\n;&|]{0,80}?\brun\s{1,4}+(?:deploy|services\s{1,4}+update)\b([^\n;&|]*)")
_OWN_SEPARATOR = re.compile(r"\^([^^]{1,9})\^(.*)", re.DOTALL)
_ACTION = "google-github-actions/deploy-cloudrun"


@dataclass(frozen=True, slots=True)
class StartOverride:
    """`command` is in place of ENTRYPOINT, and without `arguments` CMD counts no more; None: as in the image."""

    command: tuple[str, ...] | None = None
    arguments: tuple[str, ...] | None = None

    @property
    def is_none(self) -> bool:
        return self.command is None and self.arguments is None


def find_start_overrides(tree: RecordingTree) -> tuple[StartOverride, ...]:
    """That of each deployment; one that overrides nothing counts as well."""
    overrides: dict[StartOverride, None] = {}
    for path, text in read_build_files(tree, ""):
        overrides |= dict.fromkeys(_read_overrides(path, text))
    return tuple(overrides)


@lru_cache(maxsize=256)  # most commits of a history have the same files
def _read_overrides(path: str, text: str) -> tuple[StartOverride, ...]:
    if "run" not in text.lower() and "containers" not in text:
        return ()
    return (*_read_commands(text), *_read_mappings(path, text))


def _read_commands(text: str) -> Iterator[StartOverride]:
    for match in _DEPLOY.finditer(_CONTINUED.sub(" ", text)):
        yield _read_options(split_words(match[1]))


def _read_mappings(path: str, text: str) -> Iterator[StartOverride]:
    for node in list_mappings(path, text):
        containers, args = node.get("containers"), node.get("args")
        if isinstance(containers, list):
            yield from _read_containers(containers)
        elif isinstance(args, list) and {"run", "deploy"} <= {str(word) for word in args[:4]}:
            yield _read_options([str(word) for word in args])
        elif str(node.get("uses", "")).startswith(_ACTION):
            given = node.get("with")
            flags = given.get("flags") if isinstance(given, Mapping) else None
            yield _read_options(split_words(str(flags or "")))


def _read_options(words: list[str]) -> StartOverride:
    options, _ = split_options(words)
    command, arguments = (options.get(name) for name in ("--command", "--args"))
    return StartOverride(_split_list(command), _split_list(arguments))


def _split_list(value: str | None) -> tuple[str, ...] | None:
    """gcloud takes a list with commas, or `^:^a:b`; an empty one goes back to what the image says."""
    own = _OWN_SEPARATOR.fullmatch(value or "")
    if own is not None:
        return tuple(own[2].split(own[1]))
    return tuple(value.split(",")) if value else None


def _read_containers(containers: list[object]) -> Iterator[StartOverride]:
    """Of several containers the one with a port answers requests."""
    known = [container for container in containers if isinstance(container, Mapping) and "image" in container]
    serving = [container for container in known if container.get("ports")] or known
    for container in serving[:1]:
        command, arguments = (container.get(name) for name in ("command", "args"))
        yield StartOverride(
            tuple(map(str, command)) if isinstance(command, list) else None,
            tuple(map(str, arguments)) if isinstance(arguments, list) else None,
        )
