"""Random services whose modules bind, re-export and miss names in every form that the import verdicts know.

A seed gives a tree of files that starts with `python main.py`, and probes: each is one more text of the file that asks,
with what it asks for. Most trees run to their end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

ASKING_PATH = "app/views.py"
DOCKERFILE = "FROM python:3.11-slim\nWORKDIR /srv\nCOPY . .\nCMD python main.py\n"
NAMES = ("run", "load", "Row", "_own", "limit", "deep", "part", "store")
PACKAGES = ("app", "app.core", "app.core.deep", "lib", "lib.store", "ns", "ns.part")
MODULES = (
    "tools", "lib.words", "lib.store.rows", "ns.part.load", "ns.limit", "app.core.run", "app.core.deep.limit",
    "app.parts", "app.load",
)  # fmt: skip
_CONDITIONS = (
    "True", "False", "TYPE_CHECKING", "not TYPE_CHECKING", "sys.version_info >= (3, 8)", "sys.version_info < (3, 8)",
    "sys.version_info[:2] >= (3, 11)", "sys.platform == 'win32'", "os.name == 'posix'", "__name__ == '__main__'",
    "os.environ.get('NO_SUCH_THING')", "len(sys.path) > 0", "os.environ.get('NO_SUCH_THING') or True", "FLAG",
)  # fmt: skip
_HEAD = "import os, sys\nfrom typing import TYPE_CHECKING\nFLAG = True\n"


@dataclass(frozen=True, slots=True)
class ImportProbe:
    """The asking file's text, and the claim that may be made of it."""

    text: str
    module: str
    name: str
    """"" where the module itself is asked for."""
    line: int


@dataclass(frozen=True, slots=True)
class GeneratedService:
    """`files` without the asking file; `left_out`: those of them that the ignore file keeps from the image."""

    files: Mapping[str, str]
    probes: Sequence[ImportProbe]
    left_out: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Writer:
    """One module as it is written, with the names that it surely binds; a plain one holds no traps."""

    module: str
    is_package: bool
    is_plain: bool
    lines: list[str] = field(default_factory=list)
    bound: list[str] = field(default_factory=list)


def generate_service(seed: int, probe_count: int = 6) -> GeneratedService:
    """The service of a seed."""
    random = Random(seed)
    sources: dict[str, str] = {}
    files = {"Dockerfile": DOCKERFILE, "main.py": _write_main(random)}
    bound: dict[str, list[str]] = {}
    packages = [name for name in PACKAGES if name == "app" or random.random() < (0.4 if name[:2] == "ns" else 0.75)]
    modules = [name for name in MODULES if random.random() < 0.8]
    order = [*modules, *packages]
    random.shuffle(order)
    is_plain = random.random() < 0.5
    for module in order:
        is_package = module in packages
        text = _write_module(random, _Writer(module, is_package, is_plain), bound, order)
        sources[module] = text
        files[module.replace(".", "/") + ("/__init__.py" if is_package else ".py")] = text
    if random.random() < 0.1:  # a module and a package of one name
        files["lib.py"] = "run = 1\n"
    if random.random() < 0.1:
        files["app/core/typed.pyi"] = "run: int\n"
    left_out = _leave_out(random, files)
    probes = [_write_probe(random, order, bound) for _ in range(probe_count)]
    return GeneratedService(files, probes, left_out)


def _leave_out(random: Random, files: dict[str, str]) -> frozenset[str]:
    if random.random() > 0.15:
        return frozenset()
    folder = random.choice(("app/core/deep", "lib/store", "ns/part"))
    files[".dockerignore"] = random.choice((f"{folder}\n", f"**/{folder.rpartition('/')[2]}/\n"))
    return frozenset(path for path in files if path.startswith(folder + "/"))


def _write_main(random: Random) -> str:
    before = random.choice(("", "", "", "import tools\n", "import lib\n", "import sys\nsys.path.append('lib')\n"))
    guarded = f"try:\n    {before}except Exception:\n    pass\n" if before.startswith("import t") else ""
    return f"{guarded or ''}import app.views\n"


def _write_module(random: Random, writer: _Writer, bound: dict[str, list[str]], order: Sequence[str]) -> str:
    writer.lines.append(_HEAD)
    for _ in range(random.randint(0, 6)):
        name = random.choice(NAMES)
        kind = random.random()
        if kind < 0.35:
            _write_import(random, writer, bound, order, name)
        elif kind < 0.9 or writer.is_plain:
            _write_binding(random, writer, name)
        else:
            _write_trap(random, writer, name)
    if random.random() < 0.2 and writer.bound:
        exported = random.sample(writer.bound, random.randint(0, len(writer.bound)))
        writer.lines.append(random.choice(("__all__ = {!r}", "__all__ = []\n__all__ += {!r}")).format(exported))
    bound[writer.module] = writer.bound
    return "\n".join(writer.lines) + "\n"


def _write_binding(random: Random, writer: _Writer, name: str) -> None:
    condition = random.choice(_CONDITIONS)
    sure = [
        f"{name} = 1", f"def {name}():\n    return 1", f"class {name}:\n    limit = 1", f"import json as {name}",
        f"from json import dumps as {name}", f"x, ({name}, *y) = 1, (2, 3)", f"for {name} in (1, 2):\n    pass",
        f"try:\n    import no_such_module as {name}\nexcept ImportError:\n    {name} = None",
        f"if {condition}:\n    {name} = 1\nelse:\n    {name} = 2", f"print(end=str({name} := 1)[:0])",
        f"with open(os.devnull) as {name}:\n    pass", f"{name}: int = 1",
        f"while True:\n    {name} = 1\n    if {name}:\n        break",
    ]  # fmt: skip
    other = [
        f"if {condition}:\n    {name} = 1", f"{name}: int", f"{name} = 1\ndel {name}",
        f"def bind():\n    global {name}\n    {name} = 1" + random.choice(("", "\nbind()")),
        f"try:\n    {name} = int('x')\nexcept ValueError:\n    pass", f"for {name} in []:\n    pass",
        f"try:\n    import no_such_module as {name}\nexcept ImportError:\n    pass",
        f"class Outer:\n    {name} = 1", f"def outer():\n    {name} = 1", f"squares = [{name} for {name} in (1, 2)]",
        f"try:\n    raise ValueError\nexcept ValueError as {name}:\n    pass",
        f"match 1:\n    case 2:\n        {name} = 1\n    case _:\n        pass",
        f"import contextlib\nwith contextlib.suppress(ValueError):\n    int('x')\n    {name} = 1",
        f"if {condition} and {random.choice(_CONDITIONS)}:\n    {name} = 1",
        f"while {condition}:\n    {name} = 1\n    break",
        f"for item in (1, 2):\n    if {condition}:\n        break\n    {name} = 1",
        f"if not ({condition}):\n    raise SystemExit\n{name} = 2" if condition in {"True", "FLAG"} else f"{name} = 3",
    ]  # fmt: skip
    is_sure = writer.is_plain or random.random() < 0.6
    writer.lines.append(random.choice(sure if is_sure else other))
    if is_sure:
        writer.bound.append(name)
    elif name in writer.bound:
        writer.bound.remove(name)


def _write_import(
    random: Random, writer: _Writer, bound: Mapping[str, list[str]], order: Sequence[str], name: str
) -> None:
    earlier = [module for module in bound if module != writer.module]
    source = random.choice(earlier if earlier and random.random() < 0.85 else list(order))
    names = bound.get(source, [])
    form = random.random() * (0.5 if writer.is_plain else 1)
    if form < 0.3 and names:
        chosen = random.choice(names)
        writer.lines.append(f"from {_refer(random, writer, source)} import {chosen} as {name}")
        writer.bound.append(name)
    elif form < 0.5 and names:
        chosen = random.choice(names)
        writer.lines.append(f"from {_refer(random, writer, source)} import {chosen}")
        writer.bound.append(chosen)
    elif form < 0.7:
        writer.lines.append(f"from {_refer(random, writer, source)} import *")
    elif form < 0.85:
        writer.lines.append(random.choice((f"import {source}", f"import {source} as {name}")))
    else:
        writer.lines.append(f"try:\n    from {source} import {name}\nexcept ImportError:\n    pass")


def _refer(random: Random, writer: _Writer, target: str) -> str:
    """An absolute or a relative name of a module, as the module that is written may use it."""
    package = writer.module if writer.is_package else writer.module.rpartition(".")[0]
    if not package or random.random() < 0.5:
        return target
    dots = 1
    while package:
        if target.startswith(package + "."):
            return "." * dots + target[len(package) + 1 :]
        package = package.rpartition(".")[0]
        dots += 1
    return target


def _write_trap(random: Random, writer: _Writer, name: str) -> None:
    traps = [
        f"def __getattr__(name):\n    if name == {name!r}:\n        return 1\n    raise AttributeError(name)",
        f"globals()[{name!r}] = 1", f"globals().update({{{name!r}: 1}})", f"exec('{name} = 1')",
        f"setattr(sys.modules[__name__], {name!r}, 1)", f"sys.modules[__name__].{name} = 1",
        f"import types\nsys.modules[__name__ + '.{name}'] = types.ModuleType('{name}')",
        f"globals().pop({name!r}, None)", f"vars()[{name!r}] = 1",
        "from json import *", "def __getattr__(name):\n    raise AttributeError(name)",
        f"import {writer.module} as me\nme.{name} = 1",
    ]  # fmt: skip
    if writer.is_package:
        traps.append("__path__.append('lib')")
    writer.lines.append(random.choice(traps))
    if name in writer.bound:
        writer.bound.remove(name)


def _write_probe(random: Random, order: Sequence[str], bound: Mapping[str, list[str]]) -> ImportProbe:
    """A text of the asking file with one statement that asks."""
    module = random.choice([*order, *order, "app.gone", "gone", "ns", "lib.words", "app.core"])
    name = random.choice([*NAMES, *bound.get(module, ())])
    asks_module = random.random() < 0.4
    if asks_module:
        target = f"{module}.{name}"
        statement = random.choice((
            f"import {target}", f"import {target} as other", f"from {target} import __name__ as other",
            f"import importlib\nimportlib.import_module('{target}')", f"from {target} import *",
        ))  # fmt: skip
        probe_module, probe_name = target, ""
    else:
        referred = module
        if module.startswith("app.") and random.random() < 0.5:
            referred = module[3:]
        statement = random.choice((
            f"from {referred} import {name}", f"from {referred} import {name} as other",
            f"from {referred} import (\n    __name__ as first,\n    {name},\n)",
        ))  # fmt: skip
        if module == "app" and random.random() < 0.5:
            statement = f"from . import {name}"
        probe_module, probe_name = module, name
    text, line = _wrap(random, statement)
    return ImportProbe(text, probe_module, probe_name, line)


def _wrap(random: Random, statement: str) -> tuple[str, int]:
    """The statement in a place, and its line."""
    indented = statement.replace("\n", "\n    ")
    if "\n*" in statement or statement.endswith("*"):
        return _HEAD + statement + "\n", _find_line(_HEAD + statement)
    text = random.choice((
        *[statement] * 6,
        f"def ask():\n    {indented}\nask()",
        f"def ask():\n    {indented}",
        f"try:\n    {indented}\nexcept ImportError:\n    pass",
        f"try:\n    {indented}\nexcept ImportError:\n    raise",
        f"try:\n    {indented}\nexcept ValueError:\n    pass",
        f"try:\n    import no_such_module\nexcept ImportError:\n    {indented}",
        f"try:\n    import json\nexcept ImportError:\n    {indented}",
        f"if TYPE_CHECKING:\n    {indented}",
        f"if {random.choice(_CONDITIONS)}:\n    {indented}",
        f"class Holder:\n    {indented}",
        f"import contextlib\nwith contextlib.suppress(ImportError):\n    {indented}",
        f"with open(os.devnull):\n    {indented}",
        f"try:\n    {indented}\nexcept (ValueError, ModuleNotFoundError):\n    pass",
        f"try:\n    {indented}\nfinally:\n    pass",
        f"for item in (1,):\n    {indented}",
    ))  # fmt: skip
    return _HEAD + text + "\n", _find_line(_HEAD + text)


def _find_line(text: str) -> int:
    """The line of the asking statement: the last one that imports, but for the modules that the texts need."""
    needed = ("import os", "import contextlib", "import importlib", "import json", "import no_such_module")
    lines = enumerate(text.split("\n"), 1)
    matching = [
        number
        for number, line in lines
        if (line.strip().startswith(("import ", "from ")) or "import_module(" in line)
        and not line.strip().startswith((*needed, "from typing"))
    ]
    return matching[-1]
