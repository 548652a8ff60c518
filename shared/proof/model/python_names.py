"""Which names Python loads sources by: a path, and its first bytes where the name leaves it open, in; yes or no out."""

_PYTHON_SUFFIXES = (".py", ".pyw")


def is_python_name(path: str) -> bool:
    """Whether a path has a name by which Python imports a source."""
    return path.endswith(_PYTHON_SUFFIXES)


def can_be_loaded_like(path: str, other: str) -> bool:
    """Whether whatever loads `other` could load `path`: by an import, or as a script of the same kind of name."""
    return is_python_name(path) or _get_suffix(path) == _get_suffix(other)


def has_other_interpreter(content: bytes) -> bool:
    """Whether the first line hands the file to another interpreter than Python."""
    first = content[:256].split(b"\n", 1)[0]
    return first.startswith(b"#!") and b"python" not in first.lower() and b"pypy" not in first.lower()


def _get_suffix(path: str) -> str:
    name = path.rpartition("/")[2].lstrip(".")
    return name.rpartition(".")[2] if "." in name else ""
