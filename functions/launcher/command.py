"""Starts `provenfix`: the arguments of a shell go in, an exit code comes out.

The code is imported as `functions` and `shared`, names that other packages and repositories have as well. So its own
folder comes first on the path, before anything is imported, and a package that was found elsewhere all the same is
refused. Nothing outside of the standard library is imported before Ctrl-C is answered.
"""

import importlib.util
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

EXIT_INTERRUPTED = 130
PACKAGES = ("functions", "shared")


def main() -> NoReturn:
    """Runs the command line. Exit code 130 after Ctrl-C, however early it comes; 2 where other code would run."""
    heard = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # ignored in the background: it stays so
    if heard:
        signal.signal(signal.SIGINT, _exit_interrupted)
    root = find_code_root(Path(__file__).parent)
    prepend_path(root)
    foreign = find_foreign_package(root)
    if foreign:
        sys.stderr.write(f"provenfix: {foreign}\n")
        sys.exit(2)
    from functions.cli.command_line import main as run  # noqa: PLC0415  # the path had to be set first

    try:
        if heard:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        run()
    except KeyboardInterrupt:
        _exit_interrupted(signal.SIGINT, None)
    finally:
        if heard:  # the interpreter's own end takes a moment, too
            signal.signal(signal.SIGINT, _exit_interrupted)


def find_code_root(here: Path) -> Path:
    """The folder that holds `functions` and `shared`: this package in a wheel, two above it in a checkout."""
    return here if (here / "functions").is_dir() else here.parents[1]


def prepend_path(root: Path) -> None:
    """Makes `root` the first folder in which modules are looked for."""
    sys.path[:] = [str(root), *(entry for entry in sys.path if entry != str(root))]


def find_foreign_package(root: Path) -> str:
    """A sentence about a package of ours that would be imported from elsewhere; "" where there is none."""
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        origin = spec.origin if spec and spec.origin else "no such file"
        if Path(origin).resolve() != (root / name / "__init__.py").resolve():
            own = "install provenfix on its own, with `pipx install provenfix` or `uv tool install provenfix`"
            return f"another package {name!r} would be imported ({origin}): {own}"
    return ""


def _exit_interrupted(_number: int, _frame: FrameType | None) -> NoReturn:
    """Ends at once: so early nothing is open, and an import would otherwise be torn into a traceback."""
    os.write(2, b"provenfix: stopped\n")
    os._exit(EXIT_INTERRUPTED)
