"""What is read to tell which imports find nothing: only the importers and what leads to them."""

from shared.proof.loading.import_closure import find_import_closure
from shared.proof.loading.imports import Imports, parse_imports
from shared.proof.loading.missing_modules import DeployedTree
from tests.support.source_tree import FakeSourceTree

DOCKERFILE = "FROM python:3.11\nWORKDIR /app\nCOPY . .\nCMD python main.py\n"


def read(files: dict[str, str], gone: str) -> tuple[list[str], list[str]]:
    """The Python files read for it, and the importers that were found; all imports are known from a commit before."""
    known = {path: parse_imports(text.encode()) for path, text in files.items()}
    tree = FakeSourceTree({path: text for path, text in files.items() if path != gone})

    def remember(path: str, blob: str) -> Imports:
        del blob
        return known[path]

    deployed = DeployedTree(FakeSourceTree(files), lambda: frozenset(files))
    found = find_import_closure(tree, gone, imports_loader=remember, deployed=deployed).missing_imports
    return sorted({path for path in tree.reads if path.endswith(".py")}), [each.path for each in found]


def test_only_the_importers_and_what_leads_to_them_are_read() -> None:
    files = {f"part_{number}.py": "import os\nimport fastapi\n" for number in range(200)}
    files |= {"Dockerfile": DOCKERFILE, "relay.py": "", "api.py": "import relay\n"}
    files["main.py"] = "import api\n" + "".join(f"import part_{number}\n" for number in range(200))
    assert read(files, "relay.py") == (["api.py", "main.py"], ["api.py"])


def test_nothing_is_read_where_no_import_is_missing() -> None:
    files = {"Dockerfile": DOCKERFILE, "main.py": "import api\nimport fastapi\n", "api.py": "", "relay.py": ""}
    assert read(files, "relay.py") == ([], [])
