"""A generated history of a service, in which some commits break it: a seed comes in, and which commit breaks what.

Each break is one that Python meets when the service starts or runs, in one of the families that can be decided; it is
fixed some commits later. Between them are commits that change the same files and break nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

from tests.support.history_builder import HistoryBuilder

Files = Mapping[str, str | None]
PARTS = 4
_DOCKERFILE = (
    "FROM python:3.11-slim\nWORKDIR /srv\nCOPY pyproject.toml uv.lock ./\nRUN uv sync --frozen\n"
    "COPY . .\nCMD uvicorn harbor.main:app\n"
)
_LOCK = "[[package]]\nname = 'pyyaml'\nversion = '6'\n[[package]]\nname = 'uvicorn'\nversion = '0.30.{mark}'\n"
_PART = """\
import json

LIMIT_{k} = {mark}


class Berth{k}:
    def __init__(self, name, depth=1):
        self.name = name
        self.depth = depth

    def label(self):
        return f"{{self.name}} {{self.depth}}"


def find_berth_{k}(name, *, deep=False):
    return Berth{k}(name, 2 if deep else 1)


def read_table_{k}():
    with open("data/table_{k}.json") as table:
        return json.load(table)
"""
_USE = """\
from harbor import part_{k}
from harbor.part_{k} import Berth{k}, find_berth_{k}


def show(name):
    berth = Berth{k}(name)
    count = part_{k}.LIMIT_{k}
    text = berth.label()
    known = find_berth_{k}(name, deep=True)
    return text, count, known, {mark}
"""
_MAIN = (
    "import yaml\n\n" + "".join(f"from harbor import use_{k}\n" for k in range(PARTS)) + "\napp = yaml\nMARK = {mark}\n"
)


@dataclass(frozen=True, slots=True)
class PlantedBreak:
    """What one commit breaks. `families`: each is a right answer."""

    commit: str
    families: frozenset[str]
    path: str


@dataclass(frozen=True, slots=True)
class _Kind:
    families: tuple[str, ...]
    where: str
    """Where it fails: `part`, `use`, `main` or `image`."""
    change: Callable[[dict[str, str], int], Files]


def _edit(path: str, old: str, new: str) -> Callable[[dict[str, str], int], Files]:
    def change(files: dict[str, str], k: int) -> Files:
        name, before, after = (text.replace("{k}", str(k)) for text in (path, old, new))
        assert before in files[name], (name, before)
        return {name: files[name].replace(before, after)}

    return change


def _rename_part(files: dict[str, str], k: int) -> Files:
    return {f"harbor/part_{k}.py": None, f"harbor/parts_{k}.py": files[f"harbor/part_{k}.py"]}


def _ignore_part(files: dict[str, str], k: int) -> Files:
    return {".dockerignore": files[".dockerignore"] + f"**/part_{k}.py\n"}


def _remove_dependency(files: dict[str, str], k: int) -> Files:
    del k
    lock = files["uv.lock"].replace("[[package]]\nname = 'pyyaml'\nversion = '6'\n", "")
    return {"pyproject.toml": files["pyproject.toml"].replace("'pyyaml', ", ""), "uv.lock": lock}


def _remove_table(files: dict[str, str], k: int) -> Files:
    del files
    return {f"data/table_{k}.json": None}


_PLACES = {"main": "harbor/main.py", "image": "Dockerfile"}
KINDS: Mapping[str, _Kind] = {
    "a renamed function": _Kind(
        ("import_name",), "use", _edit("harbor/part_{k}.py", "def find_berth_{k}", "def locate_berth_{k}")
    ),
    "a renamed module": _Kind(("module", "import_name"), "use", _rename_part),
    "an ignored module": _Kind(("module", "import_name"), "use", _ignore_part),
    "a missing dependency": _Kind(("module",), "main", _remove_dependency),
    "an undefined name": _Kind(
        ("name",), "use", _edit("harbor/use_{k}.py", "return text, count", "return text, cuont")
    ),
    "a local name too early": _Kind(
        ("local_name",), "use", _edit("harbor/use_{k}.py", "    berth = ", "    label = text.upper()\n    berth = ")
    ),
    "an attribute of a module": _Kind(
        ("module_attribute",), "use", _edit("harbor/part_{k}.py", "LIMIT_{k} =", "MOST_{k} =")
    ),
    "an attribute of a class": _Kind(
        ("class_attribute",), "use", _edit("harbor/part_{k}.py", "def label", "def title")
    ),
    "a missing argument": _Kind(
        ("call",), "use", _edit("harbor/part_{k}.py", "def find_berth_{k}(name, *", "def find_berth_{k}(name, quay, *")
    ),
    "an unexpected keyword": _Kind(
        ("call",), "use",
        _edit(
            "harbor/part_{k}.py", "deep=False):\n    return Berth{k}(name, 2 if deep",
            "far=False):\n    return Berth{k}(name, 2 if far",
        ),
    ),
    "a circular import": _Kind(
        ("circular_import",), "part",
        _edit("harbor/part_{k}.py", "import json\n", "import json\n\nfrom harbor.use_{k} import show\n"),
    ),
    "a file that is gone": _Kind(("file",), "part", _remove_table),
    "a mistyped start": _Kind(("start_target",), "image", _edit("Dockerfile", "harbor.main:app", "harbor.mian:app")),
    "a syntax error": _Kind(("syntax",), "use", _edit("harbor/use_{k}.py", "def show(name):", "def show(name:")),
}  # fmt: skip


def build_history(history: HistoryBuilder, count: int, seed: int) -> list[PlantedBreak]:
    """Adds `count` commits after the first one, and returns what is broken where."""
    random = Random(seed)
    files = dict(list_start_files())
    history.commit("start", files)
    planted: list[PlantedBreak] = []
    names = [name for _ in range(count) for name in random.sample(list(KINDS), len(KINDS))]
    number = 0
    while number < count:
        number += 1
        if number % 3 == 1:
            name, k = names.pop(), random.randrange(PARTS)
            kind, label = KINDS[name], f"{number} break: {name}"
            changes = kind.change(files, k)
            history.commit(label, changes)
            where = _PLACES.get(kind.where, f"harbor/{kind.where}_{k}.py")
            planted.append(PlantedBreak(label, frozenset(kind.families), where))
            history.commit(f"{number} mend", {path: files.get(path) for path in changes})
            number += 1
        else:
            changed = _change_harmlessly(files, random, number)
            files |= changed
            history.commit(f"{number} harmless", changed)
    return planted


def list_start_files() -> Iterator[tuple[str, str]]:
    """The service before anything is broken, path by path."""
    yield "Dockerfile", _DOCKERFILE
    yield ".dockerignore", ".git\n"
    yield "pyproject.toml", "[project]\nname = 'harbor'\nversion = '1'\ndependencies = ['pyyaml', 'uvicorn']\n"
    yield "uv.lock", _LOCK.format(mark=0)
    yield "harbor/__init__.py", ""
    yield "harbor/main.py", _MAIN.format(mark=0)
    for k in range(PARTS):
        yield f"harbor/part_{k}.py", _PART.format(k=k, mark=0)
        yield f"harbor/use_{k}.py", _USE.format(k=k, mark=0)
        yield f"data/table_{k}.json", "[]\n"


def _change_harmlessly(files: dict[str, str], random: Random, mark: int) -> dict[str, str]:
    """A commit that moves lines, adds what nobody uses, or changes values."""
    k = random.randrange(PARTS)
    path = random.choice([f"harbor/part_{k}.py", f"harbor/use_{k}.py"])
    match random.randrange(5):
        case 0:
            return {path: f'"""Number {mark}."""\n' + files[path].split('"""\n', 1)[-1]}
        case 1:
            added = f"\n\ndef unused_{mark}(value):\n    return [entry for entry in value if entry]\n"
            return {path: files[path] + (added if files[path].count("def unused") < 3 else "# x\n")}
        case 2:
            return {f"data/table_{k}.json": f"[{mark}]\n"}
        case 3:
            return {"uv.lock": _LOCK.format(mark=mark % 7)}
    lines = [line if not line.startswith("MARK") else f"MARK = {mark}" for line in files["harbor/main.py"].splitlines()]
    return {"harbor/main.py": "\n".join(lines) + "\n"}
