"""Whether the loaded files of a commit may give what a claim misses: they set the attribute, or derive a class.

Takes the files by path and blob, and a suspect; their texts are searched once for each pattern.
"""

import re
from collections.abc import Mapping

from shared.proof.claims.claim import ClaimFamily
from shared.proof.claims.regressions.suspicions import Suspect
from shared.proof.model.ports import History

_MAX_TEXTS = 1_500
"""Loaded files whose text is searched."""


class ProvidedNames:
    """Answers for one commit."""

    def __init__(self, history: History, loaded: Mapping[str, str]) -> None:
        self._history = history
        self._loaded = loaded
        self._found: dict[str, bool] = {}

    def may_provide(self, suspect: Suspect) -> bool:
        """Whether any loaded file sets what is missing, or has a class that may have it."""
        claim = suspect.claim
        if claim.family is ClaimFamily.CALL:
            return self._is_in_text(rf"\.{re.escape(claim.owner.rpartition('.')[2])}\s{{0,9}}=(?!=)")
        if claim.family not in {ClaimFamily.MODULE_ATTRIBUTE, ClaimFamily.CLASS_ATTRIBUTE}:
            return False
        name = re.escape(claim.name)
        assigned = rf"\.\s{{0,9}}{name}\s{{0,9}}(?::[^=\n]{{1,99}})?=(?!=)"
        if self._is_in_text(rf"{assigned}|setattr\([^,]{{1,99}},\s{{0,9}}['\"]{name}['\"]"):
            return True
        derived = rf"class\s{{1,9}}\w{{1,99}}\s{{0,9}}\([^)]{{0,300}}\b{re.escape(suspect.subclassed)}\b"
        return bool(suspect.subclassed) and self._is_in_text(derived)

    def _is_in_text(self, pattern: str) -> bool:
        """Whether any loaded file has such a text."""
        if pattern not in self._found:
            compiled = re.compile(pattern.encode())
            texts = (self._history.read(blob) or b"" for blob in list(self._loaded.values())[:_MAX_TEXTS])
            self._found[pattern] = any(compiled.search(text) for text in texts)
        return self._found[pattern]
