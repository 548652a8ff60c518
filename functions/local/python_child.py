"""How a Python of this stack is started: arguments go in, a command and the environment that it starts in come out.

The folder in which a person types `provenfix` is often a clone of what is watched, and its files are not to be run. So
no child looks for modules there, and none inherits a variable that makes Python or a framework load or do more.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

CODE_ROOT = Path(__file__).parents[2]
"""The folder of `functions` and `shared`."""
_SAFE_VARIABLES = frozenset(("PYTHONUTF8", "PYTHONIOENCODING", "PYTHONDONTWRITEBYTECODE", "PYTHONWARNINGS"))
_UNSAFE_PREFIXES = ("PYTHON", "FLASK_", "FUNCTION_", "GUNICORN_", "UVICORN_", "WERKZEUG_")
_UNSAFE_VARIABLES = frozenset(("DEBUG", "HOST", "PORT", "WORKERS", "THREADS", "WEB_CONCURRENCY", "ENTRY_POINT"))
"""What functions-framework and gunicorn read: with DEBUG a function would serve a console that runs code."""


def python_command(*arguments: str) -> list[str]:
    """This interpreter; `-P`: neither the working directory nor a script's folder is looked into for modules."""
    return [sys.executable, "-P", *arguments]


def clean_environment(given: Mapping[str, str], inherited: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What this process has, less what would change how a child loads code, and `given`."""
    own = {name: value for name, value in inherited.items() if name in _SAFE_VARIABLES or not _changes_loading(name)}
    return {**own, **given}


def import_environment(given: Mapping[str, str]) -> dict[str, str]:
    """For a child that imports `functions` and `shared`: they are found, and what it prints is not held back."""
    return {**given, "PYTHONPATH": str(CODE_ROOT), "PYTHONUNBUFFERED": "1"}


def _changes_loading(name: str) -> bool:
    return name.startswith(_UNSAFE_PREFIXES) or name in _UNSAFE_VARIABLES
