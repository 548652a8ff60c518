"""How long a probe waits for what, so that it always ends: limits in, their sum out."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProbeTimeouts:
    """All in seconds. A probe takes `longest` at most."""

    open_timeout: float = 60.0
    """Until the connection is open. A service that was scaled to zero has to start first."""
    stay_open_seconds: float = 10.0
    """How long a WebSocket must stay open. A third of it is allowed for the answer to a ping."""
    close_timeout: float = 2.0

    @property
    def total(self) -> float:
        """When a probe has ended for certain."""
        return self.open_timeout + self.stay_open_seconds + self.close_timeout
