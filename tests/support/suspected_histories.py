"""Generates histories of a small service in which one commit brings in a failure; the failure is then really raised.

A seed goes in; a repository, the traceback of its deployed commit, and the commits that a search should suspect come
out. Around the change there is noise: other edits, reformatting, moves, renames, merges.
"""

import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from functions.demo.fast_import import CommitSpec, write_repository
from shared.detection.logged_exception import LoggedException, parse_exceptions

START = datetime(2026, 2, 2, 8, tzinfo=UTC)
DEPTH = 4
"""How many functions call one another."""
MODULES = ("app/plan.py", "app/store.py", "app/rules.py")
MAIN = "app/main.py"
ORDER = {"label": "x", "weight": 2, "berth": None, "tags": {"a": 1}, "price": 3, "size": 4}
_RUN = "import sys; sys.path.insert(0, sys.argv[1]); from app import main; main.handle({order!r})"


@dataclass(frozen=True, slots=True)
class SuspectedHistory:
    """The repository, what was logged, and the truth."""

    path: Path
    exception: LoggedException
    logged_at: datetime
    deployed: str
    introduced: str
    fix: str
    """"" where nobody has written one yet."""
    kind: str
    """How the failure was brought in."""


@dataclass(slots=True)
class _Function:
    name: str
    lines: list[str]
    module: str

    def render(self, *, wrapped: bool) -> str:
        body = "".join(f"    {line}\n" for line in (map(_wrap, self.lines) if wrapped else self.lines))
        comment = f"    # What is done with {self.name}.\n" if wrapped else ""
        return f"def {self.name}(order):\n{comment}{body}"


def _wrap(line: str) -> str:
    """The same statement as a formatter would have it."""
    text = line.replace('"', "'")
    if " = " in text and text.endswith(")") and "(" in text and not text.startswith(" "):
        head, _, rest = text.partition("(")
        return f"{head}(\n        {rest[:-1]}\n    )"
    return text


@dataclass(slots=True)
class _Service:
    """The tree, as functions in modules; `wrapped` are the modules that a formatter has been over."""

    chance: random.Random
    functions: list[_Function] = field(default_factory=list)
    wrapped: set[str] = field(default_factory=set)
    renamed: dict[str, str] = field(default_factory=dict)
    counter: int = 0

    def build(self) -> None:
        for number in range(DEPTH):
            module = MODULES[number % len(MODULES)]
            following = f"{_module_name(MODULES[(number + 1) % len(MODULES)])}.stage_{number + 1}(order)"
            last = "{}" if number == DEPTH - 1 else following
            self.functions.append(_Function(f"pick_{number}", ['return order["price"]'], module))
            self.functions.append(_Function(f"stage_{number}", _stage_lines(number, last), module))
        for number in range(9):
            lines = [f'value_{number} = order["weight"] + {number}', f"return value_{number}"]
            self.functions.append(_Function(f"other_{number}", lines, MODULES[number % len(MODULES)]))

    def render(self) -> dict[str, str]:
        files = {"app/__init__.py": "", MAIN: self._render_main()}
        for module in MODULES:
            path = self.renamed.get(module, module)
            parts = [entry.render(wrapped=module in self.wrapped) for entry in self.functions if entry.module == module]
            imports = "".join(
                f"from app import {_module_name(self.renamed.get(other, other))} as {_module_name(other)}\n"
                for other in MODULES
                if other != module
            )
            files[path] = imports + "\n\n" + "\n\n".join(parts)
        return files

    def _render_main(self) -> str:
        plan = self.renamed.get(MODULES[0], MODULES[0])
        return f"from app import {_module_name(plan)} as plan\n\n\ndef handle(order):\n    return plan.stage_0(order)\n"

    def find(self, name: str) -> _Function:
        return next(entry for entry in self.functions if entry.name == name)


def _module_name(path: str) -> str:
    return path.removeprefix("app/").removesuffix(".py")


def _stage_lines(number: int, last: str) -> list[str]:
    return [
        f'label_{number} = order["label"].strip()',
        f'tags_{number} = list(order["tags"])',
        f'berth_{number} = order["berth"]',
        f"if berth_{number} is None:",
        f'    berth_{number} = "none"',
        f"name_{number} = berth_{number}.upper()",
        f"count_{number} = len(tags_{number})",
        f"price_{number} = pick_{number}(order)",
        f'total_{number} = price_{number} * order["size"] + 1',
        f"result_{number} = {last}",
        f"return dict(result_{number}, label_{number}=label_{number}, total_{number}=total_{number})",
    ]


def _break_line(service: _Service, number: int) -> None:
    lines = service.find(f"stage_{number}").lines
    _replace(lines, 'order["label"].strip()', 'order["labels"].strip()')


def _drop_guard(service: _Service, number: int) -> None:
    lines = service.find(f"stage_{number}").lines
    at = lines.index(f"if berth_{number} is None:")
    del lines[at : at + 2]


def _break_earlier(service: _Service, number: int) -> None:
    _replace(service.find(f"stage_{number}").lines, 'list(order["tags"])', 'order["tags"].get("all")')


def _break_caller(service: _Service, number: int) -> None:
    lines = service.find(f"stage_{max(number, 1) - 1}").lines
    _replace(lines, f"stage_{max(number, 1)}(order)", f'stage_{max(number, 1)}(dict(order, size="four"))')


def _break_called(service: _Service, number: int) -> None:
    _replace(service.find(f"pick_{number}").lines, 'order["price"]', 'order.get("cost")')


BREAKS = {
    "failing line": _break_line,
    "guard dropped": _drop_guard,
    "earlier line": _break_earlier,
    "caller": _break_caller,
    "called function": _break_called,
}


def _replace(lines: list[str], old: str, new: str) -> None:
    at = next(number for number, line in enumerate(lines) if old in line)
    lines[at] = lines[at].replace(old, new)


def _add_noise(service: _Service) -> str:
    """One commit that changes nothing of what fails."""
    chance = service.chance
    service.counter += 1
    action = chance.choice(("edit", "edit", "edit", "stage", "stage", "format", "move", "order", "rename"))
    if action == "edit":
        function = chance.choice([entry for entry in service.functions if entry.name.startswith("other")])
        function.lines.insert(0, f'extra_{service.counter} = order["weight"] * {service.counter}')
    elif action == "stage":
        function = chance.choice([entry for entry in service.functions if entry.name.startswith("stage")])
        function.lines.insert(-1, f'extra_{service.counter} = order["weight"] * {service.counter}')
    elif action == "format":
        service.wrapped ^= {chance.choice(MODULES)}
    elif action == "move":
        function = chance.choice([entry for entry in service.functions if entry.name.startswith("other")])
        function.module = chance.choice(MODULES)
    elif action == "order":
        chance.shuffle(service.functions)
    else:
        module = chance.choice(MODULES)
        service.renamed[module] = module.replace(".py", f"_{service.counter}.py")
    return action


@dataclass(slots=True)
class _Writer:
    chance: random.Random
    specs: list[CommitSpec] = field(default_factory=list)
    tree: dict[str, str] = field(default_factory=dict)
    moment: datetime = START

    def commit(self, subject: str, tree: dict[str, str], hours: float) -> int:
        """Sometimes on a side branch that is merged at once."""
        self.moment += timedelta(hours=hours)
        files: dict[str, str | bytes | None] = {
            path: text for path, text in tree.items() if self.tree.get(path) != text
        }
        files |= dict.fromkeys(path for path in self.tree if path not in tree)
        parent = len(self.specs) - 1
        parents = (parent,) if self.specs else ()
        self.specs.append(CommitSpec(subject, self.moment, "Robin Vale", files, parents))
        made, self.tree = len(self.specs) - 1, dict(tree)
        if self.chance.random() < 0.25 and parents:
            merge = CommitSpec(f"Merge {made}", self.moment + timedelta(minutes=5), "Ada Okafor", files, (parent, made))
            self.specs.append(merge)
        return made


def generate_suspected_history(folder: Path, seed: int, *, before: int = 25) -> SuspectedHistory:
    """Writes the repository to `folder`, and runs the deployed commit in a folder beside it."""
    chance = random.Random(seed)
    service, writer = _Service(chance), _Writer(chance)
    service.build()
    writer.commit("Begin", service.render(), 0)
    for _ in range(before):
        writer.commit(_add_noise(service), service.render(), chance.uniform(2, 60))
    kind, number = chance.choice(sorted(BREAKS)), chance.randrange(DEPTH)
    sound = {entry.name: list(entry.lines) for entry in service.functions}
    BREAKS[kind](service, number)
    introduced = writer.commit("Change how orders are read", service.render(), chance.uniform(2, 60))
    broken = [entry.name for entry in service.functions if entry.lines != sound[entry.name]]
    for _ in range(chance.randrange(4)):
        writer.commit(_add_noise(service), service.render(), chance.uniform(1, 20))
    deployed = len(writer.specs) - 1
    exception = _raise_exception(folder / "tree", writer.tree)
    logged_at = writer.moment + timedelta(hours=chance.uniform(0.5, 8))
    writer.moment = logged_at
    after = chance.randrange(7)
    fixed_after = chance.randrange(after) if after and chance.random() < 0.5 else None
    fix = None
    for step in range(after):
        if step == fixed_after:
            for name in broken:
                _restore(service.find(name), sound[name])
            fix = writer.commit("Read orders as before", service.render(), chance.uniform(0.2, 5))
        writer.commit(_add_noise(service), service.render(), chance.uniform(1, 20))
    ids = write_repository(folder / "repository.git", writer.specs)
    return SuspectedHistory(
        folder / "repository.git",
        exception,
        logged_at,
        ids[deployed],
        ids[introduced],
        ids[fix] if fix is not None else "",
        kind,
    )


def _restore(function: _Function, sound: Sequence[str]) -> None:
    """What was added since stays."""
    since = [line for line in function.lines if line.startswith("extra") and line not in sound]
    function.lines = [*sound[:-1], *since, sound[-1]]


def _raise_exception(folder: Path, tree: dict[str, str]) -> LoggedException:
    for path, text in tree.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    command = [sys.executable, "-S", "-B", "-c", _RUN.format(order=ORDER), str(folder)]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    return parse_exceptions(told.replace(str(folder), "/srv"))[-1]
