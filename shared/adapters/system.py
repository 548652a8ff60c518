"""What every machine has: the time and random numbers, as ports."""

import secrets
from datetime import UTC, datetime


class SystemClock:
    """Implements `shared.ports.Clock`."""

    def now(self) -> datetime:
        """Aware, in UTC."""
        return datetime.now(UTC)


class RandomIdGenerator:
    """Implements `shared.ports.IdGenerator`."""

    def generate_id(self) -> str:
        """128 random bits as hex digits."""
        return secrets.token_hex(16)
