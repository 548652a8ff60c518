"""Whether a name has a value where control is: what definite assignment computes with.

A presence holds the cheapest path on which the name is bound there, and the cheapest on which it is not. A path costs
the number of decisions on it that nothing in the source settles. Of two such decisions nobody can tell whether one
implies the other, so a path with more than one may be impossible.
"""

from __future__ import annotations

from dataclasses import dataclass

_MAX_COST = 60


@dataclass(frozen=True, slots=True)
class Presence:
    """All paths to one place. None: no path leads to it with the name so; neither: no path leads to it at all."""

    bound: int | None = None
    unbound: int | None = None

    @property
    def is_reached(self) -> bool:
        """Whether any path leads to the place."""
        return self.bound is not None or self.unbound is not None

    @property
    def is_bound(self) -> bool:
        """Whether the name is bound on every path, if there is one."""
        return self.unbound is None

    @property
    def is_unbound(self) -> bool:
        """Whether the place is reached, and the name is bound on no path."""
        return self.bound is None and self.unbound is not None

    @property
    def can_be_unbound(self) -> bool:
        """Whether some path that surely exists leaves the name unbound."""
        return self.unbound is not None and (self.bound is None or self.unbound <= 1)

    def bind(self) -> Presence:
        """Behind a binding."""
        return Presence(self._cheapest, None)

    def unbind(self) -> Presence:
        """Behind a `del`."""
        return Presence(None, self._cheapest)

    def use(self) -> Presence:
        """Behind a use: where the name was unbound, control is elsewhere."""
        return Presence(self.bound, None)

    def add_cost(self, cost: int = 1) -> Presence:
        """Behind so many more decisions."""
        return Presence(_add(self.bound, cost), _add(self.unbound, cost))

    def __or__(self, other: Presence) -> Presence:
        """Reached either way."""
        return Presence(_find_least(self.bound, other.bound), _find_least(self.unbound, other.unbound))

    @property
    def _cheapest(self) -> int | None:
        return _find_least(self.bound, self.unbound)


NOWHERE = Presence()
BOUND = Presence(bound=0)
UNBOUND = Presence(unbound=0)
DOUBTFUL = Presence(bound=_MAX_COST // 2, unbound=_MAX_COST // 2)
"""Both are thinkable, and nothing says which."""


def join_sides(*sides: Presence) -> Presence:
    """Behind one decision, whose every side was entered at a cost of one. What all sides agree on costs nothing."""
    return Presence(
        _join_costs([side.bound for side in sides]),
        _join_costs([side.unbound for side in sides]),
    )


def _join_costs(costs: list[int | None]) -> int | None:
    reached = [cost for cost in costs if cost is not None]
    if not reached:
        return None
    return min(reached) if len(reached) < len(costs) else min(*reached, max(reached) - 1)


def _add(value: int | None, cost: int) -> int | None:
    return None if value is None else min(value + cost, _MAX_COST)


def _find_least(first: int | None, second: int | None) -> int | None:
    if first is None or second is None:
        return second if first is None else first
    return min(first, second)
