"""Names that every module has without binding them, for each minor version of CPython. Source: `dir(builtins)`."""

from shared.proof.claims.source.python_source import read_words

_SINCE_3_8 = read_words(
    """
    ArithmeticError AssertionError AttributeError BaseException BlockingIOError BrokenPipeError BufferError
    BytesWarning ChildProcessError ConnectionAbortedError ConnectionError ConnectionRefusedError
    ConnectionResetError DeprecationWarning EOFError Ellipsis EnvironmentError Exception False FileExistsError
    FileNotFoundError FloatingPointError FutureWarning GeneratorExit IOError ImportError ImportWarning
    IndentationError IndexError InterruptedError IsADirectoryError KeyError KeyboardInterrupt LookupError
    MemoryError ModuleNotFoundError NameError None NotADirectoryError NotImplemented NotImplementedError OSError
    OverflowError PendingDeprecationWarning PermissionError ProcessLookupError RecursionError ReferenceError
    ResourceWarning RuntimeError RuntimeWarning StopAsyncIteration StopIteration SyntaxError SyntaxWarning
    SystemError SystemExit TabError TimeoutError True TypeError UnboundLocalError UnicodeDecodeError
    UnicodeEncodeError UnicodeError UnicodeTranslateError UnicodeWarning UserWarning ValueError Warning
    ZeroDivisionError __build_class__ __builtins__ __debug__ __doc__ __file__ __import__ __loader__ __name__
    __package__ __spec__ abs all any ascii bin bool breakpoint bytearray bytes callable chr classmethod compile
    complex copyright credits delattr dict dir divmod enumerate eval exec exit filter float format frozenset getattr
    globals hasattr hash help hex id input int isinstance issubclass iter len license list locals map max memoryview
    min next object oct open ord pow print property quit range repr reversed round set setattr slice sorted
    staticmethod str sum super tuple type vars zip
    """
)
_ADDED = {
    10: frozenset(("EncodingWarning", "aiter", "anext")),
    11: frozenset(("BaseExceptionGroup", "ExceptionGroup")),
    13: frozenset(("PythonFinalizationError", "_IncompleteInputError")),
}
_NEWEST_KNOWN = 14
INJECTED_NAMES = frozenset(("_", "N_", "ngettext", "pgettext", "gettext", "get_ipython", "display", "profile"))
"""What programs are known to add to the builtins while they run."""


def is_builtin(name: str, python: str) -> bool | None:
    """Whether a module of that Python finds a name without binding it; None where that is not known."""
    minor = int(python.partition(".")[2] or 0)
    if name in _SINCE_3_8:
        return True
    if any(name in names for since, names in _ADDED.items() if since <= minor):
        return True
    return None if minor > _NEWEST_KNOWN or name in INJECTED_NAMES or _is_dunder(name) else False


def _is_dunder(name: str) -> bool:
    return name.startswith("__")
