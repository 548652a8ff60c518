"""What a start command makes Python load first: from the words of a command to modules and files.

In: the words, the working directory, the variables, and the files of the image (for the scripts that a command calls).
Out: the starts, each with its import roots; nothing where the command is not a known one.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from shared.proof.loading.migrations import migration_folder
from shared.proof.loading.servers import NO_RUNNERS, SERVERS, Target, flask_target, option
from shared.proof.loading.shell import Variables, fill_folders, shell_words, split_assignments, split_commands

MOST_DEPTH = 8
MOST_SCRIPTS = 40
MOST_SCRIPT_BYTES = 1 << 16
_PYTHON = re.compile(r"(?:python|pypy)[\d.]*")
_VALUED = frozenset({"-X", "-W", "--check-hash-based-pycs"})
# Words that start another command: with the options that take a value, and how many words stand before the command.
_WRAPPERS: Mapping[str, tuple[frozenset[str], int]] = {
    **dict.fromkeys(
        ("exec", "nohup", "tini", "catchsegv", "setsid", "command", "builtin", "time"), (frozenset({"-a"}), 0)
    ),
    **dict.fromkeys(
        ("dumb-init", "opentelemetry-instrument", "ddtrace-run", "launcher", "stdbuf"), (frozenset({"-r"}), 0)
    ),
    **dict.fromkeys(("gosu", "su-exec", "timeout", "chroot", "setpriv", "flock"), (frozenset({"-s", "-k"}), 1)),
    **dict.fromkeys(("nice", "ionice", "env", "sudo", "xvfb-run"), (frozenset({"-n", "-u", "-g", "-c", "-C"}), 0)),
    **dict.fromkeys(("doppler", "infisical", "op", "chamber", "dotenv", "aws-vault"), (frozenset({"-f", "-e"}), 0)),
    **dict.fromkeys(
        ("wait-for-it", "wait-for-it.sh", "wait-for", "dockerize", "chpst", "watchmedo"), (frozenset({"-t"}), 0)
    ),
}
_RUNNERS = frozenset({"poetry", "uv", "pipenv", "pdm", "hatch", "rye", "pixi", "conda", "mamba", "micromamba"})
_RUN_VALUED = frozenset(
    {"--with", "--extra", "--group", "--python", "-p", "--project", "--directory", "--env-file", "-n", "-e", "--name"}
    | {"--package", "--only-group", "-C", "--with-requirements", "--index-url", "--prefix"}
)
_RUN_MODULES = frozenset({"debugpy", "coverage", "cProfile", "memray", "viztracer", "ddtrace.commands.ddtrace_run"})


class Files(Protocol):
    """The files of an image, by image path."""

    def locate(self, path: str) -> str | None: ...
    def is_folder(self, path: str) -> bool: ...
    def entries(self, path: str) -> set[str]: ...
    def text(self, path: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Start:
    """`modules` are looked up below `roots` (image folders, first one first); `files` are image paths."""

    text: str
    roots: tuple[str, ...]
    modules: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    code: str = ""


@dataclass(slots=True)
class Situation:
    """Where a command runs. `scripts`: names of console scripts, to their modules.

    `scripts_read` is shared by all that one image starts: scripts that call each other end by its length.
    """

    files: Files
    folder: str
    variables: Variables
    arguments: tuple[str, ...] = ()
    scripts: Mapping[str, str] = field(default_factory=dict)
    depth: int = 0
    scripts_read: list[str] = field(default_factory=list)


def read_shell(text: str, at: Situation) -> Iterator[Start]:
    """The starts of a shell text; `cd` and assignments hold for what follows."""
    text = fill_folders(text, posixpath.dirname(at.variables.get("0", "")))
    for words in split_commands(text, at.variables, at.arguments):
        if words[0] in {"cd", "pushd"} and len(words) > 1:
            at.folder = posixpath.normpath(posixpath.join(at.folder, words[-1]))
        else:
            yield from read_words(words, at)


def read_words(words: Sequence[str], at: Situation) -> Iterator[Start]:
    """The starts of one command."""
    assigned, command = split_assignments(words)
    if not command or at.depth > MOST_DEPTH:
        return
    here = replace(at, variables={**at.variables, **assigned}, depth=at.depth + 1)
    name, rest = posixpath.basename(command[0]), command[1:]
    if shell := shell_words(name, rest):
        yield from _read_shell_command(shell, here)
    elif name in {"source", "."} and rest:
        yield from _read_script(rest[0], rest[1:], replace(here, variables=at.variables))
    elif _PYTHON.fullmatch(name):
        yield from _read_python(rest, here)
    elif name in _WRAPPERS:
        yield from read_words(_behind_wrapper(name, rest), here)
    elif name in _RUNNERS:
        yield from _read_runner(rest, here)
    elif name == "newrelic-admin":
        yield from read_words(rest[1:], here)
    elif name in {"honcho", "foreman", "forego"}:
        yield from _read_procfile_command(here)
    elif name == "supervisord":
        yield from _read_supervisor(rest, here)
    else:
        yield from _read_program(name, command, here)


def procfile_commands(text: str) -> dict[str, str]:
    """The commands of a Procfile by process name."""
    pairs = re.findall(r"^[ \t]{0,20}+([\w-]{1,80}+)[ \t]{0,20}+:[ \t]*+([^\r\n]++)", text, re.MULTILINE)
    return dict(pairs)


def _read_program(name: str, command: Sequence[str], at: Situation) -> Iterator[Start]:
    if name in SERVERS:
        yield from _served(name, command[1:], " ".join(command), at)
    elif name in at.scripts:
        yield Start(" ".join(command), (), modules=(at.scripts[name],))
    elif name == "alembic":
        yield from _migrated(command, at)
    elif at.files.locate(_found(posixpath.normpath(posixpath.join(at.folder, command[0])), command[0], at)):
        yield from _read_script(command[0], command[1:], at)
    elif name not in NO_RUNNERS:  # a program that is not known runs the first command that it is given
        known = (place for place, word in enumerate(command) if place and _is_program(word, at))
        place = next(known, None)
        yield from read_words(command[place:], at) if place else ()


def _is_program(word: str, at: Situation) -> bool:
    name = posixpath.basename(word)
    return name in SERVERS or name in at.scripts or name in _RUNNERS or bool(_PYTHON.fullmatch(name))


def _migrated(words: Sequence[str], at: Situation) -> Iterator[Start]:
    """`alembic upgrade …` runs `env.py` of its folder, and loads every version."""
    folder = migration_folder(at.files.text, at.folder, option(words, "-c", "--config") or "alembic.ini")
    target = Target(files=(posixpath.join(folder, "env.py"),), folders=(posixpath.join(folder, "versions"),))
    yield _start(target, " ".join(words)[:200], at)


def _served(name: str, words: Sequence[str], text: str, at: Situation) -> Iterator[Start]:
    target = SERVERS[name](words, at.variables)
    if target:
        yield _start(target, text, at)


def _start(target: Target, text: str, at: Situation) -> Start:
    folder = posixpath.normpath(posixpath.join(at.folder, target.folder))
    inside = [posixpath.normpath(posixpath.join(folder, root)) for root in target.roots]
    files = tuple(posixpath.normpath(posixpath.join(folder, path)) for path in target.files)
    optional = tuple(posixpath.normpath(posixpath.join(folder, path)) for path in target.optional)
    folders = tuple(posixpath.normpath(posixpath.join(folder, path)) for path in target.folders)
    own = tuple(posixpath.dirname(path) for path in files)
    searched = _python_path(at)
    optional += tuple(f"{root}/{name}.py" for root in searched for name in ("sitecustomize", "usercustomize"))
    roots = tuple(dict.fromkeys((*inside, *own, folder, *searched)))
    settings = at.variables.get("DJANGO_SETTINGS_MODULE", "")
    modules = (*target.modules, settings) if settings else target.modules
    first = next((path for path in target.first if at.files.locate(posixpath.join(folder, path))), None)
    files += (posixpath.join(folder, first),) if first else ()
    return Start(text, roots, modules, files, optional, folders)


def _python_path(at: Situation) -> tuple[str, ...]:
    folders = at.variables.get("PYTHONPATH", "").split(":")
    return tuple(posixpath.normpath(posixpath.join(at.folder, folder)) for folder in folders if folder)


def _read_shell_command(words: Sequence[str], at: Situation) -> Iterator[Start]:
    for place, word in enumerate(words):
        if word.startswith("-") and not word.startswith("--") and "c" in word and place + 1 < len(words):
            at.arguments = tuple(words[place + 2 :][1:])
            yield from read_shell(words[place + 1], at)
            return
        if not word.startswith(("-", "+")) and (place == 0 or not re.fullmatch(r"[-+]\w{0,20}[oO]", words[place - 1])):
            yield from _read_script(word, words[place + 1 :], at)
            return


def _read_script(path: str, arguments: Sequence[str], at: Situation) -> Iterator[Start]:
    """The starts of a script of the image: shell, or Python by its name or its first line."""
    whole = posixpath.normpath(posixpath.join(at.folder, path))
    whole = _found(whole, path, at)
    text = at.files.text(whole)[:MOST_SCRIPT_BYTES]
    if path.endswith(".py") or re.match(r"#![^\n]{0,100}python", text):
        yield from _read_python((whole, *arguments), at)
        return
    variables = {**at.variables, "0": whole, **{str(n): word for n, word in enumerate(arguments, 1)}}
    if text and len(at.scripts_read) < MOST_SCRIPTS:
        at.scripts_read.append(whole)
        yield from read_shell(text, replace(at, variables=variables, arguments=tuple(arguments)))


def _found(whole: str, path: str, at: Situation) -> str:
    """A bare name is looked for where images put programs, too."""
    places = (
        [whole] if "/" in path else [whole, f"/usr/local/bin/{path}", f"/usr/bin/{path}", f"/bin/{path}", f"/{path}"]
    )
    return next((place for place in places if at.files.locate(place)), whole)


def _read_python(words: Sequence[str], at: Situation) -> Iterator[Start]:
    place = 0
    while place < len(words) and words[place].startswith("-") and words[place] not in {"-m", "-c", "-"}:
        cluster = words[place]
        if cluster.endswith("m") and not cluster.startswith("--"):  # -um is -u -m
            words = (*words[:place], "-m", *words[place + 1 :])
            break
        place += 2 if cluster in _VALUED else 1
    if place >= len(words) or words[place] == "-":
        return
    word, rest = words[place], words[place + 1 :]
    if word == "-m" and rest:
        yield from _read_module(rest[0], rest[1:], at)
    elif word == "-c" and rest:
        yield Start(f"python -c {rest[0][:80]}", (at.folder, *_python_path(at)), code=rest[0])
    elif word not in {"-m", "-c"}:
        path = posixpath.normpath(posixpath.join(at.folder, word))
        inside = posixpath.join(path, "__main__.py")  # a folder is run by it
        path = inside if at.files.locate(path) is None and at.files.locate(inside) else path
        target = Target(files=(path,), folder=posixpath.dirname(path))
        yield _start(target, " ".join(("python", word, *rest))[:200], at)


def _read_module(module: str, rest: Sequence[str], at: Situation) -> Iterator[Start]:
    text = " ".join(("python -m", module, *rest))[:200]
    if module in _RUN_MODULES:
        behind = _behind_wrapper(module, [word for word in rest if word != "run"])
        yield from _read_python(behind, at)
    elif module.replace("_", "-") in SERVERS and not at.files.locate(posixpath.join(at.folder, module + ".py")):
        yield from _served(module.replace("_", "-"), rest, text, at)
    elif module == "alembic":
        yield from _migrated((module, *rest), at)
    elif module == "flask":
        yield from (_start(target, text, at) for target in [flask_target(rest, at.variables)] if target)
    else:
        yield _start(Target(modules=(module, f"{module}.__main__")), text, at)


def _behind_wrapper(name: str, words: Sequence[str]) -> Sequence[str]:
    if "--" in words:
        return words[list(words).index("--") + 1 :]
    valued, before = _WRAPPERS.get(name, (frozenset({"--listen", "--host", "--port", "-o"}), 0))
    place = 0
    while place < len(words) and words[place].startswith("-") and words[place] != "-m":
        place += 2 if words[place] in valued else 1
    rest = words[place + before :]
    return rest[1:] if rest and rest[0] == "run" and name in {"doppler", "infisical", "op", "dotenv"} else rest


def _read_runner(words: Sequence[str], at: Situation) -> Iterator[Start]:
    """`poetry run …`, `uv run …`: what stands behind `run` and its options."""
    if "run" not in words:
        return
    rest = words[list(words).index("run") + 1 :]
    if "--" in rest and not any(re.match(r"\w", word) for word in rest[: list(rest).index("--")]):
        rest = rest[list(rest).index("--") + 1 :]
    place = 0
    while place < len(rest) and rest[place].startswith("-") and rest[place] not in {"-m", "--module"}:
        place += 2 if rest[place] in _RUN_VALUED else 1
    command = rest[place:]
    if command and command[0] in {"-m", "--module"}:
        command = ("python", "-m", *command[1:])
    yield from read_words(command, at)


def _read_procfile_command(at: Situation) -> Iterator[Start]:
    commands = procfile_commands(at.files.text(posixpath.join(at.folder, "Procfile")))
    for command in commands.values():
        yield from read_shell(command, at)


def _read_supervisor(words: Sequence[str], at: Situation) -> Iterator[Start]:
    """The `command=` lines of the configuration that supervisord is given, or finds."""
    given = [words[place + 1] for place, word in enumerate(words[:-1]) if word in {"-c", "--configuration"}]
    usual = ["supervisord.conf", "/etc/supervisord.conf", "/etc/supervisor/supervisord.conf"]
    usual += ["/etc/supervisor/conf.d/supervisord.conf"]
    for path in given or usual:
        text = at.files.text(posixpath.normpath(posixpath.join(at.folder, path)))
        folders = re.findall(r"^directory[ \t]*+=[ \t]*+([^\r\n;]++)", text, re.MULTILINE)
        for command in re.findall(r"^command[ \t]*+=[ \t]*+([^\r\n]++)", text, re.MULTILINE):
            here = replace(at, folder=posixpath.join(at.folder, folders[0].strip()) if folders else at.folder)
            yield from read_shell(re.sub(r"%\(ENV_(\w{1,80}+)\)s", r"${\1}", command), here)
