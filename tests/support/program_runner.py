"""`python -I -B program_runner.py`: runs small programs for real, many in one process.

In, on stdin: a JSON list of programs, each a map of paths to texts. Out: a JSON list: for each the error with which
`main.py` ends, as [class, message, file, line, function] of the deepest frame, null where it ends well; and the
lines of `main.py` that were run.
"""

import contextlib
import io
import json
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any


def run_program(files: dict[str, str], folder: Path) -> tuple[list[object] | None, list[int]]:
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    known = set(sys.modules)
    main = type(sys)("__main__")
    main.__dict__["__file__"] = str(folder / "main.py")
    former = sys.modules["__main__"]
    sys.path.insert(0, str(folder))
    sys.modules["__main__"] = main
    lines: set[int] = set()

    def trace(frame: FrameType, event: str, argument: object) -> Callable[..., Any]:
        del argument
        if event == "line" and frame.f_code.co_filename == main.__dict__["__file__"]:
            lines.add(frame.f_lineno)
        return trace

    sys.settrace(trace)
    try:
        code = compile(files["main.py"], str(folder / "main.py"), "exec", dont_inherit=True)
        with contextlib.redirect_stdout(io.StringIO()):
            exec(code, main.__dict__)  # the programs are this repository's own
    except Exception as error:  # noqa: BLE001  # whatever a program raises is its outcome
        last = traceback.extract_tb(error.__traceback__)[-1]
        return [type(error).__name__, str(error), Path(last.filename).name, last.lineno, last.name], sorted(lines)
    finally:
        sys.settrace(None)
        sys.path.remove(str(folder))
        sys.modules["__main__"] = former
        for name in set(sys.modules) - known:
            if getattr(sys.modules[name], "__file__", None) is None or str(folder) in str(sys.modules[name].__file__):
                del sys.modules[name]
    return None, sorted(lines)


def main() -> None:
    results = []
    with tempfile.TemporaryDirectory() as top:
        for number, files in enumerate(json.load(sys.stdin)):
            results.append(run_program(files, Path(top) / str(number)))
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
