"""Whether code may change what imports find: the table of modules (`sys.modules`), or the finders of the import system.

Takes a source, and looks at its code alone. Reading the table (`"x" in sys.modules`, `sys.modules.get(…)`) changes
nothing.
"""

import re
from functools import lru_cache

from shared.proof.loading.source_text import split_source

_MENTION = re.compile(
    r"(?<!\w)(?:(?P<table>sys\s*\.\s*modules)(?!\w)|sys[ \t]+import[^\n]*\bmodules"
    r"|(?P<finders>meta_path|path_hooks)(?!\w))"
)
_ASKED_BEFORE = re.compile(r"(?<!\w)in\s*$")
_DELETED_BEFORE = re.compile(r"(?<!\w)del\s[^\n]*$")
_READ_AFTER = re.compile(r"\s*\.\s*(?:get|items|keys|values|copy)\s*\(")
_ITEM_AFTER = re.compile(r"\s*\[[^\[\]\n]*\](?![ \t]*(?:=(?!=)|[-+|&]=|\.|\[|,[^\n]*[^=!<>]=(?!=)))")
_COMPARED_AFTER = re.compile(r"\s+is\s")
_CHANGED_CLASS = re.compile(r"\.\s*__class__\s*=(?!=)")
_SHOWN = 200
"""Characters beside a mention that are looked at."""


@lru_cache(maxsize=256)
def changes_module_table(source: bytes) -> bool:
    """Whether the code of a source may do more than read which modules are loaded."""
    code = split_source(source).code
    mentions = list(_MENTION.finditer(code))
    return any(not _only_reads(code, mention) for mention in mentions) or (
        bool(mentions) and _CHANGED_CLASS.search(code) is not None
    )


def _only_reads(code: str, mention: re.Match[str]) -> bool:
    before = code[max(0, mention.start() - _SHOWN) : mention.start()]
    after = code[mention.end() : mention.end() + _SHOWN]
    if mention["finders"]:
        return _COMPARED_AFTER.match(after) is not None
    if not mention["table"] or _DELETED_BEFORE.search(before):
        return False
    is_asked = _ASKED_BEFORE.search(before) is not None and not after.lstrip(" \t").startswith(("[", "."))
    return is_asked or _READ_AFTER.match(after) is not None or _ITEM_AFTER.match(after) is not None
