"""Programs that tests run in virtual environments of their own: a name comes in, the folder of its programs goes out.

Installed once into `build/tools`, outside of git, from `NAME.txt` beside this file, pinned with hashes.
"""

import fcntl
import subprocess
import sys
from functools import cache
from pathlib import Path

_HERE = Path(__file__).resolve()
_PLACE = _HERE.parents[4] / "build/tools"
_OPTIONS = ("--disable-pip-version-check", "--require-hashes", "--no-compile")
"""Python compiles what a program imports; of thousands of files that is a fraction."""


@cache
def download_wheel(name: str) -> Path:
    """The one wheel that `NAME.txt` names, without what it depends on: only a file in it is read."""
    pins, folder = _HERE.parent / f"{name}.txt", _PLACE / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        version = pins.read_text("utf-8").partition("==")[2].partition(" ")[0]
        wheels = list(folder.glob(f"*-{version}-*.whl"))
        if not wheels:
            pip: list[str | Path] = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
            options = ["--no-deps", "--require-hashes", "--dest", str(folder)]
            subprocess.run([*pip, "download", *options, "-r", pins], check=True, timeout=600)
            wheels = list(folder.glob(f"*-{version}-*.whl"))
    return wheels[0]


@cache
def install_programs(name: str) -> Path:
    """The folder `bin` of the virtual environment with what `NAME.txt` names."""
    pins = _HERE.parent / f"{name}.txt"
    folder = _PLACE / name
    folder.mkdir(parents=True, exist_ok=True)
    stamp, wanted = folder / "installed.txt", pins.read_text("utf-8")
    with (folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text("utf-8") != wanted:
            environment = folder / "venv"
            subprocess.run(
                [sys.executable, "-m", "venv", "--clear", "--without-pip", environment], check=True, timeout=120
            )
            pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", environment / "bin/python", "--quiet"]
            subprocess.run([*pip, "install", *_OPTIONS, "-r", pins], check=True, timeout=600)
            stamp.write_text(wanted, "utf-8")
    return folder / "venv/bin"
