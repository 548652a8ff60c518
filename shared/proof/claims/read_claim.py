"""Reads the claim that a logged exception makes about the repository's code; None where it makes none.

The messages are CPython's own, from 3.8 on. The claim is at the deepest frame. Where that one belongs to an
installed package, the failing statement is not of the repository; the import system's own frames do not count.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.detection.logged_exception import Frame, LoggedException, is_package_frame
from shared.proof.claims.claim import Claim, ClaimFamily

_IMPORT_SYSTEM = re.compile(r"^<frozen |[/\\]importlib[/\\]__init__\.py$")
_IMPORT_NAME = re.compile(
    r"cannot import name '(?P<name>[^']+)' from (?P<partial>partially initialized module )?'(?P<module>[^']+)'"
)
_IMPORTED_FROM = re.compile(
    r"cannot import name '[^']+' from (?:partially initialized module )?'(?P<module>[^']+)' "
    r"(?:\(most likely due to a circular import\) )?\((?P<path>/[^()]{1,300})\.py\)"
)
_NO_MODULE = re.compile(r"No module named '(?P<module>[^']+)'")
_RELATIVE_IMPORT = re.compile(r"from (?P<dots>\.{1,20}) ?(?P<module>\w[\w.]{0,300})? import\b")
_NO_NAME = re.compile(r"name '(?P<name>[^']+)' is not defined")
_LOCAL_NAMES = (
    re.compile(r"cannot access (?:local|free) variable '(?P<name>[^']+)'"),
    re.compile(r"(?:local|free) variable '(?P<name>[^']+)' referenced before assignment"),
)
_MODULE_ATTRIBUTE = re.compile(
    r"(?P<partial>partially initialized )?module '(?P<module>[^']+)' has no attribute '(?P<name>[^']+)'"
)
_SUBMODULE = re.compile(r"cannot access submodule '(?P<name>[^']+)' of module '(?P<module>[^']+)'")
_CLASS_ATTRIBUTE = re.compile(r"(?:type object )?'(?P<owner>[^']+)'(?: object)? has no attribute '(?P<name>[^']+)'")
_VALUE = re.compile(
    r"'(?P<owner>[^']+)' object (?:is not (?:callable|subscriptable|iterable|an iterator|an async)"
    r"|does not support |object has no attribute )|object (?P<awaited>\w+) can't be used in 'await' expression"
    r"|argument of type '(?P<searched>[^']+)' is not (?:iterable|a container)"
    r"|'async for' requires|'async with' requires|cannot unpack non-iterable"
)
_CALL = re.compile(
    r"(?P<owner>[\w.<>]+)\(\) (?:got an unexpected keyword argument|missing \d+ required|takes |got multiple values"
    r"|got some positional-only arguments)"
)
_NO_FILE = re.compile(r"\[Errno 2\] No such file or directory: '(?P<name>[^']+)'")
_FOREIGN_FILE = re.compile(r"[/\\](?:site|dist)-packages[/\\]|^/(?:usr|lib|tmp|proc|dev|sys)/")
_SECRET_FILE = re.compile(
    r"(?i)(?:^|[/\\])\.env(?:\.\w+)?$|credential|secret|service[-_]?account|\.(?:pem|key|p12|pfx|crt)$"
)
"""Files that are handed to a service when it is deployed, and that no commit should bring back."""
_PROGRAM_FRAME = re.compile(r"[/\\](?:subprocess|os)\.py$")
_BUILT_IN_CLASSES = frozenset((
    "NoneType", "str", "bytes", "bytearray", "int", "float", "complex", "bool", "list", "tuple", "dict", "set",
    "frozenset", "function", "method", "type", "object", "builtin_function_or_method", "coroutine", "generator",
    "async_generator", "range", "slice", "memoryview", "module", "property",
))  # fmt: skip

_FILE_ERRORS = frozenset(("FileNotFoundError", "TemplateNotFound", "TemplateDoesNotExist"))


@dataclass(frozen=True, slots=True)
class BareImport:
    """An import that failed, of which the log names no file that asked for it."""

    claim: Claim
    """Without path and line."""
    provider: str = ""
    """The file of the module that lacks the name, as logged; "" where the message names none."""
    is_namespace: bool = False
    """Whether the message says that the module has no file: it is a folder without `__init__.py`."""


_Reader = Callable[[str], tuple[ClaimFamily, Mapping[str, str]] | None]


def read_claim(exception: LoggedException) -> Claim | None:
    """The claim, with its path as logged; None for an exception that claims nothing that code could confirm."""
    error_class = exception.error_class.rpartition(".")[2]
    reader = _READERS.get(error_class)
    frame = _find_opening_frame(exception) if error_class in _FILE_ERRORS else _find_failing_frame(exception)
    read = reader(exception.message) if reader is not None and frame is not None else None
    if frame is None or read is None:
        return None
    family, fields = read
    return Claim(
        family=family,
        path=frame.path,
        line=frame.line,
        error_class=exception.error_class,
        message=exception.message,
        function=frame.function,
        source_text=frame.source_text,
        module=fields.get("module") or "",
        name=fields.get("name") or "",
        owner=fields.get("owner") or "",
    )


def read_bare_import(exception: LoggedException) -> BareImport | None:
    """The claim of an import that was logged by its message alone, without a place."""
    error_class = exception.error_class.rpartition(".")[2]
    reader = _IMPORT_READERS.get(error_class)
    read = reader(exception.message) if reader is not None and not exception.frames else None
    if read is None or read[0] is ClaimFamily.CIRCULAR_IMPORT:
        return None
    family, fields = read
    claim = Claim(
        family, "", 0, exception.error_class, exception.message, module=fields["module"], name=fields.get("name", "")
    )
    match = _IMPORTED_FROM.search(exception.message)
    return BareImport(claim, match["path"] + ".py" if match else "", "(unknown location)" in exception.message)


def find_import_root(message: str) -> str:
    """The folder in which Python found the module that a name is missing from: Python names both since 3.7; else ""."""
    match = _IMPORTED_FROM.search(message)
    if match is None:
        return ""
    path, module = match["path"].removesuffix("/__init__"), "/" + match["module"].replace(".", "/")
    return (path.removesuffix(module) or "/") if path.endswith(module) else ""


def find_package_root(exception: LoggedException) -> str:
    """The folder of the import path below whose packages the failing file was loaded; "" where the log does not say.

    The message gives the whole name of what a relative import asks for, and the dots say how much of it is the file's.
    """
    frame = _find_failing_frame(exception)
    match = _RELATIVE_IMPORT.match(frame.source_text) if frame is not None else None
    asked = _IMPORT_NAME.search(exception.message) or _NO_MODULE.search(exception.message)
    if frame is None or match is None or asked is None or not frame.path.startswith("/"):
        return ""
    below, name = (match["module"] or "").split(".") if match["module"] else [], asked["module"].split(".")
    is_found = not exception.message.startswith("No module")
    lengths = [len(below)] if is_found else range(len(below), 0, -1)
    package = next((name[: len(name) - size] for size in lengths if name[len(name) - size :] == below[:size]), [])
    folder = frame.path.split("/")[: -len(match["dots"])]
    is_below = package and folder[-len(package) :] == package
    return ("/".join(folder[: -len(package)]) or "/") if is_below else ""


def _find_failing_frame(exception: LoggedException) -> Frame | None:
    """The deepest frame, but for those of the import system; None where it is no file of the repository."""
    frames = [frame for frame in exception.frames if not _IMPORT_SYSTEM.search(frame.path)]
    return frames[-1] if frames and not is_package_frame(frames[-1]) else None


def _find_opening_frame(exception: LoggedException) -> Frame | None:
    """The deepest frame of the repository: a library opens files for it; None where a program was to be started."""
    if any(_PROGRAM_FRAME.search(frame.path) for frame in exception.frames[-1:]):
        return None
    return next((frame for frame in reversed(exception.frames) if not is_package_frame(frame)), None)


def _read_import_error(message: str) -> tuple[ClaimFamily, Mapping[str, str]] | None:
    match = _IMPORT_NAME.search(message)
    if match is None:
        return None
    is_circular = match["partial"] or "circular import" in message
    return (ClaimFamily.CIRCULAR_IMPORT if is_circular else ClaimFamily.IMPORT_NAME), match.groupdict()


def _read_missing_module(message: str) -> tuple[ClaimFamily, Mapping[str, str]] | None:
    match = _NO_MODULE.search(message)
    return None if match is None else (ClaimFamily.MODULE, match.groupdict())


def _read_name_error(message: str) -> tuple[ClaimFamily, Mapping[str, str]] | None:
    if match := _NO_NAME.search(message):
        return ClaimFamily.NAME, match.groupdict()
    match = next((match for pattern in _LOCAL_NAMES if (match := pattern.search(message))), None)
    return None if match is None else (ClaimFamily.LOCAL_NAME, match.groupdict())


def _read_attribute_error(message: str) -> tuple[ClaimFamily, Mapping[str, str]] | None:
    if match := _SUBMODULE.search(message):
        return ClaimFamily.CIRCULAR_IMPORT, match.groupdict()
    if match := _MODULE_ATTRIBUTE.search(message):
        return (ClaimFamily.CIRCULAR_IMPORT if match["partial"] else ClaimFamily.MODULE_ATTRIBUTE), match.groupdict()
    match = _CLASS_ATTRIBUTE.search(message)
    if match is None:
        return None
    is_value = match["owner"] in _BUILT_IN_CLASSES and not message.startswith("type object")
    return (ClaimFamily.VALUE if is_value else ClaimFamily.CLASS_ATTRIBUTE), match.groupdict()


def _read_type_error(message: str) -> tuple[ClaimFamily, Mapping[str, str]] | None:
    if match := _CALL.match(message):
        return ClaimFamily.CALL, match.groupdict()
    match = _VALUE.search(message)
    if match is None:
        return None
    owner = match["owner"] or match["awaited"] or match["searched"]
    return ClaimFamily.VALUE, {"owner": owner or ""}


def _read_missing_file(message: str) -> tuple[ClaimFamily, Mapping[str, str]] | None:
    match = _NO_FILE.search(message)
    if match is None or _FOREIGN_FILE.search(match["name"]) or _SECRET_FILE.search(match["name"]):
        return None
    return ClaimFamily.FILE, match.groupdict()


def _read_missing_template(message: str) -> tuple[ClaimFamily, Mapping[str, str]] | None:
    name = message.partition(" ")[0].strip("'\"")
    return (ClaimFamily.FILE, {"name": name}) if name else None


_READERS: Mapping[str, _Reader] = {
    "ImportError": _read_import_error,
    "ModuleNotFoundError": _read_missing_module,
    "NameError": _read_name_error,
    "UnboundLocalError": _read_name_error,
    "AttributeError": _read_attribute_error,
    "TypeError": _read_type_error,
    "FileNotFoundError": _read_missing_file,
    "TemplateNotFound": _read_missing_template,
    "TemplateDoesNotExist": _read_missing_template,
}
_IMPORT_READERS = {name: _READERS[name] for name in ("ImportError", "ModuleNotFoundError")}
