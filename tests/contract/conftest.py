"""Compilers for all tests of a run."""

from tests.unit.conftest import compilers

__all__ = ["compilers"]
