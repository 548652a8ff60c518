"""What a start command makes Python load first: from the words of a command to modules and files.

Returns the starts, each with its import roots; nothing where the command is not a known one. It reads the scripts of
the image that a command calls.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from shared.proof.loading.servers import SERVERS, LoadTarget, find_migration_folder, get_option, parse_flask_target
from shared.proof.loading.shell import (
    NON_LAUNCHERS,
    RUNNERS,
    WRAPPER_MODULES,
    WRAPPERS,
    ShellVariables,
    expand_folders,
    get_shell_arguments,
    skip_runner,
    skip_wrapper,
    split_assignments,
    split_commands,
)

MAX_DEPTH = 8
MAX_SCRIPTS = 40
MAX_SCRIPT_BYTES = 1 << 16
_PYTHON = re.compile(r"(?:python|pypy)[\d.]*")
_PYTHON_VALUE_OPTIONS = frozenset({"-X", "-W", "--check-hash-based-pycs"})


class FileLookup(Protocol):
    """The files of an image, by image path."""

    def locate(self, path: str) -> str | None: ...
    def is_folder(self, path: str) -> bool: ...
    def list_entries(self, path: str) -> set[str]: ...
    def read_text(self, path: str) -> str: ...


@dataclass(frozen=True, slots=True)
class StartCommand:
    """`modules` are looked up below `roots` (image folders, first one first); `files` are image paths."""

    text: str
    roots: tuple[str, ...]
    modules: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    optional_files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    code: str = ""


@dataclass(slots=True)
class CommandEnvironment:
    """Where a command runs. `scripts`: names of console scripts, to their modules.

    `scripts_read` is shared by all that one image starts: scripts that call each other end by its length.
    """

    files: FileLookup
    folder: str
    variables: ShellVariables
    arguments: tuple[str, ...] = ()
    console_scripts: Mapping[str, str] = field(default_factory=dict)
    depth: int = 0
    scripts_read: list[str] = field(default_factory=list)


def parse_shell(text: str, environment: CommandEnvironment) -> Iterator[StartCommand]:
    """The starts of a shell text; `cd` and assignments hold for what follows."""
    text = expand_folders(text, posixpath.dirname(environment.variables.get("0", "")))
    for words in split_commands(text, environment.variables, environment.arguments):
        if words[0] in {"cd", "pushd"} and len(words) > 1:
            environment.folder = posixpath.normpath(posixpath.join(environment.folder, words[-1]))
        else:
            yield from parse_command(words, environment)


def parse_command(words: Sequence[str], environment: CommandEnvironment) -> Iterator[StartCommand]:
    """The starts of one command."""
    assigned, command = split_assignments(words)
    if not command or environment.depth > MAX_DEPTH:
        return
    inner = replace(environment, variables={**environment.variables, **assigned}, depth=environment.depth + 1)
    name, rest = posixpath.basename(command[0]), command[1:]
    if shell := get_shell_arguments(name, rest):
        yield from _parse_shell_command(shell, inner)
    elif name in {"source", "."} and rest:
        yield from _parse_script(rest[0], rest[1:], replace(inner, variables=environment.variables))
    elif _PYTHON.fullmatch(name):
        yield from _parse_python(rest, inner)
    elif name in WRAPPERS:
        yield from parse_command(skip_wrapper(name, rest), inner)
    elif name in RUNNERS:
        yield from parse_command(skip_runner(rest), inner)
    elif name == "newrelic-admin":
        yield from parse_command(rest[1:], inner)
    elif name in {"honcho", "foreman", "forego"}:
        yield from _parse_procfile_command(inner)
    elif name == "supervisord":
        yield from _parse_supervisor(rest, inner)
    else:
        yield from _parse_program(name, command, inner)


def parse_procfile(text: str) -> dict[str, str]:
    """The commands of a Procfile by process name."""
    pairs = re.findall(r"^[ \t]{0,20}+([\w-]{1,80}+)[ \t]{0,20}+:[ \t]*+([^\r\n]++)", text, re.MULTILINE)
    return dict(pairs)


def _parse_program(name: str, command: Sequence[str], environment: CommandEnvironment) -> Iterator[StartCommand]:
    if name in SERVERS:
        yield from _parse_server(name, command[1:], " ".join(command), environment)
    elif name in environment.console_scripts:
        yield StartCommand(" ".join(command), (), modules=(environment.console_scripts[name],))
    elif name == "alembic":
        yield from _parse_alembic(command, environment)
    elif environment.files.locate(
        _find_program(posixpath.normpath(posixpath.join(environment.folder, command[0])), command[0], environment)
    ):
        yield from _parse_script(command[0], command[1:], environment)
    elif name not in NON_LAUNCHERS:  # a program that is not known runs the first command that it is given
        known = (index for index, word in enumerate(command) if index and _is_known_program(word, environment))
        index = next(known, None)
        yield from parse_command(command[index:], environment) if index else ()


def _is_known_program(word: str, environment: CommandEnvironment) -> bool:
    name = posixpath.basename(word)
    return name in SERVERS or name in environment.console_scripts or name in RUNNERS or bool(_PYTHON.fullmatch(name))


def _parse_alembic(words: Sequence[str], environment: CommandEnvironment) -> Iterator[StartCommand]:
    """`alembic upgrade …` runs `env.py` of its folder, and loads every version."""
    folder = find_migration_folder(
        environment.files.read_text, environment.folder, get_option(words, "-c", "--config") or "alembic.ini"
    )
    target = LoadTarget(files=(posixpath.join(folder, "env.py"),), folders=(posixpath.join(folder, "versions"),))
    yield _build_start(target, " ".join(words)[:200], environment)


def _parse_server(
    name: str, words: Sequence[str], text: str, environment: CommandEnvironment
) -> Iterator[StartCommand]:
    target = SERVERS[name](words, environment.variables)
    if target:
        yield _build_start(target, text, environment)


def _build_start(target: LoadTarget, text: str, environment: CommandEnvironment) -> StartCommand:
    folder = posixpath.normpath(posixpath.join(environment.folder, target.folder))
    inside = [posixpath.normpath(posixpath.join(folder, root)) for root in target.roots]
    files = tuple(posixpath.normpath(posixpath.join(folder, path)) for path in target.files)
    optional = tuple(posixpath.normpath(posixpath.join(folder, path)) for path in target.optional_files)
    folders = tuple(posixpath.normpath(posixpath.join(folder, path)) for path in target.folders)
    own = tuple(posixpath.dirname(path) for path in files)
    searched = _get_python_path(environment)
    optional += tuple(f"{root}/{name}.py" for root in searched for name in ("sitecustomize", "usercustomize"))
    roots = tuple(dict.fromkeys((*inside, *own, folder, *searched)))
    settings = environment.variables.get("DJANGO_SETTINGS_MODULE", "")
    modules = (*target.modules, settings) if settings else target.modules
    first = next(
        (path for path in target.alternative_files if environment.files.locate(posixpath.join(folder, path))), None
    )
    files += (posixpath.join(folder, first),) if first else ()
    return StartCommand(text, roots, modules, files, optional, folders)


def _get_python_path(environment: CommandEnvironment) -> tuple[str, ...]:
    folders = environment.variables.get("PYTHONPATH", "").split(":")
    return tuple(posixpath.normpath(posixpath.join(environment.folder, folder)) for folder in folders if folder)


def _parse_shell_command(words: Sequence[str], environment: CommandEnvironment) -> Iterator[StartCommand]:
    for index, word in enumerate(words):
        if word.startswith("-") and not word.startswith("--") and "c" in word and index + 1 < len(words):
            environment.arguments = tuple(words[index + 2 :][1:])
            yield from parse_shell(words[index + 1], environment)
            return
        if not word.startswith(("-", "+")) and (index == 0 or not re.fullmatch(r"[-+]\w{0,20}[oO]", words[index - 1])):
            yield from _parse_script(word, words[index + 1 :], environment)
            return


def _parse_script(path: str, arguments: Sequence[str], environment: CommandEnvironment) -> Iterator[StartCommand]:
    """The starts of a script of the image: shell, or Python by its name or its first line."""
    whole = posixpath.normpath(posixpath.join(environment.folder, path))
    whole = _find_program(whole, path, environment)
    text = environment.files.read_text(whole)[:MAX_SCRIPT_BYTES]
    if path.endswith(".py") or re.match(r"#![^\n]{0,100}python", text):
        yield from _parse_python((whole, *arguments), environment)
        return
    variables = {**environment.variables, "0": whole, **{str(n): word for n, word in enumerate(arguments, 1)}}
    if text and len(environment.scripts_read) < MAX_SCRIPTS:
        environment.scripts_read.append(whole)
        yield from parse_shell(text, replace(environment, variables=variables, arguments=tuple(arguments)))


def _find_program(absolute_path: str, path: str, environment: CommandEnvironment) -> str:
    """A bare name is looked for where images put programs, too."""
    paths = (
        [absolute_path]
        if "/" in path
        else [absolute_path, f"/usr/local/bin/{path}", f"/usr/bin/{path}", f"/bin/{path}", f"/{path}"]
    )
    return next((path for path in paths if environment.files.locate(path)), absolute_path)


def _parse_python(words: Sequence[str], environment: CommandEnvironment) -> Iterator[StartCommand]:
    index = 0
    while index < len(words) and words[index].startswith("-") and words[index] not in {"-m", "-c", "-"}:
        cluster = words[index]
        if cluster.endswith("m") and not cluster.startswith("--"):  # -um is -u -m
            words = (*words[:index], "-m", *words[index + 1 :])
            break
        index += 2 if cluster in _PYTHON_VALUE_OPTIONS else 1
    if index >= len(words) or words[index] == "-":
        return
    word, rest = words[index], words[index + 1 :]
    if word == "-m" and rest:
        yield from _parse_module(rest[0], rest[1:], environment)
    elif word == "-c" and rest:
        yield StartCommand(
            f"python -c {rest[0][:80]}", (environment.folder, *_get_python_path(environment)), code=rest[0]
        )
    elif word not in {"-m", "-c"}:
        path = posixpath.normpath(posixpath.join(environment.folder, word))
        inside = posixpath.join(path, "__main__.py")  # a folder is run by it
        path = inside if environment.files.locate(path) is None and environment.files.locate(inside) else path
        target = LoadTarget(files=(path,), folder=posixpath.dirname(path))
        yield _build_start(target, " ".join(("python", word, *rest))[:200], environment)


def _parse_module(module: str, rest: Sequence[str], environment: CommandEnvironment) -> Iterator[StartCommand]:
    text = " ".join(("python -m", module, *rest))[:200]
    if module in WRAPPER_MODULES:
        behind = skip_wrapper(module, [word for word in rest if word != "run"])
        yield from _parse_python(behind, environment)
    elif module.replace("_", "-") in SERVERS and not environment.files.locate(
        posixpath.join(environment.folder, module + ".py")
    ):
        yield from _parse_server(module.replace("_", "-"), rest, text, environment)
    elif module == "alembic":
        yield from _parse_alembic((module, *rest), environment)
    elif module == "flask":
        yield from (
            _build_start(target, text, environment)
            for target in [parse_flask_target(rest, environment.variables)]
            if target
        )
    else:
        yield _build_start(LoadTarget(modules=(module, f"{module}.__main__")), text, environment)


def _parse_procfile_command(environment: CommandEnvironment) -> Iterator[StartCommand]:
    commands = parse_procfile(environment.files.read_text(posixpath.join(environment.folder, "Procfile")))
    for command in commands.values():
        yield from parse_shell(command, environment)


def _parse_supervisor(words: Sequence[str], environment: CommandEnvironment) -> Iterator[StartCommand]:
    """The `command=` lines of the configuration that supervisord is given, or finds."""
    given = [words[index + 1] for index, word in enumerate(words[:-1]) if word in {"-c", "--configuration"}]
    usual = ["supervisord.conf", "/etc/supervisord.conf", "/etc/supervisor/supervisord.conf"]
    usual += ["/etc/supervisor/conf.d/supervisord.conf"]
    for path in given or usual:
        text = environment.files.read_text(posixpath.normpath(posixpath.join(environment.folder, path)))
        folders = re.findall(r"^directory[ \t]*+=[ \t]*+([^\r\n;]++)", text, re.MULTILINE)
        for command in re.findall(r"^command[ \t]*+=[ \t]*+([^\r\n]++)", text, re.MULTILINE):
            inner = replace(
                environment,
                folder=posixpath.join(environment.folder, folders[0].strip()) if folders else environment.folder,
            )
            yield from parse_shell(re.sub(r"%\(ENV_(\w{1,80}+)\)s", r"${\1}", command), inner)
