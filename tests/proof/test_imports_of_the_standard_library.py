"""The reader of imports agrees with Python's own parser on every module of the standard library."""

import ast
import sysconfig
import warnings
from pathlib import Path

from shared.proof.loading.imports import Import, parse_imports

STANDARD_LIBRARY = Path(sysconfig.get_paths()["stdlib"])


DYNAMIC = (b"import_module", b"__import__", b"run_module", b'"-m"', b"'-m'")


class Oracle(ast.NodeVisitor):
    """The imports of a file as Python's parser has them, without what stands under TYPE_CHECKING."""

    def __init__(self) -> None:
        self.found: set[Import] = set()

    def visit_If(self, node: ast.If) -> None:
        test = node.test
        name = test.id if isinstance(test, ast.Name) else test.attr if isinstance(test, ast.Attribute) else ""
        for each in node.orelse if name == "TYPE_CHECKING" else [*node.body, *node.orelse]:
            self.visit(each)

    def visit_Import(self, node: ast.Import) -> None:
        self.found |= {Import(alias.name) for alias in node.names}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self.found.add(Import(node.module or "", node.level, tuple(alias.name for alias in node.names)))


def by_parser(source: bytes) -> set[Import] | None:
    oracle = Oracle()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            oracle.visit(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError):
        return None
    return oracle.found


def standard_library() -> list[Path]:
    paths = [path for path in sorted(STANDARD_LIBRARY.rglob("*.py")) if "site-packages" not in path.parts]
    return paths[::20]  # of some 1,800 files: enough of every kind, in a few seconds


def test_reader_and_parser_agree_on_the_standard_library() -> None:
    compared = 0
    for path in standard_library():
        source = path.read_bytes()
        expected = by_parser(source)
        if expected is None:
            continue
        found = set(parse_imports(source).imported)
        compared += 1
        assert expected <= found, path
        assert found == expected or any(word in source for word in DYNAMIC), path
    assert compared > 60
