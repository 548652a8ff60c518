"""A secret that cannot be printed by accident, and the reference to it that may be in a file or a log."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn


class Secret:
    """Text that only `reveal()` shows: not `repr`, not `str`, not a format, not a pickle."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself; for the one call that needs it."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "Secret(hidden)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Secret is not written anywhere; read it again where it is needed.")


class SecretSource(StrEnum):
    """Who keeps a secret."""

    SECRET_MANAGER = "secret"  # noqa: S105  # the key that names one
    ENVIRONMENT = "env"


@dataclass(frozen=True, slots=True)
class SecretReference:
    """`projects/P/secrets/S/versions/V` of Secret Manager, or the name of an environment variable."""

    source: SecretSource
    name: str
