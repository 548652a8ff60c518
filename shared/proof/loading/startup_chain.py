"""Whether a file runs whenever the service starts: whether a chain of unconditional imports leads to it.

It reads the files between the start command and the file in question, each once.

Its links are the import statements of a file that run whenever the file is loaded, each with its line. They are found
in the text, as `imports` finds them, so that the Python that the file is written for does not matter.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from shared.proof.loading.commit_tree import MAX_BYTES
from shared.proof.loading.import_follower import ImportFollower
from shared.proof.loading.imports import Import, Imports, find_statements
from shared.proof.loading.source_text import Literal, split_source

_MARK = re.compile(r"[()\[\]{}\n]|\\\n")
_FIRST_WORD = re.compile(r"[ \t\f]*+(?:async[ \t]++)?+(\w*+)")
_WORD = re.compile(r"[^\W\d]\w*+")
_IMPORT_ERRORS = frozenset(("ImportError", "ModuleNotFoundError", "Exception", "BaseException"))
_OTHER_ERRORS = frozenset(
    [
        "AttributeError",
        "KeyError",
        "IndexError",
        "LookupError",
        "ValueError",
        "TypeError",
        "NameError",
        "OSError",
        "IOError",
        "RuntimeError",
        "UnicodeError",
        "SyntaxError",
        "AssertionError",
        "NotImplementedError",
        "StopIteration",
        "KeyboardInterrupt",
        "SystemExit",
    ]
)
_BRANCHES = frozenset(("if", "elif", "else", "for", "while", "match", "case", "def", "except", "with"))
_TAB_WIDTH = 8


@dataclass(frozen=True, slots=True)
class ImportStatement:
    """`always_runs`: nothing is seen that keeps it from running, or its failure from ending the program."""

    imported: Import
    line: int
    always_runs: bool


@dataclass(slots=True)
class _Block:
    """What a header begins. `is_guarded`: its author expects an import that fails."""

    indent: int
    is_optional: bool = False
    is_guarded: bool = False


@dataclass(slots=True)
class _BlockStack:
    """The blocks around the line that was read last, and each `try` whose clauses may follow, by its indent."""

    blocks: list[_Block] = field(default_factory=list)
    tries: dict[int, _Block] = field(default_factory=dict)

    def enter(self, line: str) -> tuple[_Block, ...]:
        """The blocks around a logical line, with the one that its own header begins."""
        indent = _measure_indent(line)
        while self.blocks and self.blocks[-1].indent >= indent:
            self.blocks.pop()
        self.tries = {position: block for position, block in self.tries.items() if position <= indent}
        match = _FIRST_WORD.match(line)
        block = self._begin_block(indent, match[1] if match else "", line)
        self.blocks += [block] if block else []
        return tuple(self.blocks)

    def _begin_block(self, indent: int, word: str, line: str) -> _Block | None:
        is_clause = word in {"except", "else", "finally"}
        attempt = self.tries.get(indent) if is_clause else self.tries.pop(indent, None)
        header, colon, _ = line.partition(":")
        if not colon:
            return None
        if word == "try":
            self.tries[indent] = _Block(indent)
            return self.tries[indent]
        if word == "except" and attempt:
            _add_handler(attempt, header)
        if word == "with":
            is_guarded = "suppress" in header and _names_import_error(header)
            return _Block(indent, "catch_warnings" not in header, is_guarded)
        if word in {"class", "finally"} or (word == "else" and attempt):
            return _Block(indent)
        return _Block(indent, is_optional=True) if word in _BRANCHES else None


def parse_statements(source: bytes) -> tuple[ImportStatement, ...]:
    """The imports of a file, less those that a handler, a `suppress` or an `if TYPE_CHECKING` is written for."""
    text = split_source(source)
    code = text.code.replace("\r\n", " \n").replace("\r", "\n")
    line_ends = [match.start() for match in re.finditer("\n", code)]
    lines = list(_read_blocks(_join_strings(code, text.strings)))  # all: a handler comes after what it guards
    logical_ends = [end for end, _ in lines]
    statements = []
    for position, imported in find_statements(text):
        index = bisect_right(logical_ends, position)
        blocks = lines[index][1] if index < len(lines) else ()
        if not any(block.is_guarded for block in blocks):
            always_runs = not any(block.is_optional for block in blocks)
            statements.append(ImportStatement(imported, bisect_left(line_ends, position) + 1, always_runs))
    return tuple(statements)


def _read_blocks(code: str) -> Iterator[tuple[int, tuple[_Block, ...]]]:
    """Where each logical line ends, and the blocks around it."""
    stack, start = _BlockStack(), 0
    for end in _find_logical_ends(code):
        line = code[start:end]
        yield end, stack.enter(line) if line.strip() else ()
        start = end


def _find_logical_ends(code: str) -> Iterator[int]:
    depth = 0
    for match in _MARK.finditer(code):
        if match[0] in "([{":
            depth += 1
        elif match[0] in ")]}":
            depth = max(0, depth - 1)
        elif match[0] == "\n" and depth == 0:
            yield match.end()
    yield len(code)


def _join_strings(code: str, strings: Sequence[Literal]) -> str:
    """The code with the line ends in its strings as blanks: a string does not end a line."""
    pieces: list[str] = []
    position = 0
    for literal in strings:
        body = code[literal.start : literal.end]
        if "\n" in body:
            pieces += [code[position : literal.start], body.replace("\n", " ")]
            position = literal.end
    return "".join([*pieces, code[position:]])


def _measure_indent(line: str) -> int:
    blank = line[: len(line) - len(line.lstrip(" \t\f"))].rpartition("\f")[2]
    return len(blank.expandtabs(_TAB_WIDTH))


def _add_handler(attempt: _Block, header: str) -> None:
    """Notes what a handler catches; a name that is not known may be that of a failing import's error."""
    names = set(_WORD.findall(header.partition(" as ")[0])) - {"except"}
    attempt.is_guarded |= not names or _names_import_error(header)
    attempt.is_optional |= not names <= _OTHER_ERRORS


def _names_import_error(header: str) -> bool:
    return not _IMPORT_ERRORS.isdisjoint(_WORD.findall(header))


_MAX_FILES_READ = 500
_HOOK = re.compile(r"(?<!\w)(?:sys\.(?:modules|meta_path|path_hooks)|__path__|extend_path|MetaPathFinder)(?!\w)")
_ANY_NAME = re.compile(r"(?<!\w)(?:__getattr__|globals\s{0,9}+\(|import\s{0,9}+\*)")

_NAME = re.compile(r"[^\W\d]\w{0,200}+")
_BOUND_NAME = re.compile(
    r"(?<!\w)(?:def|class|as)\s{1,9}+([^\W\d]\w{0,200}+)"
    r"|(?<!\w)([^\W\d]\w{0,200}+)\s{0,9}+(?::[^=\n]{0,80}+)?=(?!=)"
)


class StartupChain:
    """Answers for the image paths of loaded files."""

    def __init__(
        self,
        follower: ImportFollower,
        get_imports: Callable[[str], Imports],
        read: Callable[[str], bytes | None],
        running_paths: Iterable[str] = (),
        *,
        all_run: bool = False,
    ) -> None:
        self._follower = follower
        self._get_imports = get_imports
        self._read = read
        self._running_paths = frozenset(running_paths)
        self._all_run = all_run
        self._importers: dict[str, list[str]] | None = None
        self._started: frozenset[str] | None = None
        self._statements: dict[str, tuple[ImportStatement, ...]] = {}
        self._has_hook: dict[str, bool] = {}
        self._runs: dict[str, bool] = {}

    def get_statements(self, path: str) -> tuple[ImportStatement, ...]:
        """The import statements of a file that nothing guards."""
        if path not in self._statements:
            self._statements[path] = parse_statements(self._read_source(path))
        return self._statements[path]

    def is_always_run(self, path: str) -> bool:
        """Whether imports that always run lead from the start to a file; False where that is unknown."""
        if path not in self._runs:
            self._runs[path] = self._all_run or self._is_reached(path)
        return self._runs[path]

    def has_import_hook(self, paths: Iterable[str]) -> bool:
        """Whether one of these files, or of those read on the way to them, changes what an import finds."""
        return any(self._installs_hook(path) for path in dict.fromkeys([*paths, *self._statements]))

    def may_define(self, path: str, name: str, *, is_imported: bool) -> bool:
        """Whether a package may give a name itself: its code binds it, or any name may come into it."""
        code = split_source(self._read_source(path)).code
        if _ANY_NAME.search(code):
            return True
        if is_imported:
            return name in _NAME.findall(code)
        return name in (match[1] or match[2] for match in _BOUND_NAME.finditer(code))

    def _installs_hook(self, path: str) -> bool:
        if path not in self._has_hook:
            self._has_hook[path] = bool(_HOOK.search(split_source(self._read_source(path)).code))
        return self._has_hook[path]

    def _read_source(self, path: str) -> bytes:
        file = self._follower.loaded.get(path)
        return ((self._read(file) if file else None) or b"")[:MAX_BYTES]

    def _is_reached(self, target: str) -> bool:
        seen, queue = {target}, [target]
        while queue:
            path = queue.pop(0)
            if path in self._list_started() or self._follower.loaded.get(path) in self._running_paths:
                return True
            for importer in self._map_importers().get(path, ()):
                if importer not in seen and self._always_imports(importer, path):
                    seen.add(importer)
                    queue.append(importer)
        return False

    def _always_imports(self, importer: str, path: str) -> bool:
        if len(self._statements) >= _MAX_FILES_READ:
            return False
        return any(
            statement.always_runs and path in self._find_loaded(statement.imported, importer)
            for statement in self.get_statements(importer)
        )

    def _find_loaded(self, imported: Import, importer: str) -> Iterator[str]:
        """The files that an import statement loads, with the packages on the way."""
        yield from self._follower.find_import(imported, importer)[0]
        for name in imported.names:
            yield from self._follower.find_import(imported, importer, name)[0]

    def _map_importers(self) -> dict[str, list[str]]:
        """The files that name each file in an import."""
        if self._importers is None:
            self._importers = {}
            for importer, file in list(self._follower.loaded.items()):
                imports = self._get_imports(file).imported
                paths = (path for imported in imports for path in self._find_loaded(imported, importer))
                for path in dict.fromkeys(paths):
                    self._importers.setdefault(path, []).append(importer)
        return self._importers

    def _list_started(self) -> frozenset[str]:
        """The files that a start command names."""
        if self._started is None:
            started: list[str] = []
            for start in self._follower.found_starts:
                started += start.files
                imports = [Import(module) for module in start.modules]
                statements = parse_statements(start.code.encode())
                imports += [statement.imported for statement in statements if statement.always_runs]
                for imported in imports:
                    started += self._find_loaded(imported, f"{start.roots[0] if start.roots else ''}/-c")
            self._started = frozenset(started)
        return self._started
