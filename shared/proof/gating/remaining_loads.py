"""Whether a service still imports a file that is no more: deleted alone, it fails in another way.

Takes what a commit loads, and the names of the file. Returns one sentence; "" where nothing is seen to import it.
"""

from collections.abc import Collection

from shared.proof.loading.import_closure import ImportClosure
from shared.proof.model.missing_import import ImportDoubt

_STILL_LOADING = (None, ImportDoubt.MAY_NOT_RUN)
"""What is asked for later, in a function, is still asked for in vain."""


def find_remaining_load(closure: ImportClosure, names: Collection[str]) -> str:
    """The first import of the file, where nothing is seen that would let it succeed."""
    for entry in closure.missing_imports:
        if entry.former_path in names and entry.doubt in _STILL_LOADING:
            return f"{entry.path}, line {entry.line} still imports {entry.module}, which is gone"
    return ""
