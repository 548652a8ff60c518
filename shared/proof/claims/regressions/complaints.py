"""Failures that the code shows before they happen, with the messages that CPython would log for them.

The messages are the inverse of `shared.proof.claims.calls.call_message` and of what `shared.proof.claims.read_claim`
reads. Found here are circular starts (an import takes a name out of a half-loaded module), files that a source opens
for certain or templates that it names, and local variables that a function reads before any statement of it can have
bound them. Of these only what is certain: the read is a statement of the function's own block that always runs, and
everything that binds the name comes later in the text, outside of what runs before.
"""

import ast
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from shared.proof.claims.calls.call_message import CallComplaint, ComplaintKind
from shared.proof.claims.claim import Claim, ClaimFamily
from shared.proof.claims.files.image_places import open_places
from shared.proof.claims.files.path_expressions import PathReader
from shared.proof.claims.importing.import_order import ImportOrder
from shared.proof.claims.importing.started_modules import StartedModules, Undecided
from shared.proof.claims.ports import ServiceModules
from shared.proof.claims.source.module_code import parse_module
from shared.proof.claims.source.python_source import FunctionNode, walk_nodes
from shared.proof.claims.source.scope_bindings import NameScope, classify_name


def format_call_complaint(complaint: CallComplaint) -> str:
    """The text of the `TypeError`."""
    start, names = f"{complaint.callee}()", complaint.names
    if complaint.kind is ComplaintKind.UNEXPECTED_KEYWORD:
        return f"{start} got an unexpected keyword argument '{names[0]}'"
    if complaint.kind is ComplaintKind.MULTIPLE_VALUES:
        return f"{start} got multiple values for argument '{names[0]}'"
    if complaint.kind is ComplaintKind.POSITIONAL_ONLY:
        listed = ", ".join(names)
        return f"{start} got some positional-only arguments passed as keyword arguments: '{listed}'"
    if complaint.kind is ComplaintKind.NO_ARGUMENTS:
        return f"{start} takes no arguments"
    if complaint.kind is ComplaintKind.TOO_MANY_POSITIONAL:
        return f"{start} {_format_count(complaint)}"
    kind = "positional" if complaint.kind is ComplaintKind.MISSING_POSITIONAL else "keyword-only"
    noun = "argument" if len(names) == 1 else "arguments"
    return f"{start} missing {len(names)} required {kind} {noun}: {_join_names(names)}"


def _format_count(complaint: CallComplaint) -> str:
    least, most, given = complaint.least, complaint.most, complaint.given
    span = f"from {least} to {most}" if least != most else f"{most}"
    takes = f"takes {span} positional argument{'' if (least, most) == (1, 1) else 's'} but {given}"
    keywords = complaint.given_keywords
    if keywords:
        extra = f"(and {keywords} keyword-only argument{'' if keywords == 1 else 's'})"
        return f"{takes} positional argument{'' if given == 1 else 's'} {extra} were given"
    return f"{takes} {'was' if given == 1 else 'were'} given"


def _join_names(names: Sequence[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    if len(quoted) < 3:
        return " and ".join(quoted)
    return f"{', '.join(quoted[:-1])}, and {quoted[-1]}"


def _format_start_complaint(claim: Claim) -> tuple[str, str]:
    """What Python raises where a module, a name in it or a file that a program starts is not there."""
    if claim.module and claim.name:
        return "AttributeError", f"module '{claim.module}' has no attribute '{claim.name}'"
    if claim.module:
        return "ModuleNotFoundError", f"No module named '{claim.module}'"
    return "FileNotFoundError", f"[Errno 2] No such file or directory: '{claim.name}'"


def add_message(claim: Claim, level: int = 0) -> Claim:
    """A claim with the class and the text that a log would show.

    `level`: the dots of a relative import. The module then is named as the statement names it: which package it is in
    depends on how the file is loaded.
    """
    error, message, module = claim.error_class, claim.message, "." * level + claim.module
    match claim.family:
        case ClaimFamily.IMPORT_NAME:
            error, message = "ImportError", f"cannot import name '{claim.name}' from '{module or '.'}'"
        case ClaimFamily.MODULE:
            error, message = "ModuleNotFoundError", f"No module named '{module}'"
        case ClaimFamily.CIRCULAR_IMPORT:
            source = f"cannot import name '{claim.name}' from partially initialized module '{claim.module}'"
            error, message = "ImportError", f"{source} (most likely due to a circular import)"
        case ClaimFamily.NAME:
            error, message = "NameError", f"name '{claim.name}' is not defined"
        case ClaimFamily.LOCAL_NAME:
            error = "UnboundLocalError"
            message = f"cannot access local variable '{claim.name}' where it is not associated with a value"
        case ClaimFamily.MODULE_ATTRIBUTE:
            error, message = "AttributeError", f"module '{claim.module}' has no attribute '{claim.name}'"
        case ClaimFamily.CLASS_ATTRIBUTE if not message:
            error, message = "AttributeError", f"'{claim.owner}' object has no attribute '{claim.name}'"
        case ClaimFamily.START_TARGET:
            error, message = _format_start_complaint(claim)
        case ClaimFamily.FILE if error == "FileNotFoundError":
            message = f"[Errno 2] No such file or directory: '{claim.name}'"
    return replace(claim, error_class=error, message=message)


def find_circular_claim(modules: ServiceModules, path: str) -> Claim | None:
    """None where the start loads everything, or where it is not decidable; `path`: any file of the image."""
    steps = modules.list_start_steps() if isinstance(modules, StartedModules) else ()
    if not steps or not isinstance(modules, StartedModules):
        return None
    try:
        circular = ImportOrder(modules, modules.is_outside).follow(steps, path)
    except Undecided:
        return None
    if circular is None:
        return None
    module = circular.target.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    claim = Claim(
        ClaimFamily.CIRCULAR_IMPORT, circular.path, circular.line, "", "", "<module>", module=module, name=circular.name
    )
    return add_message(claim)


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


_PLAIN = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr, ast.Return, ast.Raise, ast.Assert, ast.Delete)


def list_unbound_locals(tree: ast.Module) -> Iterator[tuple[str, str, int]]:
    """Function, variable and line of each such read."""
    for function in walk_nodes(tree):
        if isinstance(function, FunctionNode):
            yield from _list_of_function(function)


def _list_of_function(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, str, int]]:
    seen: set[str] = set()
    for statement in function.body:
        if not isinstance(statement, _PLAIN):
            seen |= {node.id for node in walk_nodes(statement) if isinstance(node, ast.Name)}
            seen |= _list_other_bindings(statement)
            continue
        value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign | ast.Return | ast.Expr) else None
        for node in _walk_evaluated(value):
            if isinstance(node.ctx, ast.Load) and node.id not in seen and _is_local(function, node.id):
                yield function.name, node.id, node.lineno
        seen |= {node.id for node in walk_nodes(statement) if isinstance(node, ast.Name)}
        if isinstance(statement, ast.Return | ast.Raise):
            return


def _walk_evaluated(value: ast.expr | None) -> Iterator[ast.Name]:
    """The names that an expression certainly reads itself: none of a branch, a lambda or a comprehension."""
    waiting: list[ast.AST] = [value] if value is not None else []
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name):
            yield node
        elif not isinstance(
            node, ast.Lambda | ast.IfExp | ast.BoolOp | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
        ):
            waiting += ast.iter_child_nodes(node)


def _list_other_bindings(statement: ast.stmt) -> set[str]:
    """Names that a statement binds without a `Name`: imports, definitions, handlers, patterns."""
    names: set[str] = set()
    for node in walk_nodes(statement):
        match node:
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names |= {alias.asname or alias.name.partition(".")[0] for alias in aliases}
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                names.add(name)
            case ast.MatchMapping(rest=str(name)):
                names.add(name)
    return names


def _is_local(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> bool:
    arguments = function.args
    parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    is_parameter = any(parameter is not None and parameter.arg == name for parameter in parameters)
    return not is_parameter and classify_name(function, name) is NameScope.LOCAL
