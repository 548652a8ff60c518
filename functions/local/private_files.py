"""Folders and files that only the user who runs this may read.

They hold logs, issues and the secret that signs clicks, and other users may have accounts on the same machine.
"""

import os
from pathlib import Path
from typing import IO, Literal

FOLDER_MODE = 0o700
FILE_MODE = 0o600
_OTHERS_MASK = 0o077


def make_private(folder: Path) -> Path:
    """Returns the folder, made or closed to others. A folder that holds other files stays as it is."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
    if folder.stat().st_mode & _OTHERS_MASK and _is_stack_folder(folder):
        folder.chmod(FOLDER_MODE)
    return folder


def open_private(path: Path, mode: Literal["wb", "ab"]) -> IO[bytes]:
    """Opens a file, in binary, that nobody else may read; one that is there already is closed to others, too."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (os.O_APPEND if mode == "ab" else os.O_TRUNC)
    number = os.open(path, flags, FILE_MODE)
    os.fchmod(number, FILE_MODE)
    return os.fdopen(number, mode)


def write_private(path: Path, text: str) -> None:
    """Writes a whole file."""
    with open_private(path, "wb") as opened:
        opened.write(text.encode())


def _is_stack_folder(folder: Path) -> bool:
    """Whether a stack has run there, or nothing is in it yet."""
    return (folder / "held").exists() or not any(folder.iterdir())
