"""What test_compilers_cpython and other tests share."""

import stat
import sys
from pathlib import Path

# Answers like the worker, and obeys words in the source.
FAKE_INTERPRETER_SOURCE = """
import json, os, signal, sys
print(json.dumps({"implementation": "NAME", "version": "VERSION"}), flush=True)
while True:
    header = sys.stdin.buffer.readline()
    if not header:
        break
    request = json.loads(header)
    content = sys.stdin.buffer.read(request["size"])
    if content == b"die":
        os.kill(os.getpid(), signal.SIGSEGV)
    if content == b"leave":
        os._exit(3)
    if content == b"hang":
        signal.pause()
    if content == b"babble":
        print("not a verdict", flush=True)
    if content == b"mistake":
        request["id"] = 0
    print(json.dumps({"id": request["id"], "ok": True}), flush=True)
"""


def write_program(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def write_fake_interpreter(path: Path, version: str = "3.99.1", name: str = "cpython") -> str:
    return write_program(path, FAKE_INTERPRETER_SOURCE.replace("VERSION", version).replace("NAME", name))
