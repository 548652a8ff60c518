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
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder / "venv"], check=True, timeout=120)
            pip: list[str | Path] = [folder / "venv/bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, "install", "--require-hashes", "-r", pins], check=True, timeout=600)
            stamp.write_text(wanted, "utf-8")
    return folder / "venv/bin"
