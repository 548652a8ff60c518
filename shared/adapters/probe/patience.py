"""How long a probe waits for what, so that it always ends: limits in, their sum out."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProbeTimeouts:
    """All in seconds. A probe takes `longest` at most."""

    opening: float = 60.0
    """Until the connection is open. A service that was scaled to zero has to start first."""
    staying: float = 10.0
    """How long a WebSocket must stay open. A third of it is allowed for the answer to a ping."""
    closing: float = 2.0

    @property
    def longest(self) -> float:
        """When a probe has ended for certain."""
        return self.opening + self.staying + self.closing
