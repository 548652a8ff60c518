"""The local platform as a server of the stack: a folder, a port and an environment go in, what is to be started out."""

import sys
from collections.abc import Mapping
from pathlib import Path

from functions.local.stack.function import ROOT
from functions.local.stack.process import Server

__all__ = ["Server", "platform"]


def platform(folder: Path, port: int, environment: Mapping[str, str]) -> Server:
    """`port` is where the first service is reached: it answers as soon as the platform runs."""
    command = [sys.executable, "-m", "functions.local.platform", str(folder / "platform")]
    return Server("platform", command, port, {**environment, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"})
