"""A zip becomes a served function, as Google's buildpack makes and starts it: unpacked, installed, compiled, started.

https://github.com/GoogleCloudPlatform/buildpacks: `pip install --requirement requirements.txt --no-compile`, then
`python3 -m compileall -f -q .` in the source; at the start the build's GOOGLE_FUNCTION_SOURCE is FUNCTION_SOURCE, and
the process is `functions-framework` without arguments, in the folder of the source.
"""

import io
import os
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from functions.local.server_process import LOOPBACK, Server, find_free_port, log_path, run_server, wait_until_ready

EPOCH = {"SOURCE_DATE_EPOCH": "1"}
"""The build's variable that makes .pyc files name the content of their source instead of its time."""
_THERE = "import os, sys; os.chdir(sys.argv[1]); os.execv(sys.argv[2], sys.argv[2:])"


@dataclass(frozen=True, slots=True)
class UnpackedBundle:
    """The source of a function, and a virtual environment made of its requirements alone."""

    source: Path
    installed: Path


@dataclass(frozen=True, slots=True)
class Served:
    """A function that listens."""

    url: str
    log: Path

    def ask(self, request: urllib.request.Request) -> int:
        """The status of its answer."""
        request.full_url = self.url
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code


def unpack_bundle(content: bytes, folder: Path) -> Path:
    """The source in a folder that held nothing."""
    source = folder / "source"
    source.mkdir(parents=True)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(source)
    return source


def install_requirements(source: Path, folder: Path) -> UnpackedBundle:
    """With an environment of its own. Raises CalledProcessError."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "installed")], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "installed" / "bin" / "python"), "install", "--quiet"]
    options = ["--disable-pip-version-check", "--no-compile", "--requirement", str(source / "requirements.txt")]
    subprocess.run([*pip, *options], check=True, capture_output=True)
    return UnpackedBundle(source, folder / "installed")


def compile_bytecode(source: Path, variables: Mapping[str, str]) -> str:
    """What the build says of the source; "" where all is well. Raises CalledProcessError where it fails."""
    command = [sys.executable, "-m", "compileall", "-f", "-q", "."]
    said = subprocess.run(
        command, cwd=source, env={**os.environ, **variables}, check=True, text=True, capture_output=True
    )
    return said.stdout + said.stderr


@contextmanager
def serve_bundle(
    function: UnpackedBundle, target: str, environment: Mapping[str, str], folder: Path, source: str = ""
) -> Iterator[Served]:
    """`source` is the build's GOOGLE_FUNCTION_SOURCE; "" for main.py."""
    port = find_free_port()
    framework = str(function.installed / "bin" / "functions-framework")
    command = [sys.executable, "-c", _THERE, str(function.source), framework]
    variables = {"FUNCTION_TARGET": target, "FUNCTION_SIGNATURE_TYPE": "http", "PORT": str(port), "HOST": LOOPBACK}
    variables |= {"FUNCTION_SOURCE": source} if source else {}
    server = Server(target, command, port, {**variables, **environment, "PYTHONUNBUFFERED": "1"})
    with run_server(server, folder) as process:
        wait_until_ready(server, process, folder)
        yield Served(f"http://{LOOPBACK}:{port}/", log_path(server, folder))
