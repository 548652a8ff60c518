"""Reads plain values of options without Pydantic: a command built by typer comes in, and reads its options so.

Typer makes every value by a schema of Pydantic, whose import takes a tenth of a short proof. A text, a list of texts,
a path or a member of an enumeration needs none. What is not plain, or is wrong, goes to typer, which has the words.
"""

import os
from enum import Enum
from pathlib import Path
from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperOption


class _PlainValue:
    """Stands before the reader that typer would make of a parameter."""

    def __init__(self, parameter: Any) -> None:  # typer does not export the types of click
        self._descriptor = parameter.type_descriptor
        self._get_reader = parameter.get_runtime_param

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """The value of the option, None where it was not given."""
        plain = self._read_plain(value, is_list=param.multiple or param.nargs == -1)
        return self._get_reader().coerce(value, param=param, ctx=ctx) if plain is _NOT_PLAIN else plain

    def _read_plain(self, value: Any, *, is_list: bool) -> Any:
        annotation = self._descriptor.annotation
        if self._descriptor.parameter_info.parser is not None:
            return _NOT_PLAIN
        if value is None:
            return () if is_list else None
        if is_list:
            is_plain = (
                annotation == list[str] and not isinstance(value, str) and all(type(text) is str for text in value)
            )
            return list(value) if is_plain else _NOT_PLAIN
        if annotation is str and type(value) is str:
            return value
        if isinstance(annotation, type) and issubclass(annotation, Enum):
            return next((member for member in annotation if value is member or value == member.value), _NOT_PLAIN)
        return self._read_path(value) if annotation is Path and type(value) is str else _NOT_PLAIN

    def _read_path(self, value: str) -> Any:
        info = self._descriptor.parameter_info
        is_plain = info.file_okay and info.dir_okay and not (info.exists or info.writable or info.resolve_path)
        return Path(value) if is_plain and (not Path(value).exists() or os.access(value, os.R_OK)) else _NOT_PLAIN


_NOT_PLAIN = object()


class PlainOptions:
    """Of a command of typer or a group of them: reads its plain options itself. To be named before typer's class."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, with --help."""
        parameters: list[Any] = super().get_params(ctx)  # type: ignore[misc]  # of typer's class
        for parameter in parameters:
            if isinstance(parameter, TyperOption | TyperArgument) and "get_runtime_param" not in vars(parameter):
                value = _PlainValue(parameter)
                setattr(parameter, "get_runtime_param", lambda value=value: value)  # noqa: B010  # it is a method
        return parameters


class PlainCommand(PlainOptions, TyperCommand):
    """A command of typer that reads its plain options itself."""
