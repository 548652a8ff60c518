"""Services drawn at random that call functions, classes and methods, and a program that makes each call for real.

`generate_service` gives the files of two versions of one service: the second differs in some signatures and calls.
`RUNNER` imports each version and makes its calls, one after the other, and prints what does not bind.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

NAMES = ("a", "b", "c", "d")
RUNNER = r"""
import importlib, json, os, sys, tempfile, traceback, warnings
warnings.simplefilter("ignore")
answers = []
base = sys.path[:]
for files in json.load(sys.stdin):
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(folder, path)) or folder, exist_ok=True)
            with open(os.path.join(folder, path), "w") as stream: stream.write(text)
        sys.path[:] = [folder] + base
        importlib.invalidate_caches()
        misses, ran = [], []
        try:
            main = importlib.import_module("main")
            for name in [name for name in vars(main) if name.startswith("t_")]:
                try: getattr(main, name)(); ran.append(name)
                except TypeError as error:
                    frames = traceback.extract_tb(error.__traceback__)
                    if frames[-1].name == "wrapper":
                        frames = [frame for frame in frames if frame.filename.endswith("main.py")]
                    path = os.path.relpath(frames[-1].filename, folder)
                    misses.append((name, str(error), path, frames[-1].lineno, frames[-1].name, frames[-1].line))
                except Exception as error: ran.append(name)
            answers.append((misses, ran))
        except Exception as error: answers.append((repr(error), []))
        for name in list(sys.modules):
            if name.split(".")[0] in ("main", "lib", "pkg"): del sys.modules[name]
json.dump(answers, sys.stdout)
"""
HEAD = """\
import abc, contextlib, enum, functools, typing
from dataclasses import InitVar, dataclass, field
from functools import lru_cache, wraps
from typing import NamedTuple, overload

def forwarding(function):
    @wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)
    return wrapper

def made(option):
    def decorate(function):
        def wrapper(*args, **kwargs):
            return function(*args, **kwargs)
        return wrapper
    return decorate

def adding(function):
    @wraps(function)
    def wrapper(*args, **kwargs):
        return function(1, *args, **kwargs)
    return wrapper

def dropping(function):
    @wraps(function)
    def wrapper(*args, **kwargs):
        kwargs.pop("d", None)
        return function(*args, **kwargs)
    return wrapper

def renaming(function):
    @wraps(function)
    def wrapper(a, b=1):
        return function()
    return wrapper

def registering(function):
    return function

class Meta(type):
    def __call__(cls, *args, **kwargs):
        return super().__call__()

"""
DECORATORS = (
    ("",) * 8
    + (
        "@forwarding",
        "@made(1)",
        "@adding",
        "@dropping",
        "@renaming",
        "@registering",
        "@functools.lru_cache(maxsize=None)",
    )
    + ("@lru_cache", "@contextlib.contextmanager", "@functools.cache", "@functools.singledispatch")
)


@dataclass(frozen=True)
class Service:
    """The files of one version."""

    files: Mapping[str, str]


class _Lenient(Random):
    """Draws signatures and calls that mostly fit: what a fix would be."""


def write_signature(random: Random, first: str = "", *, has_positional_only: bool = True) -> str:
    """A random list of parameters behind `first`."""
    if random.random() < (0.8 if isinstance(random, _Lenient) else 0.1):
        return ", ".join([*([first] if first else []), "a=0", "b=0", "c=0", "d=0"])
    names = list(NAMES[: random.randint(0, 4)])
    split = random.randint(0, len(names))
    positional, keyword_only = names[:split], names[split:]
    defaults = random.randint(0, len(positional))
    parts = [name if at < len(positional) - defaults else f"{name}=0" for at, name in enumerate(positional)]
    parts = [first, *parts] if first else parts
    if has_positional_only and parts and random.random() < 0.15:
        parts.insert(random.randint(1, len(parts)), "/")
    star = "*args" if random.random() < 0.15 else "*" if keyword_only else ""
    parts += [star] if star else []
    parts += [name if random.random() < 0.5 else f"{name}=0" for name in keyword_only]
    return ", ".join([*parts, *(["**kwargs"] if random.random() < 0.12 else [])])


def write_arguments(random: Random) -> str:
    """The arguments of a random call."""
    if isinstance(random, _Lenient) and random.random() < 0.6:
        return random.choice(("0", "0, d=1", "c=1, d=1", "0, 1"))
    parts = [str(position) for position in range(random.choice((0, 1, 1, 2, 2, 3)))]
    if random.random() < 0.08:
        parts.append("*[1]")
    keywords = [f"{name}=1" for name in random.sample(NAMES, random.choice((0, 0, 1, 1, 2)))]
    if random.random() < 0.08:
        keywords.append("**{'d': 1}" if "d=1" not in keywords else "**{}")
    return ", ".join([*parts, *keywords])


@dataclass(frozen=True)
class _Definition:
    """One definition of the library, and how the service calls it: `{}` stands for the arguments."""

    kind: str
    seed: int


_KIND_WORDS = """
function function function function class class inherited super new both plain_class dataclass dataclass_child
named_tuple meta exception method method static class_method inherited_method overridden property overload twice
conditional patched set_attribute partial nested instance_call enum diamond alias field_options
"""
_KINDS = _KIND_WORDS.split()


def _write_definition(kind: str, number: int, random: Random) -> tuple[list[str], list[str]]:  # noqa: C901, PLR0911, PLR0912, PLR0915
    """The lines of the library, and the calls of it."""
    f, c = f"f{number}", f"C{number}"

    def sign(first: str = "") -> str:
        return write_signature(random, first)

    body = "    return 1"
    if kind == "function":
        decorator = random.choice(DECORATORS)
        body = "    yield 1" if "contextmanager" in decorator else body
        return [*([decorator] if decorator else []), f"def {f}({sign()}):", body], [f"{f}({{}})"]
    if kind == "overload":
        lines = ["@overload", f"def {f}(a: int): ...", "@typing.overload", f"def {f}(a: str, b: int): ..."]
        return [*lines, f"def {f}({sign()}):", body], [f"{f}({{}})"]
    if kind == "twice":
        return [f"def {f}({sign()}):", body, f"def {f}({sign()}):", body], [f"{f}({{}})"]
    if kind == "conditional":
        test = random.choice(("typing.TYPE_CHECKING", "len(NAMES) > 3", "True"))
        lines = ["NAMES = 'abc'", f"if {test}:", f"    def {f}({sign()}):", f"    {body}"]
        return [*lines, "else:", f"    def {f}({sign()}):", f"    {body}"], [f"{f}({{}})"]
    if kind == "patched":
        return [f"def {f}({sign()}):", body, f"def other{number}({sign()}):", body], [
            f"{f}({{}})",
            f"!lib.{f} = lib.other{number}",
            f"lib.{f}({{}})",
        ]
    if kind == "partial":
        lines = [f"def {f}({sign()}):", body, f"p{number} = functools.partial({f}, {write_arguments(random)})"]
        return lines, [f"p{number}({{}})"]
    if kind == "alias":
        return [f"def {f}({sign()}):", body, f"g{number} = {f}"], [f"g{number}({{}})"]
    if kind == "nested":
        return [], [f"+def {f}({sign()}):\n    return 1\n{f}({{}})"]
    init = [f"    def __init__({sign('self')}):", "        pass"]
    method = [f"    def m{number}({sign('self')}):", "        return 1"]
    if kind == "class":
        base = random.choice(("", "", "(abc.ABC)", "(typing.Generic[typing.TypeVar('T')])", "(Exception)", "(dict)"))
        return [f"class {c}{base}:", *init], [f"{c}({{}})"]
    if kind == "inherited":
        return [f"class {c}:", *init, f"class D{number}({c}):", "    pass"], [f"D{number}({{}})"]
    if kind == "super":
        lines = [f"class {c}:", *init]
        inner = f"+class D{number}({c}):\n    def __init__(self):\n        super().__init__({{}})\nD{number}()"
        return lines, [inner]
    if kind == "new":
        return [f"class {c}:", f"    def __new__({sign('cls')}):", "        return object.__new__(cls)"], [f"{c}({{}})"]
    if kind == "both":
        new = [f"    def __new__({sign('cls')}):", "        return object.__new__(cls)"]
        return [f"class {c}:", *new, *init], [f"{c}({{}})"]
    if kind == "plain_class":
        return [f"class {c}:", "    x = 1"], [f"{c}({{}})", f"{c}()"]
    if kind in {"dataclass", "dataclass_child", "field_options"}:
        return _write_dataclass(kind, number, random), [f"{'D' if kind == 'dataclass_child' else 'C'}{number}({{}})"]
    if kind == "named_tuple":
        count = random.randint(1, 3)
        fields = [f"    {n}: int{' = 0' if at >= count - 1 else ''}" for at, n in enumerate(NAMES[:count])]
        return [f"class {c}(NamedTuple):", *fields], [f"{c}({{}})"]
    if kind == "meta":
        return [f"class {c}(metaclass={random.choice(('Meta', 'abc.ABCMeta'))}):", *init], [f"{c}({{}})"]
    if kind == "exception":
        return [f"class {c}(Exception):", "    pass"], [f"{c}({{}})"]
    if kind == "enum":
        return [f"class {c}(enum.Enum):", "    X = 1"], [f"{c}({{}})"]
    if kind == "static":
        lines = [f"class {c}:", "    @staticmethod", f"    def m{number}({sign()}):", "        return 1"]
        return lines, [f"{c}.m{number}({{}})", f"{c}().m{number}({{}})"]
    if kind == "class_method":
        lines = [f"class {c}:", "    @classmethod", f"    def m{number}({sign('cls')}):", "        return 1"]
        return lines, [f"{c}.m{number}({{}})", f"{c}().m{number}({{}})"]
    if kind == "property":
        lines = [f"class {c}:", "    @property", f"    def m{number}(self):", "        return lambda a: 1"]
        return lines, [f"{c}().m{number}({{}})"]
    if kind == "inherited_method":
        lines = [f"class {c}:", *method, f"class D{number}({c}):", "    pass"]
        return lines, [f"D{number}().m{number}({{}})", f"+x = D{number}()\nx.m{number}({{}})"]
    if kind == "overridden":
        lines = [
            f"class {c}:",
            *method,
            "    def run(self):",
            f"        return self.m{number}(%s)" % write_arguments(random),
        ]
        other = [f"    def m{number}({sign('self')}):", "        return 1"]
        go = f"    def go(self):\n        return self.m{number}({{}})\n"
        call = f"+class E{number}({c}):\n{go}    {other[0].strip()}\n        return 1\nE{number}().go()"
        return lines, [call, f"+def call(x: {c}):\n    x.m{number}({{}})\ncall({c}())"]
    if kind == "set_attribute":
        lines = [f"class {c}:", *method, f"setattr({c}, 'm{number}', lambda self, a: 1)"]
        return lines, [f"{c}().m{number}({{}})"]
    if kind == "instance_call":
        lines = [f"class {c}:", f"    def __call__({sign('self')}):", "        return 1"]
        return lines, [f"{c}()({{}})"]
    if kind == "diamond":
        lines = [f"class A{number}:", *method, f"class B{number}(A{number}):", "    pass", f"class {c}(A{number}):"]
        lines += [f"    def m{number}({sign('self')}):", "        return 1"]
        return [*lines, f"class D{number}(B{number}, {c}):", "    pass"], [f"D{number}().m{number}({{}})"]
    unbound = f"{c}.m{number}({c}(), {{}})"
    return [f"class {c}:", *method], [f"{c}().m{number}({{}})", f"+x = {c}()\nx.m{number}({{}})", unbound]


def _write_dataclass(kind: str, number: int, random: Random) -> list[str]:
    count = random.randint(1, 3)
    defaults = random.randint(0, count)
    lines = ["@dataclass" + random.choice(("", "()", "(frozen=True)", "(order=True)")), f"class C{number}:"]
    for position, name in enumerate(NAMES[:count]):
        value = " = 0" if position >= count - defaults else ""
        if kind == "field_options":
            value = random.choice(
                (" = field(default=1)", " = field(default_factory=list)", " = field(init=False)", " = 1")
            )
        annotation = random.choice(("int", "int", "typing.ClassVar[int]", "InitVar[int]", "'int'"))
        annotation, value = ("typing.ClassVar[int]", " = 1") if "ClassVar" in annotation else (annotation, value)
        lines.append(f"    {name}: {annotation}{value}")
    if random.random() < 0.2:
        lines += ["    def __post_init__(self, *args):", "        pass"]
    if kind == "dataclass_child":
        lines += ["@dataclass", f"class D{number}(C{number}):", f"    {random.choice(NAMES)}: int = 5"]
    return lines


def generate_service(seed: int) -> tuple[Service, Service]:
    """Two versions."""
    random = Random(seed)
    kinds = [random.choice(_KINDS) for _ in range(4)]
    seeds = [random.randrange(1 << 30) * 2 for _ in range(8)]
    changed = set(random.sample(range(8), 5))
    style = random.choice(("direct", "direct", "package", "star", "module", "renamed"))
    old = _write_service(kinds, seeds, style)
    new_seeds = [value + 1 if position in changed else value for position, value in enumerate(seeds)]
    return old, _write_service(kinds, new_seeds, style)


def _write_service(kinds: list[str], seeds: list[int], style: str) -> Service:
    library: list[str] = [HEAD]
    main: list[str] = ["import lib", *_write_imports(style)]
    exported: list[str] = []
    for number, kind in enumerate(kinds):
        lines, calls = _write_definition(kind, number, _open_random(seeds[number]))
        library += [*lines, ""]
        random = _open_random(seeds[number + 4])
        exported += [
            line.split("(")[0].split(":")[0].split()[1] for line in lines if line.startswith(("def ", "class "))
        ]
        exported += [line.split(" = ")[0] for line in lines if " = " in line and line[0] in "pg"]
        for position, call in enumerate(calls):
            main += _write_call(f"t_{number}_{position}", call, write_arguments(random))
    names = ", ".join(dict.fromkeys(exported)) or "functools"
    head = {"direct": f"from lib import {names}", "renamed": f"from lib import {names}"}
    head |= {"package": f"from pkg import {names}", "star": "from lib import *"}
    files = {
        "lib.py": "\n".join(library),
        "main.py": "\n".join([head.get(style, f"from lib import {names}"), *main, ""]),
    }
    return Service(
        files | {"pkg/__init__.py": f"from .inner import {names}\n", "pkg/inner.py": f"from lib import {names}\n"}
    )


def _open_random(seed: int) -> Random:
    return _Lenient(seed) if seed % 2 else Random(seed)


def _write_imports(style: str) -> list[str]:
    return ["import functools as renamed"] if style == "renamed" else []


def _write_call(name: str, call: str, arguments: str) -> list[str]:
    text = call.replace("({})", f"({arguments})").replace(", {})", f", {arguments})" if arguments else ")")
    if text.startswith("!"):
        return [text[1:]]
    lines = text.lstrip("+").split("\n")
    return [f"def {name}():", *(f"    {line}" for line in lines)]
