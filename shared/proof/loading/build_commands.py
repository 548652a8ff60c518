"""One build of an image, and how the options of a command that builds declare it.

Takes the words of a command. Returns the build, or None where a variable or an address stands for a folder.
"""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

_VALUE_OPTIONS = frozenset(
    {
        "-t", "--tag", "-f", "--file", "--target", "--build-arg", "--platform", "--label", "--cache-from", "--cache-to",
        "--config", "--project", "--region", "--substitutions", "--timeout", "--network", "--secret", "--ssh",
        "--progress", "--output", "-o", "--source", "--machine-type", "--gcs-log-dir", "--service-account", "--builder",
        "--image", "--ignore-file", "--entry-point", "--runtime", "--iidfile", "--build-context", "--dockerfile",
        "--context", "--destination", "-d", "-c", "--command", "--args", "--set-env-vars", "--port", "--memory",
        "--cpu",
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


def parse_build(path: str, words: Sequence[str]) -> BuildDeclaration | None:
    """The build of `docker build` with these words, which the file at `path` has."""
    options, positional = split_options(words)
    context = positional[-1] if positional else ""
    dockerfile = options.get("-f") or options.get("--file") or posixpath.join(context, "Dockerfile")
    return make_declaration(path, context, dockerfile, options.get("--target", ""))


def make_declaration(path: str, context: str, dockerfile: str, target: str) -> BuildDeclaration | None:
    """None where a variable or an address stands for a folder."""
    if not context or any("$" in text or "://" in text or text.startswith("/") for text in (context, dockerfile)):
        return None
    folder, file = clean_path(context), clean_path(dockerfile)
    if folder.startswith("..") or file.startswith(".."):
        return None
    return BuildDeclaration(folder, file, "" if "$" in target else target, path)


def split_options(words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
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


def clean_path(path: str) -> str:
    """A normal path below the top, which is ""."""
    cleaned = posixpath.normpath(path)
    return "" if cleaned == "." else cleaned
