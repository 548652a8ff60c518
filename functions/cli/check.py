"""`provenfix check`: compiles the Python files of a repository with the deployed Python."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from functions.cli import check_baseline
from functions.cli.arguments import OutputFormat, check_local_repository
from shared.config.settings import read_settings
from shared.errors import InputError, UsageError
from shared.local_sources import find_work_tree, open_local_compilers, open_local_history
from shared.proof.declared.deployed_python import select_declaring_files
from shared.proof.judging.check_sources import CheckedGroup, CompileFailure, find_start_files, group_by_python
from shared.proof.judging.check_sources import check_sources as check_all
from shared.proof.model.compilation import Source
from shared.text.escaping import strip_invisible, to_one_line
from shared.text.phrases import pluralize

if TYPE_CHECKING:
    from shared.adapters.git.repository import GitRepository

SUFFIXES = (".py", ".pyw")
MAX_LINE_WIDTH = 160

ReadFile = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """The arguments of the command; at most one of `paths`, `ref` and `staged` is given."""

    repo: str
    paths: Sequence[str]
    ref: str | None
    staged: bool
    python: str | None


def run_check(options: CheckOptions) -> int:
    """Prints what fails; returns 1 if something does, else 0. Raises UsageError and InputError."""
    settings = read_settings()
    with open_local_history(options.repo) as repository, open_local_compilers(settings) as compilers:
        names, listed, read = _select_files(repository, options, settings.index_file)
        sources = [Source(name, content) for name in names if (content := read(name)) is not None]
        if not sources:
            what = "no Python file is staged" if options.staged else "there is no tracked Python file"
            print(f"Nothing to check: {what}.")
            return 0
        declaring = select_declaring_files(listed)
        declared = {name: text.decode("utf-8", "replace") for name in declaring if (text := read(name)) is not None}
        running = f"{sys.version_info.major}.{sys.version_info.minor}"
        grouped = group_by_python(sources, declared, options.python, running)
        groups = check_all(grouped, compilers, running, find_start_files(sources, listed, read))
    return _print_groups(groups)


def _select_files(
    repository: "GitRepository", options: CheckOptions, index_file: str
) -> tuple[Sequence[str], Sequence[str], ReadFile]:
    """Returns the paths to check, the paths of all files, and what reads one of them."""
    work_tree, paths = find_work_tree(options.repo), options.paths
    if options.staged:
        index = {path: entry.blob for path, entry in repository.index_files(index_file).items()}
        before = _read_head_blobs(repository)
        changed = [path for path in index if _is_python(path) and before.get(path) != index[path]]
        return changed, list(index), _create_blob_reader(repository, index)
    if options.ref is not None or work_tree is None:
        if paths:
            raise UsageError(f"{options.repo}: a bare repository has no files on disk; name a commit with --ref")
        tree = repository.tree(repository.resolve("HEAD" if options.ref is None else options.ref).id)
        blobs = {path: entry.blob for path, entry in tree.items()}
        return (
            [path for path in blobs if _is_python(path)],
            list(blobs),
            _create_blob_reader(repository, blobs),
        )
    tracked = repository.tracked_paths()
    if not paths:
        return [path for path in tracked if _is_python(path)], tracked, work_tree.read
    named: dict[str, None] = {}
    for inside in map(work_tree.path_within, paths):
        below = [path for path in tracked if path.startswith(f"{inside}/" if inside else "") and _is_python(path)]
        is_folder = (work_tree.root / inside).is_dir()
        if is_folder or _may_be_python(inside, work_tree.read):
            named.update(dict.fromkeys(below if is_folder else [inside]))
        else:
            print(f"{to_one_line(inside)}: skipped, this is not a Python file", file=sys.stderr)
    return list(named), tracked, work_tree.read


def _may_be_python(path: str, read: ReadFile) -> bool:
    """Whether a file that was named is one: a script may lack a suffix, or have another one and a first line."""
    suffix = PurePosixPath(path).suffix.lower()
    return suffix in {"", *SUFFIXES, ".pyi", ".wsgi"} or b"python" in _read_shebang(read(path) or b"")


def _read_shebang(content: bytes) -> bytes:
    return content.partition(b"\n")[0] if content.startswith(b"#!") else b""


def _read_head_blobs(repository: "GitRepository") -> Mapping[str, str]:
    try:
        commit = repository.resolve("HEAD")
    except UsageError:
        return {}  # nothing was committed yet: everything in the index is new
    return {path: entry.blob for path, entry in repository.tree(commit.id).items()}


def _create_blob_reader(repository: "GitRepository", blobs: Mapping[str, str]) -> ReadFile:
    def read(path: str) -> bytes:
        content = repository.read(blobs[path])
        if content is None:  # a file that was not checked must not pass
            raise InputError(f"{repository.path}: the contents of {path} are not in this copy; fetch them first")
        return content

    return read


def _is_python(path: str) -> bool:
    return path.endswith(SUFFIXES)


def _print_groups(groups: Sequence[CheckedGroup]) -> int:
    """Prints failures to stdout and the choice of Python to stderr; returns 1 if a file is not proven to compile."""
    for group in groups:
        print(f"Python {group.python_target.python} ({to_one_line(group.python_target.description)})", file=sys.stderr)
    for failure in (failure for group in groups for failure in group.failures):
        print("\n".join(_format_failure(failure)))
    for unjudged in (unjudged for group in groups for unjudged in group.unjudged):
        print(f"{to_one_line(unjudged.path)}: could not be checked: {to_one_line(unjudged.reason)}")
    print(". ".join(_summarise_group(group) for group in groups) + ".")
    return int(any(group.failures or group.unjudged for group in groups))


def _summarise_group(group: CheckedGroup) -> str:
    judge = group.checked_by.replace("cpython-", "CPython ").replace("ruff-", "ruff ")
    python, count = f"on Python {group.python_target.python} ({judge})", group.source_count
    if not group.failures and not group.unjudged:
        return f"The file compiles {python}" if count == 1 else f"All {count} files compile {python}"
    unjudged = f"; {len(group.unjudged)} could not be checked" if group.unjudged else ""
    fails = "fails" if len(group.failures) == 1 else "fail"
    return f"{len(group.failures)} of {pluralize(count, 'file')} {fails} to compile {python}{unjudged}"


def _format_failure(failure: CompileFailure) -> Iterator[str]:
    fault = failure.fault
    location = [
        to_one_line(failure.path),
        *(str(number) for number in (fault.line, fault.column) if number is not None),
    ]
    yield f"{':'.join(location)}: {fault.error_class}: {to_one_line(fault.message)}"
    if fault.text.strip():
        # A very long line is shown from shortly before its fault.
        start = max((fault.column or 1) - 1 - MAX_LINE_WIDTH // 2, 0) if len(fault.text) > MAX_LINE_WIDTH else 0
        shown = fault.text[start : start + MAX_LINE_WIDTH]
        yield f"    {strip_invisible(shown).rstrip()}"
        if fault.column is not None and fault.column - 1 - start <= len(shown):
            before = shown[: fault.column - 1 - start]
            yield "    " + "".join("\t" if letter == "\t" else " " for letter in before) + "^"
    if failure.explanation:
        yield f"    {to_one_line(failure.explanation)}"
    if failure.further_errors:
        yield f"    and {failure.further_errors} more in this file"


def check(  # noqa: PLR0913, PLR0917  # one parameter for each option
    paths: Annotated[list[str] | None, typer.Argument(metavar="PATHS", help="Python files, or folders.")] = None,
    repo: Annotated[str, typer.Option(metavar="PATH", help="The repository.")] = ".",
    ref: Annotated[str | None, typer.Option(metavar="REF", help="Check the files of this commit.")] = None,
    staged: Annotated[bool, typer.Option("--staged", help="Check what would be committed.")] = False,
    python: Annotated[str | None, typer.Option(metavar="3.11", help="The deployed version of Python.")] = None,
    baseline: Annotated[
        str | None, typer.Option(metavar="REF", help="Check what the services newly break since this commit.")
    ] = None,
    rev: Annotated[
        str | None, typer.Option(metavar="REF", help="With --baseline: this commit instead of the files on disk.")
    ] = None,
    start: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="With --baseline: a file that a service starts with.")
    ] = None,
    output: Annotated[
        OutputFormat, typer.Option("--format", help="With --baseline: output format.")
    ] = OutputFormat.TEXT,
) -> int:
    """Check that Python files compile on the deployed Python.

    Without PATHS, --ref or --staged it checks every tracked Python file as it is on disk. Exits 1 if a file fails.

    With --baseline it checks what the services of the repository load, and reports what definitely fails now and did
    not fail at that commit: imports, names, attributes, calls and files.
    """
    if sum([bool(paths), ref is not None, staged, baseline is not None]) > 1:
        raise UsageError("Give only one of PATHS, --ref, --staged and --baseline.")
    check_local_repository(repo)
    if baseline is not None:
        options = check_baseline.BaselineOptions(repo, baseline, rev, python, tuple(start or ()), output)
        return check_baseline.run_baseline_check(options)
    if rev is not None or start or output is not OutputFormat.TEXT:
        raise UsageError("--rev, --start and --format need --baseline.")

    return run_check(CheckOptions(repo, paths or [], ref, staged, python))
