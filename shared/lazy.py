"""A property that is computed when it is first read, and once."""

from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING, TypeVar

_Value = TypeVar("_Value")
_COMPUTING = RLock()
"""Held while a value is computed; the values that it reads in turn are computed by the same thread."""


class lazy_property(cached_property[_Value]):  # noqa: N801  # used as a decorator, as `property` is
    """A `cached_property` that is computed once even if threads read it first at once; since 3.12 Python's is not."""

    if not TYPE_CHECKING:  # the types are those of `cached_property`

        def __get__(self, instance, owner=None):
            with _COMPUTING:
                return super().__get__(instance, owner)
