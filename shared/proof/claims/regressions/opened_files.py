"""The claims on files that a source certainly opens, or on templates that it names."""

import ast
from collections.abc import Collection, Iterator

from shared.proof.claims.claim import Claim, ClaimFamily
from shared.proof.claims.files.image_places import open_places
from shared.proof.claims.files.path_expressions import PathReader
from shared.proof.claims.ports import ServiceModules
from shared.proof.claims.regressions.complaints import add_message
from shared.proof.claims.source.module_code import parse_module
from shared.proof.claims.source.python_source import walk_nodes

_READING = (b"open(", b".read_text(", b".read_bytes(", b"emplate")
_RENDERING = frozenset(("render_template", "get_template", "TemplateResponse", "render"))
_READING_METHODS = frozenset(("open", "read_text", "read_bytes"))
_TEMPLATES = (".html", ".htm", ".txt", ".xml", ".j2", ".jinja", ".jinja2")


def list_opened_files(modules: ServiceModules, path: str, names: Collection[str] | None) -> Iterator[Claim]:
    """The claims of one file; `names`: those of the files that count, None for all."""
    source = modules.tree.read(path) or b""
    if not any(word in source for word in _READING):
        return
    if names is not None and not any(name.encode() in source for name in names):
        return
    code = parse_module(source)
    places = open_places(modules, lambda _: ())
    if code is None or len(places) != 1 or not places[0].workdir:
        return
    reader = PathReader(code.tree, places[0].find_image_path(path), places[0].workdir)
    lines = source.decode("utf-8", "replace").splitlines()
    for node in walk_nodes(code.tree):
        if isinstance(node, ast.Call):
            for name, error in _read_call(reader, node):
                if names is None or name.rpartition("/")[2] in names:
                    text = lines[node.lineno - 1].strip() if node.lineno <= len(lines) else ""
                    claim = Claim(ClaimFamily.FILE, path, node.lineno, error, name, source_text=text, name=name)
                    yield add_message(claim)


def _read_call(reader: PathReader, call: ast.Call) -> Iterator[tuple[str, str]]:
    """What a call opens to read it, with the error that its absence raises."""
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if called in _READING_METHODS and not _may_write(call, is_method=isinstance(call.func, ast.Attribute)):
        yield from ((path, "FileNotFoundError") for path in reader.list_opened_by(call))
    elif called in _RENDERING:
        texts = (part.value for part in call.args[:2] if isinstance(part, ast.Constant) and isinstance(part.value, str))
        yield from ((text, "TemplateNotFound") for text in texts if text.endswith(_TEMPLATES))


def _may_write(call: ast.Call, *, is_method: bool) -> bool:
    modes = [*call.args[0 if is_method else 1 :][:1], *(word.value for word in call.keywords if word.arg == "mode")]
    return any(not isinstance(mode, ast.Constant) or set(str(mode.value)) & set("wax+") for mode in modes)
