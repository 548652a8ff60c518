"""One history for each shape in which files break and are fixed, and what must be proven of it.

A shape writes its history, proves it with `proving.prove_incident` and asserts on the proof.
"""

from tests.support.graph_shapes import breaks_and_merges, renames, targets
from tests.support.graph_shapes.proving import SHAPES

__all__ = ["SHAPES", "breaks_and_merges", "renames", "targets"]
