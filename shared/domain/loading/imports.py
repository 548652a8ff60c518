"""What one Python file imports, read from its text alone, so that a file that does not compile is read as well.

In: the bytes of a file. Out: its imports, the packages of which it loads any module, the names that may be modules,
and the dynamic imports that nobody can follow. One reader for both kinds of file: what a file imports does not change
with the error in it. Time grows with the length of the text, whatever the text is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from shared.domain.loading.source_text import SourceText, read_text

MOST_FOUND = 5_000
MOST_UNFOLLOWED = 20
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
_EXPORTS = re.compile(r"(?<![\w.])__all__\s{0,20}+(?::[^=\n]{0,80}+)?\+?=\s{0,20}+[\[(]([^\])]{0,20000}+)")
_APPLICATIONS = re.compile(r"(?<!\w)INSTALLED_APPS\s{0,20}+\+?=\s{0,20}+[\[(]([^\])]{0,20000}+)")
_MODULE_LIKE = re.compile(r"[A-Za-z_]\w*+(?:(?:\.[A-Za-z_]\w*+)++(?::[A-Za-z_][\w.]*+)?|:[A-Za-z_][\w.]*+)")
_PREFIX = re.compile(r"(\.{0,5}+(?:[A-Za-z_]\w*+\.)*+)(?:%s|\{[^{}]*+\}|$)")
_RELATIVE = re.compile(r"\.{1,5}+[A-Za-z_][\w.]*+")
_PATH_CHANGE = re.compile(
    r"(?<!\w)(?:sys\.path\.(?:insert|append|extend)|addsitedir)\s{0,20}+\("
    r"|(?<!\w)sys\.path\s{0,20}+\+?="
)
_OWN_PACKAGE = re.compile(r"[^,()]{1,200}+,\s*+(?:package\s*+=\s*+)?__(?:name|package)__|__(?:name|package)__\s*+\+")
_SECOND_ARGUMENT = re.compile(r"\s{0,200}+,\s{0,200}+(?:package\s{0,20}+=\s{0,20}+)?")
_OWN = re.compile(r"\{\s*(?:__name__|__package__)\s*\}\.")


@dataclass(frozen=True, slots=True)
class Import:
    """`from ..module import names` has level 2; `import module` has no names; a star has the name "*"."""

    module: str
    level: int = 0
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Imports:
    """`whole`: packages of which any module may be loaded (their `names` are ("**",) where sub-packages count too).

    `mentioned`: texts that may name a module, as `"app.tasks"` in a setting; they count where such a module exists.
    `changes_path`: it puts folders on the import path, mostly its own one or one above.
    `applications`: the texts in `INSTALLED_APPS`. `exported`: the texts in `__all__`.
    `unfollowed`: dynamic imports whose module the text does not tell.
    """

    direct: tuple[Import, ...] = ()
    whole: tuple[Import, ...] = ()
    mentioned: tuple[str, ...] = ()
    applications: tuple[str, ...] = ()
    exported: tuple[str, ...] = ()
    unfollowed: tuple[str, ...] = ()
    changes_path: bool = False


def load_imports(source: bytes) -> Imports:
    """What a file imports; never raises, whatever the bytes are."""
    text = read_text(source)
    direct: dict[Import, None] = dict.fromkeys(_statements(text))
    whole: dict[Import, None] = {}
    unfollowed: list[str] = []
    for match in _matches(_CALL, text.code, "import"):
        _read_call(text, match, direct, whole, unfollowed)
    for match in _matches(_WALK, text.code, "_modules", "_packages"):
        whole[_walked(match, direct)] = None
    if unfollowed:
        whole |= dict.fromkeys(_prefixes(text))
        direct |= dict.fromkeys(_relative(each.body) for each in text.strings if _RELATIVE.fullmatch(each.body))
    return Imports(
        tuple(direct)[:MOST_FOUND],
        tuple(whole)[:MOST_FOUND],
        tuple(dict.fromkeys(_mentions(text)))[:MOST_FOUND],
        tuple(_applications(text))[:MOST_FOUND],
        tuple(_exports(text))[:MOST_FOUND],
        tuple(unfollowed),
        any(_matches(_PATH_CHANGE, text.code, "sys.path", "addsitedir")),
    )


def _matches(pattern: re.Pattern[str], code: str, *words: str) -> Iterator[re.Match[str]]:
    """The matches of a pattern, which is not even tried where none of its words stands in the code."""
    return pattern.finditer(code) if any(word in code for word in words) else iter(())


def _statements(text: SourceText) -> Iterator[Import]:
    for match in _matches(_STATEMENT, text.code, "import"):
        if match["plain"]:
            yield from (Import(name) for name in _names(match["plain"]))
            continue
        names = ("*",) if match["star"] else tuple(_names(match["names"] or match["line"] or ""))
        level = match["dots"].count(".")
        if level or match["module"]:
            yield Import(_joined(match["module"] or ""), level, names)


def _names(listed: str) -> Iterator[str]:
    for item in listed.replace("\\", " ").split(","):
        words = _joined_dots(item).split()
        if words and words[0] not in {"as", "import", "from"}:
            yield words[0]


def _joined(dotted: str) -> str:
    return "".join(dotted.replace("\\", " ").split())


def _joined_dots(item: str) -> str:
    return ".".join(part.strip() for part in item.split("."))


def _read_call(
    text: SourceText,
    match: re.Match[str],
    direct: dict[Import, None],
    whole: dict[Import, None],
    unfollowed: list[str],
) -> None:
    """`import_module(…)`: a literal is an import; a literal beginning opens a package; else nobody can follow."""
    literal = text.starting_at(match.end())
    end = literal.end if literal else match.end()
    rest = text.code[end : end + 400].lstrip()
    if literal and not literal.is_format and rest[:1] in {",", ")", ""}:
        direct[_called(text, literal.body, literal.end)] = None
        return
    prefix = _prefix(literal.body, whole=bool(literal.is_format or rest[:1] in {"+", "%", "."})) if literal else None
    if prefix:
        whole[prefix] = None
    elif _OWN_PACKAGE.match(rest):
        whole[Import("", 1)] = None
    elif len(unfollowed) < MOST_UNFOLLOWED and not text.is_definition(match.start()):
        unfollowed.append(f"{match['name']}(…), line {text.line_of(match.start())}")


def _called(text: SourceText, name: str, end: int) -> Import:
    """`import_module(".x", "pkg")` as an import; without a literal package the file's own one is meant."""
    if not name.startswith("."):
        return Import(name)
    found = _relative(name)
    after = _SECOND_ARGUMENT.match(text.code, end)
    package = text.starting_at(after.end()) if after else None
    if not package:
        return found
    base = package.body.split(".")[: len(package.body.split(".")) - found.level + 1]
    return Import(".".join([*base, found.module]))


def _relative(name: str) -> Import:
    bare = name.lstrip(".")
    return Import(bare, len(name) - len(bare))


def _prefix(body: str, *, whole: bool) -> Import | None:
    """The package that a name's literal beginning tells: `f"plugins.{name}"`, `"plugins." + name`."""
    if not whole:
        return None
    if _OWN.match(body):
        return Import("", 1)
    match = _PREFIX.match(body)
    if not match or not match[1]:
        return None
    found = _relative(match[1])
    return Import(found.module.rstrip("."), found.level)


def _prefixes(text: SourceText) -> Iterator[Import]:
    """Literal beginnings anywhere in a file that imports by a variable: `name = f"plugins.{each}"`."""
    for each in text.strings:
        ends = each.is_format or each.body.endswith((".", ".%s", ".{}"))
        found = _prefix(each.body, whole=ends)
        if found and found.module:
            yield found


def _walked(match: re.Match[str], direct: dict[Import, None]) -> Import:
    """The package that `pkgutil` is asked to list: `plugins.__path__` is what the file imports by that name."""
    names = ("**",) if match["name"] == "walk_packages" else ()
    of = match["of"].removesuffix(".__path__")
    if of == match["of"]:
        return Import("", 1, names)
    for each in direct:
        if of in each.names:
            return Import(".".join(filter(None, (each.module, of))), each.level, names)
        if each.module == of or (not each.names and each.module.endswith("." + of)):
            return Import(each.module, each.level, names)
    return Import(of, 0, names)


def _mentions(text: SourceText) -> Iterator[str]:
    for each in text.strings:
        if len(each.body) <= 200 and not each.is_format and _MODULE_LIKE.fullmatch(each.body):
            yield each.body


def _applications(text: SourceText) -> Iterator[str]:
    """The texts of `INSTALLED_APPS`: Django loads each such package by a name that no import statement holds."""
    for match in _matches(_APPLICATIONS, text.code, "INSTALLED_APPS"):
        yield from (each.body for each in text.within(match.start(1), match.end(1)))


def _exports(text: SourceText) -> Iterator[str]:
    for match in _matches(_EXPORTS, text.code, "__all__"):
        yield from (each.body for each in text.within(match.start(1), match.end(1)) if each.body.isidentifier())
