"""Where an installed project of the repository keeps its modules, and which console scripts it has.

Returns import roots, and console scripts with their modules, from the files of an image and its install commands.
"""

import configparser
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from shared.proof.loading.dockerfile_stages import split_words
from shared.proof.loading.start_command import FileLookup
from shared.text.toml import parse_toml

_FOLDER = re.compile(r"(?:\.{1,2}(?:/.*)?|/.*|[\w.-]+/.*)")
_PATH = re.compile(
    r"^[ \t]*+(?:(?:-e[ \t]++|--editable[ =])(?!git\+|https?:)(?:file:(?://)?)?"
    r"|(?:[\w.\[\],-]{1,100}+[ \t]{0,9}+@[ \t]{0,9}+)?file:(?://)?|(?=\.))([^\s;#\[]++)",
    re.MULTILINE,
)
_REFERENCE = re.compile(r"[\w.\[\],-]{1,100}+\s{0,9}+@\s{0,9}+file:(?://)?([^\s;#]++)")
_CONSOLE_SCRIPT = re.compile(r"[\"']([\w.-]{1,80}+)\s{0,20}+=\s{0,20}+([\w.]{1,200}+:[\w.]{1,80}+)[\"']")
MAX_PROJECTS = 40


@dataclass(slots=True)
class InstalledProjects:
    """`roots` are image folders; `scripts` maps a console script to its module."""

    roots: list[str] = field(default_factory=list)
    scripts: dict[str, str] = field(default_factory=dict)


def find_installed_projects(files: FileLookup, folder: str, installs: Sequence[tuple[str, str]]) -> InstalledProjects:
    """The projects that the commands ((working directory, command)) install, and the one in `folder`."""
    projects = InstalledProjects()
    queue = [folder for workdir, command in installs for folder in _find_installed_folders(files, workdir, command)] + [
        folder
    ]
    seen: set[str] = set()
    while queue and len(seen) < MAX_PROJECTS:
        project = queue.pop(0)
        if project not in seen:
            seen.add(project)
            queue += _read_project(files, project, projects)
    return projects


def _find_installed_folders(files: FileLookup, workdir: str, command: str) -> Iterator[str]:
    """The folders that a command installs: what `pip install` is given, what its requirements name, else its own."""
    words = split_words(command)
    if not re.search(r"\bpip3?\b|\bpipx\b", command):
        yield workdir
    for index, word in enumerate(words):
        if word in {"-r", "--requirement"} and index + 1 < len(words):
            path = posixpath.join(workdir, words[index + 1])
            for match in _PATH.finditer(files.read_text(path)):
                yield posixpath.normpath(posixpath.join(posixpath.dirname(path), match[1]))
        elif _FOLDER.fullmatch(bare := word.partition("[")[0]) and not word.endswith((".txt", ".whl", ".gz")):
            yield posixpath.normpath(posixpath.join(workdir, bare))


def _read_project(files: FileLookup, folder: str, projects: InstalledProjects) -> list[str]:
    """Add a project's roots and scripts; the other projects of the repository that it depends on."""
    project = _parse_toml(files.read_text(posixpath.join(folder, "pyproject.toml")))
    setup = _parse_ini(files.read_text(posixpath.join(folder, "setup.cfg")))
    inside = ["src", *_find_named_roots(project), *_find_setup_roots(setup), "."]
    for below in dict.fromkeys(inside):
        root = posixpath.normpath(posixpath.join(folder, below))
        if root not in projects.roots:
            projects.roots.append(root)
    called = dict(_CONSOLE_SCRIPT.findall(files.read_text(posixpath.join(folder, "setup.py"))))
    for name, value in {**_find_scripts(project), **_find_setup_scripts(setup), **called}.items():
        projects.scripts.setdefault(name, value.partition(":")[0].strip())
    return [
        posixpath.normpath(posixpath.join(folder, path)) for path in _find_dependency_folders(files, folder, project)
    ]


def _parse_toml(text: str) -> Mapping[str, object]:
    try:
        return parse_toml(text)
    except ValueError:
        return {}


def _parse_ini(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return configparser.ConfigParser(interpolation=None)
    return parser


def _get_nested(table: object, *names: str) -> object:
    for name in names:
        table = table.get(name) if isinstance(table, dict) else None
    return table


def _collect_texts(value: object) -> list[str]:
    """The texts in a value of a table, however deep: a text, a list, or a table of these."""
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [item for item in items if isinstance(item, str)]


def _find_named_roots(project: Mapping[str, object]) -> Iterator[str]:
    yield from _collect_texts(_get_nested(project, "tool", "setuptools", "packages", "find", "where"))
    yield from _collect_texts(_get_nested(project, "tool", "setuptools", "package-dir"))
    packages = _get_nested(project, "tool", "poetry", "packages")
    for package in packages if isinstance(packages, list) else ():
        yield from _collect_texts(_get_nested(package, "from"))
    for path in _collect_texts(_get_nested(project, "tool", "hatch", "build", "targets", "wheel", "packages")):
        yield posixpath.dirname(path) or "."
    yield from _collect_texts(_get_nested(project, "tool", "uv", "build-backend", "module-root"))


def _find_setup_roots(setup: configparser.ConfigParser) -> Iterator[str]:
    for line in setup.get("options", "package_dir", fallback="").splitlines():
        if "=" in line:
            yield line.partition("=")[2].strip() or "."
    where = setup.get("options.packages.find", "where", fallback="").strip()
    if where:
        yield where


def _find_scripts(project: Mapping[str, object]) -> dict[str, str]:
    scripts: dict[str, str] = {}
    for names in (("project", "scripts"), ("tool", "poetry", "scripts")):
        table = _get_nested(project, *names)
        scripts |= {str(k): v for k, v in table.items() if isinstance(v, str)} if isinstance(table, dict) else {}
    return scripts


def _find_setup_scripts(setup: configparser.ConfigParser) -> dict[str, str]:
    lines = setup.get("options.entry_points", "console_scripts", fallback="").splitlines()
    pairs = (line.partition("=") for line in lines)
    return {name.strip(): value.strip() for name, equals, value in pairs if equals}


def _find_dependency_folders(files: FileLookup, folder: str, project: Mapping[str, object]) -> list[str]:
    """The folders of dependencies in the same repository: `path = "…"`, `x @ file:…`, a workspace's members."""
    folders: list[str] = []
    groups = _get_nested(project, "tool", "poetry", "group")
    keys: list[tuple[str, ...]] = [("tool", "uv", "sources"), ("tool", "poetry", "dependencies")]
    if isinstance(groups, dict):
        keys += [("tool", "poetry", "group", str(name), "dependencies") for name in groups]
    for key in keys:
        table = _get_nested(project, *key)
        for value in table.values() if isinstance(table, dict) else ():
            folders += _collect_texts([_get_nested(value, "path")])
    dependencies = _collect_texts(_get_nested(project, "project", "dependencies"))
    folders += [match[1] for text in dependencies if (match := _REFERENCE.match(text))]
    for member in _collect_texts(_get_nested(project, "tool", "uv", "workspace", "members")):
        above, _, name = member.rstrip("/").rpartition("/")
        inside = (
            sorted(files.list_entries(posixpath.normpath(posixpath.join(folder, above)))) if "*" in name else [name]
        )
        folders += [posixpath.join(above, entry) for entry in inside if fnmatchcase(entry, name)]
    return folders[:MAX_PROJECTS]
