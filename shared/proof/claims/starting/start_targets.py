"""Reads what a start command asks for: the program, and the module, the name in it or the file that it loads.

Takes a start command as it was read from an image. What the words leave open is said as a reason, not guessed.
"""

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.proof.loading.servers import find_application, get_option
from shared.proof.loading.start_command import StartCommand

PYTHON_FILE = "python"
PYTHON_MODULE = "python -m"
_CUT_LENGTH = 200
"""Of a command of Python no more is kept."""
_MODULE = re.compile(r"[A-Za-z_]\w{0,100}+(?:\.[A-Za-z_]\w{0,100}+){0,20}+", re.ASCII)
_APPLICATION = re.compile(
    r"(?P<module>[A-Za-z_]\w{0,100}+(?:\.[A-Za-z_]\w{0,100}+){0,20}+)"
    r"(?::(?P<name>[A-Za-z_]\w{0,100}+)(?P<more>\.[\w.]{1,200}+)?(?P<call>\(.{0,300}\))?)?",
    re.ASCII | re.DOTALL,
)
_DEFAULT_NAMES = {"gunicorn": "application", "hypercorn": "app"}
_SERVERS = frozenset(("uvicorn", "gunicorn", "hypercorn", "daphne"))
_LOADERS = frozenset((*_SERVERS, "celery", "functions-framework"))
_FOREIGN_OPTIONS = ("--paste", "--paster", "--env-file")


@dataclass(frozen=True, slots=True)
class StartTarget:
    """What one start loads. `module` is dotted, `name` is looked up in it, `path` is a file of the image.

    `roots`: the folders in which the module is certainly looked for, in their order.
    """

    program: str
    start: StartCommand
    roots: tuple[str, ...] = ()
    module: str = ""
    name: str = ""
    path: str = ""
    has_more_names: bool = False
    """Whether the name is followed by others, as in `app.main:container.app`."""
    doubt: str = ""
    """Why the target is not known: one sentence without a full stop; "" where it is."""

    @property
    def text(self) -> str:
        """`app.main:app`, `app.main`, or the file."""
        return f"{self.module}:{self.name}" if self.name and self.module else self.module or self.path


def read_start_target(start: StartCommand) -> StartTarget | None:
    """The target of a start; None for what loads no application by its name, such as migrations."""
    words = start.text.split()
    if start.code or not words:
        return None
    name, rest, is_module = posixpath.basename(words[0]), words[1:], False
    if name == "python" and rest[:1] == ["-m"] and len(rest) > 1:
        name, rest, is_module = rest[1].replace("_", "-"), rest[2:], True
    if name in _LOADERS:
        return _read_loader(start, name, rest, is_module=is_module)
    if is_module:
        return _read_python_module(start)
    is_file = name == "python" and bool(start.files)
    return StartTarget(PYTHON_FILE, start, start.roots, path=start.files[0]) if is_file else None


def _read_loader(start: StartCommand, name: str, rest: Sequence[str], *, is_module: bool) -> StartTarget:
    if is_module and len(start.text) >= _CUT_LENGTH:
        return StartTarget(name, start, doubt="its start command is too long to be read to its end")
    if "," in get_option(rest, "--pythonpath"):  # each is put before the others
        return StartTarget(name, start, doubt="several folders are put on the import path")
    if option := next((word for word in rest if word.startswith(_FOREIGN_OPTIONS)), ""):
        return StartTarget(name, start, doubt=f"the option {option} may name what it loads")
    if name == "functions-framework":
        return _read_function(start, rest)
    return _read_celery(start, rest) if name == "celery" else _read_server(start, name, rest, is_module=is_module)


def _read_python_module(start: StartCommand) -> StartTarget | None:
    module = start.modules[0] if start.modules else ""
    if f"{module}.__main__" not in start.modules:  # a wrapper, or a tool with a reader of its own
        return None
    if not _MODULE.fullmatch(module):
        return StartTarget(PYTHON_MODULE, start, doubt=f"{module} is no name of a module")
    return StartTarget(PYTHON_MODULE, start, start.roots, module=module)


def _read_server(start: StartCommand, program: str, words: Sequence[str], *, is_module: bool) -> StartTarget:
    spec = find_application(words)
    match = _APPLICATION.fullmatch(spec)
    if match is None or not start.modules or start.modules[0] != match["module"]:
        return StartTarget(program, start, doubt="what its start command loads is not spelled in it")
    name = match["name"] or _DEFAULT_NAMES.get(program, "")
    if not name:
        return StartTarget(program, start, doubt=f"{program} is given a module without a name in it")
    has_more = bool(match["more"]) or (bool(match["call"]) and program != "gunicorn")
    roots = start.roots
    if program == "uvicorn" and not is_module:
        roots = _list_certain_roots(start, words)
    if program == "gunicorn" and (folder := get_option(words, "--chdir")):
        roots = _add_first_folder(start, folder, 1 if get_option(words, "--pythonpath") else 0)
        if not roots:
            return StartTarget(program, start, doubt=f"from which folder {program} changes to {folder} is not plain")
    return StartTarget(program, start, roots, match["module"], name, has_more_names=has_more)


def _list_certain_roots(start: StartCommand, words: Sequence[str]) -> tuple[str, ...]:
    """With `--app-dir` uvicorn's own program does not look into the working directory."""
    return start.roots[:1] if get_option(words, "--app-dir") else start.roots


def _add_first_folder(start: StartCommand, folder: str, index: int) -> tuple[str, ...]:
    """gunicorn has the folder in which it was started on the import path, too, behind the one that it changes to.

    `index`: the position of that one among the roots. () where the first folder cannot be seen from it.
    """
    changed, below = start.roots[index], posixpath.normpath(folder)
    if below == ".":
        return start.roots
    if folder.startswith("/") or below.startswith("..") or not changed.endswith(f"/{below}"):
        return ()
    first = changed.removesuffix(f"/{below}") or "/"
    return tuple(dict.fromkeys((*start.roots[: index + 1], first, *start.roots[index + 1 :])))


def _read_celery(start: StartCommand, words: Sequence[str]) -> StartTarget:
    """Of `-A a.b` the last name may be what module `a` holds; of `-A a` nothing but a module."""
    spec = get_option(words, "-A", "--app")
    module, colon, name = spec.partition(":")
    if not _MODULE.fullmatch(module) or ("." in module and not colon) or (colon and not name.isidentifier()):
        return StartTarget("celery", start, doubt="whether its start command names a module or what is in one is open")
    return StartTarget("celery", start, start.roots, module, name)


def _read_function(start: StartCommand, words: Sequence[str]) -> StartTarget:
    name = get_option(words, "--target")
    if not start.files or not name.isidentifier():
        return StartTarget("functions-framework", start, doubt="which function it serves is not in its start command")
    return StartTarget("functions-framework", start, start.roots, name=name, path=start.files[0])
