"""`python -m tests.support.import_rule`: tests import from `tests.support`, and never from each other.

Every import of every file in `tests/` is read. A tier may import only `tests.support`; `tests.bench` also imports
itself; `tests.support` imports nothing but itself. Exits 1 and names each import that breaks this.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
_OWN_ROOMS = frozenset(("bench",))
"""Rooms that are programs of several files, and may import themselves."""


def find_forbidden_imports(tests: Path = TESTS) -> Iterator[str]:
    """`file:line: module`, once for each import that breaks the rule."""
    for path in sorted(tests.rglob("*.py")):
        room = path.relative_to(tests).parts[0]
        allowed = {"support", room} if room in _OWN_ROOMS else {"support"}
        for line, module in _imported_modules(path.read_text("utf-8")):
            if module.startswith("tests.") and module.split(".")[1] not in allowed:
                yield f"{path.relative_to(tests.parent)}:{line}: {module} -> tests.support"


def _imported_modules(source: str) -> Iterator[tuple[int, str]]:
    """Relative imports count as `tests.` of no room: nothing in `tests/` uses them."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            yield node.lineno, f"tests.{'.' * node.level}{node.module or ''}"
        elif isinstance(node, ast.ImportFrom) and node.module == "tests":
            yield from ((node.lineno, f"tests.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or ""


def main() -> int:
    """0 where no import breaks the rule."""
    broken = list(find_forbidden_imports())
    print(*broken, sep="\n", end="\n" if broken else "")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
