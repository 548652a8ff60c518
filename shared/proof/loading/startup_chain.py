"""Whether a file runs whenever the service starts: whether a chain of unconditional imports leads to it.

It reads the files between the start command and the file in question, each once.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from shared.proof.loading.commit_tree import MAX_BYTES
from shared.proof.loading.import_follower import ImportFollower
from shared.proof.loading.imports import Import, Imports
from shared.proof.loading.source_text import split_source
from shared.proof.loading.unconditional_imports import ImportStatement, parse_statements

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
