"""What Python does with generated services: each text of the asking file is run in a process of its own.

A runner takes any number of services: it writes each tree once, and forks for each text. Returns for each probe how the
start ended: the file and line of the deepest frame that is not the import system's, and the error.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.generated_imports import ASKING_PATH, GeneratedService

_RUNNER = r"""
import contextlib, importlib, json, os, shutil, sys, types, typing

sys.dont_write_bytecode = True

def start(folder, writer):
    os.chdir(folder)
    sys.path.insert(0, folder)
    sys.stdout = sys.stderr = open(os.devnull, "w")
    try:
        with open("main.py") as file:
            code = compile(file.read(), os.path.join(folder, "main.py"), "exec")
        exec(code, {"__name__": "__main__", "__file__": code.co_filename})
        ended = {}
    except BaseException as error:
        path, line = find_last_frame(error.__traceback__)
        path = os.path.relpath(path, folder)
        ended = {"path": path, "line": line, "error": type(error).__name__, "message": str(error)}
    names = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if ended == {} and file.startswith(folder) and hasattr(module, "__dict__"):
            names[os.path.relpath(file, folder)] = [key for key in PROBED if has(module, key)]
    os.write(writer, json.dumps({"ended": ended, "names": names}).encode() + b"\n")
    os._exit(0)

def find_last_frame(traceback):
    last = ("", 0)
    while traceback:
        path = traceback.tb_frame.f_code.co_filename
        if not path.startswith("<frozen") and not path.endswith("importlib/__init__.py"):
            last = (path, traceback.tb_lineno)
        traceback = traceback.tb_next
    return last

def has(module, key):
    try:
        return hasattr(module, key)
    except BaseException:
        return False

PROBED = json.loads(sys.stdin.readline())
for line in sys.stdin:
    job = json.loads(line)
    folder = job["folder"]
    for path, text in job["files"].items():
        os.makedirs(os.path.dirname(os.path.join(folder, path)) or folder, exist_ok=True)
        with open(os.path.join(folder, path), "w") as file:
            file.write(text)
    for text in job["texts"]:
        with open(os.path.join(folder, job["asking"]), "w") as file:
            file.write(text)
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.close(reader)
            start(folder, writer)
        os.close(writer)
        with os.fdopen(reader, "rb") as answers:
            sys.stdout.write(answers.read().decode())
        os.waitpid(child, 0)
    shutil.rmtree(folder)
"""


@dataclass(frozen=True, slots=True)
class Execution:
    """How a start ended; `error` is "" where it came to its end. `names`: by file, the probed names that it has."""

    path: str
    line: int
    error: str
    message: str
    names: dict[str, list[str]]


def run_services(services: Sequence[GeneratedService], names: Sequence[str]) -> list[list[Execution]]:
    """For each service, an execution for each of its probes."""
    with tempfile.TemporaryDirectory() as folder:
        jobs = [json.dumps(list(names))]
        for number, service in enumerate(services):
            files = {path: text for path, text in service.files.items() if path not in service.left_out}
            texts = [probe.text for probe in service.probes]
            where = str(Path(folder).resolve() / str(number))
            jobs.append(json.dumps({"folder": where, "files": files, "texts": texts, "asking": ASKING_PATH}))
        command = [sys.executable, "-I", "-S", "-c", _RUNNER]
        done = subprocess.run(command, input="\n".join(jobs), capture_output=True, text=True, check=True)
    answers = iter([json.loads(line) for line in done.stdout.splitlines()])
    return [[_read_execution(next(answers)) for _ in service.probes] for service in services]


def _read_execution(answer: dict[str, dict[str, str]]) -> Execution:
    ended = answer["ended"]
    return Execution(
        ended.get("path", ""),
        int(ended.get("line", 0)),
        ended.get("error", ""),
        ended.get("message", ""),
        {path: list(names) for path, names in answer["names"].items()},
    )
