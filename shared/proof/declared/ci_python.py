"""Which Pythons a repository's CI runs, and whether anything there would compile the sources.

Returns the workflows, the versions that they name with path and line, and what could not be resolved. YAML is read as
nodes, so that `3.10` stays what it is and every value has its line.

Also the checks that CI runs: type checkers, linters, tests, imports, and commands inside a built image. Each has the
line of its CI file. What is only installed or commented out is no check.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import yaml

from shared.proof.declared.development_python import PythonFact, find_development_pythons, parse_version_file
from shared.proof.declared.dockerfile_python import parse_image_python
from shared.proof.declared.python_versions import parse_target_version

MAX_WORKFLOW_LENGTH = 200_000
_CI_PATH = re.compile(
    r"\.github/workflows/[^/]+\.ya?ml|\.circleci/config\.yml|\.gitlab-ci\.ya?ml|azure-pipelines\.ya?ml|\.travis\.ya?ml"
    r"|bitbucket-pipelines\.ya?ml|(?:.*/)?cloudbuild[\w.-]*\.ya?ml"
)
_VERSION_KEY = re.compile(r"(?:.*[-_])?python[-_]?versions?|pythonversion|python", re.IGNORECASE)
_VERSION = re.compile(r"(?<![\w.])(?:cp|py|python-?)?(3\.\d{1,2})(?:\.[\dx*]+)?(?:-dev|t)?(?![\w.])")
_EXPRESSION = re.compile(r"\$\{\{((?:[^}\n]|\}(?!\})){0,200}+)(?:\}\})?|\$\(([\w.]+)\)|\$\{?(\w+)\}?")
_REFERENCE = re.compile(r"(?:matrix|env|inputs|vars|variables)\.([\w-]+)")
_RUN_KEYS = {
    "run",
    "script",
    "before_script",
    "args",
    "commands",
    "command",
    "entrypoint",
    "uses",
    "bash",
    "pre-commit",
}
_PYTHON_CALLS = re.compile(
    r"(?:uv python install|--python[ =]|uvx? run -p|pyenv install|pyenv global)\s*[\"']?(3\.\d{1,2})"
    r"|\bpython(3\.\d{1,2})\b|\btox\b[^\n]{0,120}?-e[ \t]{0,8}py(3\d{1,2})\b|\bpython:(3\.\d{1,2})"
)
# Comments, and what is only installed.
_IGNORED_TEXT = re.compile(r"(?m)^[ \t]*+#.*$|\b(?:(?:pip3?|pipx|uv|uv tool)\s+install|poetry add)\b(?:\\\n|[^\n;&|])*")
_COMPILING_TOOLS = re.compile(
    r"(?<![\w/.-])(?:compileall|py_compile|ruff|flake8|mypy|pytest|py\.test|pylint|pyright|basedpyright|pyflakes|"
    r"unittest|tox|nox|pre-commit|black|provenfix)(?![\w.])|(?:pre-commit/action|ruff-action|psf/black)"
    r"|\bmake(?:[ \t]++[\w.=/:-]{1,40}+){0,8}?[ \t]++(?:tests?|check|lint)\b|\bmanage\.py\s+(?:test|check)\b"
)


@dataclass(frozen=True, slots=True)
class CiPythons:
    """What CI says. `unresolved`: some version is computed, or a workflow checks sources and names no Python."""

    workflows: tuple[str, ...]
    """Paths of all workflow files, readable or not."""
    versions: tuple[PythonFact, ...]
    has_unresolved: bool
    has_compiling_step: bool
    """A step compiles, imports, lints or tests Python sources."""
    compiling_steps: tuple[PythonFact, ...] = ()
    """Those steps, a line each; `version` is ""."""
    unreadable_files: tuple[PythonFact, ...] = ()


@dataclass(slots=True)
class _Workflow:
    """One file while it is read: scalars by key, in order."""

    path: str
    lines: list[str]
    versions: list[PythonFact] = field(default_factory=list)
    compiling_steps: list[PythonFact] = field(default_factory=list)
    has_unresolved: bool = False
    resolved_expressions: set[str] = field(default_factory=set)
    """Expressions whose values have been looked for."""

    def build_fact(self, version: str, node: yaml.Node, quoted: str) -> PythonFact:
        """`said` is found on its own line of a block that spans several."""
        rows = range(node.start_mark.line, min(node.end_mark.line + 1, len(self.lines)))
        line = next((row for row in rows if quoted in self.lines[row]), node.start_mark.line)
        text = self.lines[line].strip() if line < len(self.lines) else ""
        return PythonFact(version, self.path, line + 1, text[:200], "ci")


def is_ci_file(path: str) -> bool:
    """Whether this is a file that a CI service reads."""
    return bool(_CI_PATH.fullmatch(path))


def find_ci_pythons(files: Mapping[str, str]) -> CiPythons:
    """What all workflows among `files` say together."""
    paths = sorted(path for path in files if is_ci_file(path))
    read, unreadable = [], []
    for path in paths:
        try:
            read.append(_read_workflow(path, files))
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            unreadable.append(PythonFact("", path, 1, f"could not be read as YAML: {reason}", "unreadable"))
    return CiPythons(
        workflows=tuple(paths),
        versions=tuple(fact for workflow in read for fact in workflow.versions),
        has_unresolved=bool(unreadable) or any(workflow.has_unresolved for workflow in read),
        has_compiling_step=any(workflow.compiling_steps for workflow in read),
        compiling_steps=tuple(fact for workflow in read for fact in workflow.compiling_steps),
        unreadable_files=tuple(unreadable),
    )


def _read_workflow(path: str, files: Mapping[str, str]) -> _Workflow:
    text = files[path]
    if len(text) > MAX_WORKFLOW_LENGTH:
        raise ValueError(f"longer than {MAX_WORKFLOW_LENGTH} characters")
    workflow = _Workflow(path, text.splitlines())
    scalars = [scalar for root in yaml.compose_all(text, Loader=yaml.SafeLoader) for scalar in _walk_scalars(root)]
    values: _ScalarsByKey = {}
    for keys, node in scalars:
        values.setdefault(keys[-1] if keys else "", []).append(node)
    for keys, node in scalars:
        _read_scalar(workflow, keys, node, values, files)
    unique = {(fact.version, fact.line): fact for fact in workflow.versions}
    workflow.versions = sorted(unique.values(), key=lambda fact: fact.line)
    workflow.has_unresolved |= bool(workflow.compiling_steps) and not workflow.versions
    return workflow


_ScalarsByKey = dict[str, list[yaml.ScalarNode]]
"""All values by their key."""


def _walk_scalars(root: yaml.Node | None) -> Iterator[tuple[tuple[str, ...], yaml.ScalarNode]]:
    """Every value with the keys above it, in order; each node once, however often an alias names it."""
    waiting: list[tuple[tuple[str, ...], yaml.Node]] = [((), root)] if root is not None else []
    seen: set[int] = set()
    while waiting:
        keys, node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            yield keys, node
        elif isinstance(node, yaml.SequenceNode):
            waiting += [(keys, item) for item in reversed(node.value)]
        elif isinstance(node, yaml.MappingNode):
            pairs = [(str(key.value), value) for key, value in node.value if isinstance(key, yaml.ScalarNode)]
            waiting += [((*keys, key), value) for key, value in reversed(pairs)]


def _read_scalar(
    workflow: _Workflow, keys: tuple[str, ...], node: yaml.ScalarNode, values: _ScalarsByKey, files: Mapping[str, str]
) -> None:
    key = keys[-1] if keys else ""
    if key == "python-version-file":
        _read_version_file(workflow, node, files)
    elif _VERSION_KEY.fullmatch(key):
        _read_version_value(workflow, node, values)
    elif key in {"image", "container", "name"} and parse_image_python(node.value):
        workflow.versions.append(workflow.build_fact(parse_image_python(node.value) or "", node, node.value))
    elif _RUN_KEYS.intersection(keys):
        script = _IGNORED_TEXT.sub("", node.value)
        called = {
            parse_target_version(next(group for group in match.groups() if group)): match
            for match in _PYTHON_CALLS.finditer(node.value)
        }
        workflow.versions += [
            workflow.build_fact(version, node, match[0]) for version, match in called.items() if version
        ]
        workflow.compiling_steps += [
            workflow.build_fact("", node, match[0]) for match in _COMPILING_TOOLS.finditer(script)
        ][:1]


def _read_version_value(workflow: _Workflow, node: yaml.ScalarNode, values: _ScalarsByKey) -> None:
    workflow.versions += _find_versions(workflow, node, _EXPRESSION.sub("", node.value))
    for match in _EXPRESSION.finditer(node.value):
        expression = next((part for part in match.groups() if part), "").strip()
        if expression not in workflow.resolved_expressions:
            names = set(_REFERENCE.findall(expression)) or {expression}
            named = [value for name in names for value in values.get(name, ()) if value is not node]
            facts = [fact for value in named for fact in _find_versions(workflow, value, value.value)]
            workflow.resolved_expressions.add(expression)
            workflow.versions += facts
            workflow.has_unresolved |= not facts


def _find_versions(workflow: _Workflow, node: yaml.ScalarNode, text: str) -> list[PythonFact]:
    """A fact for each version in a text: one is enough, however often it is there."""
    return [workflow.build_fact(version, node, version) for version in dict.fromkeys(_VERSION.findall(text))]


def _read_version_file(workflow: _Workflow, node: yaml.ScalarNode, files: Mapping[str, str]) -> None:
    named = node.value.removeprefix("./")
    versions = list(parse_version_file(named, files.get(named, ""))) or [
        fact for fact in find_development_pythons({named: files.get(named, "")}) if fact.kind == "requires-python"
    ]
    workflow.versions += versions[:1]
    workflow.has_unresolved |= not versions


_MAX_LINES = 4_000
_MAX_WIDTH = 1_000


class CheckKind(StrEnum):
    """What a step does with the code."""

    TYPES = "types"
    NAMES = "names"
    """A linter that can report undefined names."""
    TESTS = "tests"
    START = "start"
    """It imports or starts the program."""
    IMAGE = "image"
    """It runs something inside a built image."""
    BASELINE = "baseline"
    """`provenfix check --baseline`."""


@dataclass(frozen=True, slots=True)
class CiCheck:
    """One step. `line`: from 1; `text`: the line as written, stripped."""

    kind: CheckKind
    path: str
    line: int
    text: str


_INSTALLED = re.compile(r"\b(?:pip3?|pipx|uv|uv tool)\s+install\b[^\n;&|]*|\bpoetry add\b[^\n;&|]*")
_PATTERNS: Mapping[CheckKind, re.Pattern[str]] = {
    CheckKind.TYPES: re.compile(r"(?<![\w/.-])(?:mypy|pyright|basedpyright|pyrefly|pytype|ty\s+check)(?![\w.])"),
    CheckKind.NAMES: re.compile(r"(?<![\w/.-])(?:ruff\s+check|ruff-action|flake8|pylint|pyflakes)(?![\w.])"),
    CheckKind.TESTS: re.compile(r"(?<![\w/.-])(?:pytest|py\.test|unittest|tox|nox)(?![\w.])|manage\.py\s+test\b"),
    CheckKind.START: re.compile(
        r"python[\d.]*\s+-c\s+[\"'](?:import|from)\s|python[\d.]*\s+-X\s+importtime|manage\.py\s+check\b"
    ),
    CheckKind.IMAGE: re.compile(
        r"\b(?:docker|podman)\s+(?:compose\s+)?(?:run|exec)\b|\bdocker-compose\s+(?:run|exec)\b"
    ),
    CheckKind.BASELINE: re.compile(r"provenfix\s+check\s[^\n]*--baseline"),
}


def find_ci_checks(files: Mapping[str, str]) -> tuple[CiCheck, ...]:
    """The checks of all CI files, in the order of files and lines; `files`: texts by path."""
    return tuple(check for path in files if is_ci_file(path) for check in _read_file(path, files[path]))


def _read_file(path: str, text: str) -> Iterator[CiCheck]:
    for number, line in enumerate(text.splitlines()[:_MAX_LINES], 1):
        bare = line[:_MAX_WIDTH].strip()
        if bare.startswith("#"):
            continue
        run = _INSTALLED.sub("", bare)
        for kind, pattern in _PATTERNS.items():
            if pattern.search(run):
                yield CiCheck(kind, path, number, bare)
