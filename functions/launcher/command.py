"""Starts `provenfix` as it was installed, and ends with its exit code.

The code is imported as `functions` and `shared`, names that other packages and repositories use as well. So its own
folder comes first on the path before anything is imported, and a package that is still found elsewhere is refused.
Nothing outside the standard library is imported before Ctrl-C is handled.
"""

import importlib
import importlib.util
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

EXIT_INTERRUPTED = 130
PACKAGES = ("functions", "shared")


def main() -> NoReturn:
    """Runs the command line. Exit code 130 after Ctrl-C, however early it comes; 2 if other code would run."""
    # A shell lets a command in the background ignore Ctrl-C, and it stays so.
    handles_interrupt = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if handles_interrupt:
        signal.signal(signal.SIGINT, _exit_interrupted)
    root = find_code_root(Path(__file__).parent)
    prepend_path(root)
    foreign = find_foreign_package(root)
    if foreign:
        sys.stderr.write(f"provenfix: {foreign}\n")
        sys.exit(2)
    command_line = importlib.import_module("functions.cli.command_line")  # only now is the path as it must be
    run: Callable[[], NoReturn] = command_line.main
    try:
        if handles_interrupt:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        run()
    except KeyboardInterrupt:
        _exit_interrupted(signal.SIGINT, None)
    finally:
        if handles_interrupt:  # the interpreter's own end takes a moment, too
            signal.signal(signal.SIGINT, _exit_interrupted)


def find_code_root(package: Path) -> Path:
    """Returns the folder that holds `functions` and `shared`: this package in a wheel, two above it in a checkout."""
    return package if (package / "functions").is_dir() else package.parents[1]


def prepend_path(root: Path) -> None:
    """Makes `root` the first folder that imports search."""
    sys.path[:] = [str(root), *(entry for entry in sys.path if entry != str(root))]


def find_foreign_package(root: Path) -> str:
    """Returns a sentence about a package of ours that would be imported from elsewhere, "" if there is none."""
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        origin = spec.origin if spec and spec.origin else "no such file"
        if Path(origin).resolve() != (root / name / "__init__.py").resolve():
            own = "install provenfix on its own, with `pipx install provenfix` or `uv tool install provenfix`"
            return f"another package {name!r} would be imported ({origin}): {own}"
    return ""


def _exit_interrupted(_number: int, _frame: FrameType | None) -> NoReturn:
    """Ends at once: nothing is open yet, and an exception inside an import would print a traceback."""
    os.write(2, b"provenfix: stopped\n")
    os._exit(EXIT_INTERRUPTED)
