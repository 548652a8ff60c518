"""What one Python file imports, read from its text alone, so that a file that does not compile is read as well.

Returns its imports, the packages of which it loads any module, the names that may be modules, and the dynamic imports
that cannot be followed. What a file imports does not change with the error in it. Time grows with the text's length.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from shared.proof.loading.source_text import (
    Literal,
    SourceText,
    find_reaching_strings,
    find_strings_after,
    split_source,
)

MAX_FOUND = 5_000
MAX_UNRESOLVED = 20
_SPACE = r"(?:[ \t\f]|\\\r?\n){0,80}+"
_NAME = r"[^\W\d]\w{0,200}+"
_DOTTED = rf"{_NAME}(?:{_SPACE}\.{_SPACE}{_NAME}){{0,40}}+"
_LIST = r"[\w \t\f,\r\n\\]{0,20000}+"
_STATEMENT = re.compile(
    rf"from(?<![\w.]from)(?!\w){_SPACE}(?P<dots>(?:\.{_SPACE}){{0,40}}+)(?P<module>{_DOTTED})?{_SPACE}import(?!\w){_SPACE}"
    rf"(?:(?P<star>\*)|\((?P<names>{_LIST})|(?P<line>(?:[\w \t\f,]|\\\r?\n){{0,20000}}+))"
    rf"|import(?<![\w.]import)(?!\w){_SPACE}(?P<plain>{_DOTTED}(?:{_SPACE},?{_SPACE}{_DOTTED}){{0,400}}+)"
)
_CALL = re.compile(r"(?<!\w)(?P<name>import_module|__import__|import_string)\s{0,80}+\(\s{0,200}+")
_WALK = re.compile(
    r"(?<!\w)(?P<name>iter_modules|walk_packages)\s{0,80}+\(\s{0,200}+\[?"
    r"(?:path\s*=\s*)?(?P<of>[\w.]{0,200}+)"
)
_EXPORTS = re.compile(
    r"(?<![\w.])__all__\s{0,20}+(?::[^=\n]{0,80}+)?\+?=\s{0,20}+(?:[\w.]{1,100}+\s{0,20}+\+\s{0,20}+){0,9}+[\[(]([^\])]{0,20000}+)"
)
_APPLICATIONS = re.compile(r"(?<!\w)INSTALLED_APPS\s{0,20}+\+?=\s{0,20}+[\[(]([^\])]{0,20000}+)")
_DOTTED_NAME = re.compile(r"[A-Za-z_]\w*+(?:\.[A-Za-z_]\w*+)*+")
_MODULE_LIKE = re.compile(r"[A-Za-z_]\w*+(?:(?:\.[A-Za-z_]\w*+)++(?::[A-Za-z_][\w.]*+)?|:[A-Za-z_][\w.]*+)")
_PREFIX = re.compile(r"(\.{0,5}+(?:[A-Za-z_]\w*+\.)*+)(?:%s|\{[^{}]*+\}|$)")
_RELATIVE = re.compile(r"\.{1,5}+[A-Za-z_][\w.]*+")
_PATH_CHANGE = re.compile(
    r"(?<!\w)(?:sys\.path\.(?:insert|append|extend)|addsitedir)\s{0,20}+\("
    r"|(?<!\w)sys\.path\s{0,20}+\+?="
)
_OWN_PACKAGE = re.compile(r"[^,()]{1,200}+,\s*+(?:package\s*+=\s*+)?__(?:name|package)__|__(?:name|package)__\s*+\+")
_SECOND_ARGUMENT = re.compile(r"\s{0,200}+,\s{0,200}+(?:package\s{0,20}+=\s{0,20}+)?")
_ALIAS = re.compile(r"(?<!\w)import_module\s{1,20}+as\s{1,20}+(\w{1,80}+)")
_NAMED_CALL = re.compile(r"(?<!\w)(?P<name>\w{1,80}+)\s{0,80}+\(\s{0,200}+")
_RUN = re.compile(r"(?<!\w)run_module\s{0,80}+\(\s{0,200}+")
_FILE_LOADER = re.compile(r"(?<!\w)(?:spec_from_file_location|SourceFileLoader|run_path)\s{0,80}+\(")
_LAZY = re.compile(r"(?<!\w)(?:attach(?:_stub)?|_LazyModule)\s{0,20}+\(\s{0,20}+__name__")
_LOGGER = re.compile(r"getLogger\s{0,9}+\(\s{0,9}+(?:name\s{0,9}+=\s{0,9}+)?\Z")
_SCRIPT = re.compile(r"(?:\.{1,2}/){0,4}+(?:[\w-]++/)*+[\w-]++\.py")
_PATH_LIKE = re.compile(r"(?:\.{1,2}/){0,4}+[\w-]++(?:[./][\w-]++)*+/?")
_COMMAND = re.compile(
    r"(?:exec\s)?\s{0,9}+(?:\S{0,80}/)?(?:python[\d.]*+|gunicorn|uvicorn|hypercorn|daphne|celery|granian)\s"
)
_OWN_PREFIX = re.compile(r"\{\s*(?:__name__|__package__)\s*\}\.")


@dataclass(frozen=True, slots=True)
class Import:
    """`from ..module import names` has level 2; `import module` has no names; a star has the name "*"."""

    module: str
    level: int = 0
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Imports:
    """`whole_packages`: any module of them may be loaded (with ("**",) as `names` where sub-packages count, too).

    `mentioned_modules`: texts that may name a module, as `"app.tasks"` in a setting; they count where it exists.
    `django_applications`: the texts in `INSTALLED_APPS`. `exported_names`: the texts in `__all__`. `unresolved`:
    dynamic imports whose module the text does not say. `dynamic_targets`: the texts that may reach those through
    variables: modules, packages or folders. `changes_import_path`: the file puts folders on the import path, mostly its
    own one or one above. `path_folders`: what it may put there. `scripts`: paths of Python files.
    """

    imported: tuple[Import, ...] = ()
    whole_packages: tuple[Import, ...] = ()
    mentioned_modules: tuple[str, ...] = ()
    django_applications: tuple[str, ...] = ()
    exported_names: tuple[str, ...] = ()
    unresolved: tuple[str, ...] = ()
    changes_import_path: bool = False
    dynamic_targets: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    path_folders: tuple[str, ...] = ()


def parse_imports(source: bytes) -> Imports:
    """What a file imports; never raises, whatever the bytes are."""
    text = split_source(source)
    direct: dict[Import, None] = dict.fromkeys(imported for _, imported in find_statements(text))
    whole: dict[Import, None] = {}
    unfollowed: list[str] = []
    dynamic: list[int] = []
    for match in _find_import_calls(text):
        before = len(unfollowed)
        _read_call(text, match, direct, whole, unfollowed)
        dynamic += [match.end()] if len(unfollowed) > before else []
    loaders = _find_matches(_FILE_LOADER, text.code, "file_location", "FileLoader", "run_path")
    dynamic += [match.end() for match in loaders]
    for match in _find_matches(_WALK, text.code, "_modules", "_packages"):
        whole[_parse_package_walk(match, direct)] = None
    whole |= {Import("", 1): None for _ in _find_matches(_LAZY, text.code, "attach", "_LazyModule")}
    direct |= dict.fromkeys(_find_run_modules(text))
    if unfollowed:
        whole |= dict.fromkeys(_find_prefixes(text))
        direct |= dict.fromkeys(
            _parse_relative(literal.body) for literal in text.strings if _RELATIVE.fullmatch(literal.body)
        )
    changes = [match.end() for match in _find_matches(_PATH_CHANGE, text.code, "sys.path", "addsitedir")]
    return Imports(
        tuple(direct)[:MAX_FOUND],
        tuple(whole)[:MAX_FOUND],
        tuple(dict.fromkeys(_find_mentions(text)))[:MAX_FOUND],
        tuple(_find_listed_strings(text, _APPLICATIONS, "INSTALLED_APPS"))[:MAX_FOUND],
        tuple(filter(str.isidentifier, _find_listed_strings(text, _EXPORTS, "__all__")))[:MAX_FOUND],
        tuple(unfollowed),
        bool(changes),
        tuple(dict.fromkeys(_filter_paths(find_reaching_strings(text, dynamic))))[:MAX_FOUND],
        tuple(dict.fromkeys(_find_scripts(text)))[:MAX_FOUND],
        tuple(dict.fromkeys(_find_path_folders(text, changes)))[:MAX_UNRESOLVED],
    )


def _find_import_calls(text: SourceText) -> Iterator[re.Match[str]]:
    """The calls that import, also by a name of the file's own for `import_module`."""
    yield from _find_matches(_CALL, text.code, "import")
    own = {match[1] for match in _find_matches(_ALIAS, text.code, "import_module")}
    if own:
        yield from (match for match in _NAMED_CALL.finditer(text.code) if match["name"] in own)


def _find_run_modules(text: SourceText) -> Iterator[Import]:
    """The modules that are run by their name: `run_module("x")`, `[…, "-m", "x"]`."""
    for match in _find_matches(_RUN, text.code, "run_module"):
        if literal := text.find_string_at(match.end()):
            yield from (Import(literal.body), Import(literal.body + ".__main__"))
    for before, after in pairwise(text.strings):
        follows = before.body == "-m" and text.code[before.end : after.start].strip() == ","
        if follows and _DOTTED_NAME.fullmatch(after.body):
            yield from (Import(after.body), Import(after.body + ".__main__"))


def _find_scripts(text: SourceText) -> Iterator[str]:
    for literal in text.strings:
        if ".py" in literal.body:
            yield from (word for word in _split_command(literal) if len(word) <= 200 and _SCRIPT.fullmatch(word))


def _split_command(literal: Literal) -> list[str]:
    """The words of a command that starts Python, else the text itself."""
    return literal.body.split()[:100] if _COMMAND.match(literal.body[:200]) else [literal.body]


def _filter_paths(strings: Iterable[Literal]) -> Iterator[str]:
    return (literal.body for literal in strings if len(literal.body) <= 200 and _PATH_LIKE.fullmatch(literal.body))


def _find_path_folders(text: SourceText, changes: Sequence[int]) -> Iterator[str]:
    """What may be put on the import path: each text that reaches such a call, and those of one call put together."""
    yield from _filter_paths(find_reaching_strings(text, changes))
    for start in changes[:MAX_UNRESOLVED]:
        parts = list(_filter_paths(find_strings_after(text, start)))
        if len(parts) > 1:
            yield "/".join(parts[:9])


def _find_matches(pattern: re.Pattern[str], code: str, *words: str) -> Iterator[re.Match[str]]:
    """The matches of a pattern, which is not even tried where none of its words is in the code."""
    return pattern.finditer(code) if any(word in code for word in words) else iter(())


def find_statements(text: SourceText) -> Iterator[tuple[int, Import]]:
    """Each import statement with the position at which it begins."""
    for match in _find_matches(_STATEMENT, text.code, "import"):
        if match["plain"]:
            yield from ((match.start(), Import(name)) for name in _split_names(match["plain"]))
            continue
        names = ("*",) if match["star"] else tuple(_split_names(match["names"] or match["line"] or ""))
        module = "".join((match["module"] or "").replace("\\", " ").split())
        if (level := match["dots"].count(".")) or module:
            yield match.start(), Import(module, level, names)


def _split_names(listed: str) -> Iterator[str]:
    for item in listed.replace("\\", " ").split(","):
        words = _strip_dotted(item).split()
        if words and words[0] not in {"as", "import", "from"}:
            yield words[0]


def _strip_dotted(item: str) -> str:
    return ".".join(part.strip() for part in item.split("."))


def _read_call(
    text: SourceText,
    match: re.Match[str],
    direct: dict[Import, None],
    whole: dict[Import, None],
    unfollowed: list[str],
) -> None:
    """`import_module(…)`: a literal is an import; a literal beginning opens a package; all others are unresolved."""
    literal = text.find_string_at(match.end())
    end = literal.end if literal else match.end()
    rest = text.code[end : end + 400].lstrip()
    if literal and not literal.is_format and rest[:1] in {",", ")", ""}:
        direct[_parse_called_import(text, literal.body, literal.end)] = None
        return
    opens = bool(literal and (literal.is_format or rest[:1] in {"+", "%"} or rest.startswith(".format")))
    prefix = _parse_prefix(literal.body, is_prefix=opens) if literal else None
    if prefix:
        whole[prefix] = None
    elif _OWN_PACKAGE.match(rest):
        whole[Import("", 1)] = None
    elif len(unfollowed) < MAX_UNRESOLVED and not text.is_definition(match.start()):
        unfollowed.append(f"{match['name']}(…), line {text.get_line_number(match.start())}")


def _parse_called_import(text: SourceText, name: str, end: int) -> Import:
    """`import_module(".x", "pkg")` as an import; without a literal package the file's own one is meant."""
    if not name.startswith("."):
        return Import(name)
    relative = _parse_relative(name)
    after = _SECOND_ARGUMENT.match(text.code, end)
    package = text.find_string_at(after.end()) if after else None
    if not package:
        return relative
    base = package.body.split(".")[: len(package.body.split(".")) - relative.level + 1]
    return Import(".".join([*base, relative.module]))


def _parse_relative(name: str) -> Import:
    bare = name.lstrip(".")
    return Import(bare, len(name) - len(bare))


def _parse_prefix(body: str, *, is_prefix: bool) -> Import | None:
    """The package in the literal beginning of a name: `f"plugins.{name}"`, `"plugins." + name`."""
    if not is_prefix:
        return None
    if _OWN_PREFIX.match(body):
        return Import("", 1)
    match = _PREFIX.match(body)
    if not match or not match[1]:
        return None
    relative = _parse_relative(match[1])
    return Import(relative.module.rstrip("."), relative.level)


def _find_prefixes(text: SourceText) -> Iterator[Import]:
    """Literal beginnings anywhere in a file that imports by a variable: `name = f"plugins.{each}"`."""
    for literal in text.strings:
        ends = literal.is_format or literal.body.endswith((".", ".%s", ".{}"))
        prefix = _parse_prefix(literal.body, is_prefix=ends)
        if prefix and prefix.module:
            yield prefix


def _parse_package_walk(match: re.Match[str], direct: dict[Import, None]) -> Import:
    """The package that `pkgutil` is asked to list: `plugins.__path__` is what the file imports by that name."""
    names = ("**",) if match["name"] == "walk_packages" else ()
    of = match["of"].removesuffix(".__path__")
    if of == match["of"]:
        return Import("", 1, names)
    for imported in direct:
        if of in imported.names:
            return Import(".".join(filter(None, (imported.module, of))), imported.level, names)
        if imported.module == of or (not imported.names and imported.module.endswith("." + of)):
            return Import(imported.module, imported.level, names)
    return Import(of, 0, names)


def _find_mentions(text: SourceText) -> Iterator[str]:
    for literal in text.strings:
        if literal.is_format or not ("." in literal.body or ":" in literal.body):
            continue
        mentions = [word for word in _split_command(literal) if len(word) <= 200 and _MODULE_LIKE.fullmatch(word)]
        if mentions and not _LOGGER.search(text.code, max(0, literal.start - 40), literal.start):
            yield from mentions


def _find_listed_strings(text: SourceText, pattern: re.Pattern[str], name: str) -> Iterator[str]:
    """The strings of each list that is assigned to a name.

    Django loads the packages of `INSTALLED_APPS` by a name that no import statement holds.
    """
    for match in _find_matches(pattern, text.code, name):
        yield from (literal.body for literal in text.find_strings_within(match.start(1), match.end(1)))
