"""One history in which a service fails once in each family: a path and a number of commits in, the failures out.

A service of some hundred modules is edited by every commit. For each family one commit breaks the start file's helper
or what it asks for, another one claims to have fixed it, and a third fixes it. Some of the last commits newly fail
elsewhere, so that their targets are refused.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from functions.demo.fast_import import CommitSpec, write_repository

MODULES = 120
START = datetime(2026, 3, 2, tzinfo=UTC)
CLAIMED_AFTER, FIXED_AFTER = 3, 6
"""Commits after the break."""

_FIRST, _STEP = 0.4, 0.05
"""Where the first family breaks, and how far the next one is, as parts of the history."""

_DESK = "harbor/desk.py"
_IMPORTS = "".join(f"from harbor import part_{number}\n" for number in range(MODULES))
_MAIN = f"from harbor import desk\n{_IMPORTS}\napp = desk\n"
_DOCKERFILE = "FROM python:3.11-slim\nWORKDIR /srv\nCOPY . .\nCMD uvicorn harbor.main:app\n"


@dataclass(frozen=True, slots=True)
class Broken:
    """What the helper is like: each failure is one of these words changed, and its fix is another one."""

    names: str = 'NAMES = ("north", "south")\n'
    tide: str = "read_tide"
    asked_tide: str = "read_tide"
    moor: str = "moor"
    asked_moor: str = "moor"
    parameters: str = "name"
    arguments: str = '"south"'
    end: str = "app = 1\n"
    ignored: str = "*.md\n"

    def render_files(self) -> dict[str, str | bytes | None]:
        """The files that say so."""
        desk = (
            f"import harbor.charts\nfrom harbor.piers import Pier, assign\n"
            f"from harbor.tides import {self.asked_tide}\n\n"
            f'{self.names}NORTH = Pier("north")\nMOORED = NORTH.{self.asked_moor}()\nSOUTH = assign({self.arguments})\n'
            f"LENGTH = len(NAMES)\n{self.end}"
        )
        piers = (
            "class Pier:\n    def __init__(self, name):\n        self.name = name\n\n"
            f"    def {self.moor}(self):\n        return self.name\n\n\n"
            f"def assign({self.parameters}):\n    return Pier(name)\n"
        )
        return {
            _DESK: desk,
            "harbor/piers.py": piers,
            "harbor/tides.py": self.render_tides(),
            ".dockerignore": self.ignored,
        }

    def render_tides(self) -> str:
        return f"def {self.tide}():\n    return 1\n"


@dataclass(frozen=True, slots=True)
class Family:
    """`broken` and `fixed`: the words that the breaking and the fixing commit change. `source`: the failing line."""

    broken: Mapping[str, str]
    fixed: Mapping[str, str]
    source: str
    error: str


FAMILIES: Mapping[str, Family] = {
    "syntax": Family({"end": "app = = 1\n"}, {"end": "app = 1\n"}, "app = = 1", "SyntaxError: invalid syntax"),
    "import": Family(
        {"tide": "measure_tide"},
        {"asked_tide": "measure_tide"},
        "from harbor.tides import read_tide",
        "ImportError: cannot import name 'read_tide' from 'harbor.tides' (/srv/harbor/tides.py)",
    ),
    "name": Family(
        {"names": ""},
        {"names": 'NAMES = ("north",)\n'},
        "LENGTH = len(NAMES)",
        "NameError: name 'NAMES' is not defined",
    ),
    "attribute": Family(
        {"moor": "fasten"},
        {"asked_moor": "fasten"},
        "MOORED = NORTH.moor()",
        "AttributeError: 'Pier' object has no attribute 'moor'",
    ),
    "call": Family(
        {"parameters": "name, size"},
        {"arguments": '"south", 7'},
        'SOUTH = assign("south")',
        "TypeError: assign() missing 1 required positional argument: 'size'",
    ),
    "image": Family(
        {"ignored": "*.md\nharbor/charts/\n"},
        {"ignored": "*.md\n"},
        "import harbor.charts",
        "ModuleNotFoundError: No module named 'harbor.charts'",
    ),
}


@dataclass(slots=True)
class FamilyHistory:
    """The repository, the ids of its commits in their order, and at which one each family breaks."""

    path: Path
    ids: Sequence[str]
    breaks: Mapping[str, int]
    lines: dict[str, int] = field(default_factory=dict)
    """Of each failing line in the helper."""

    def get_deployed(self, family: str) -> str:
        return self.ids[self.breaks[family]]

    def get_fix(self, family: str) -> str:
        return self.ids[self.breaks[family] + FIXED_AFTER]

    def render_log(self, family: str) -> str:
        """One log entry: a start that failed."""
        told, line = FAMILIES[family], self.lines[family]
        outer = (
            '  File "/usr/local/lib/python3.11/site-packages/uvicorn/config.py", line 437, in load\n'
            "    import_from_string(self.app)\n"
            '  File "/srv/harbor/main.py", line 1, in <module>\n    from harbor import desk\n'
        )
        where = "" if family == "syntax" else ", in <module>"
        frame = f'  File "/srv/{_DESK}", line {line}{where}\n    {told.source}\n'
        entry = {
            "insertId": family,
            "severity": "ERROR",
            "timestamp": (START + timedelta(minutes=self.breaks[family], seconds=30)).isoformat(),
            "resource": {
                "type": "cloud_run_revision",
                "labels": {"service_name": "harbor", "revision_name": f"harbor-{family}"},
            },
            "textPayload": f"Traceback (most recent call last):\n{outer}{frame}{told.error}",
        }
        return json.dumps([entry])


def write_family_history(path: Path, commits: int) -> FamilyHistory:
    """The repository; the same numbers give the same ids."""
    breaks = {family: int(commits * (_FIRST + _STEP * at)) for at, family in enumerate(FAMILIES)}
    lines: dict[str, int] = {}
    ids = write_repository(path, list(_plan(commits, breaks, lines)))
    return FamilyHistory(path, ids, breaks, lines)


def _plan(commits: int, breaks: Mapping[str, int], lines: dict[str, int]) -> Iterator[CommitSpec]:
    starting = {number: family for family, number in breaks.items()}
    words: dict[str, str] = {}
    for number in range(commits):
        part = f"harbor/part_{number % MODULES}.py"
        subject = f"Change {part}"
        files: dict[str, str | bytes | None] = {part: _render_part(number)}
        breaking, fixing = starting.get(number), starting.get(number - FIXED_AFTER)
        if number == 0:
            files = _render_start()
        elif breaking is not None or fixing is not None:
            words |= FAMILIES[breaking].broken if breaking else FAMILIES[fixing or ""].fixed
            files |= Broken(**words).render_files()
            subject = "Rename and regroup" if breaking else "Follow the harbour's list"
        elif starting.get(number - CLAIMED_AFTER) is not None:
            files["harbor/tides.py"] = f"# Read the rules of the harbour.\n{Broken(**words).render_tides()}"
            subject = "fix: the start of the harbour"
        elif number > commits * 0.9 and number % 7 == 0:
            files[part] = f"from harbor.tides import gone_{number}\n{_render_part(number)}"
        if breaking is not None:
            lines[breaking] = _find_line(files[_DESK], FAMILIES[breaking].source)
        yield CommitSpec(subject, START + timedelta(minutes=number), "Robin Vale", files)


def _find_line(text: str | bytes | None, source: str) -> int:
    assert isinstance(text, str)
    return text.splitlines().index(source) + 1


def _render_start() -> dict[str, str | bytes | None]:
    parts: dict[str, str | bytes | None] = {f"harbor/part_{other}.py": _render_part(other) for other in range(MODULES)}
    charts: dict[str, str | bytes | None] = {"harbor/charts/__init__.py": "DEPTHS = {}\n"}
    return {"Dockerfile": _DOCKERFILE, "harbor/main.py": _MAIN, **Broken().render_files(), **charts, **parts}


def _render_part(number: int) -> str:
    methods = "".join(
        f"    def step_{at}(self, size={number}):\n        return self.name, size\n\n" for at in range(12)
    )
    return f"LIMIT = {number}\n\n\nclass Berth:\n    def __init__(self, name):\n        self.name = name\n\n{methods}"
