"""What the stack consists of: which function reads which topic, and how a subscription delivers.

The figures are those of the deployed subscriptions, except that here nobody waits ten seconds for a second attempt, and
only five are made.
"""

from dataclasses import dataclass

from shared.workflow import flow

DEAD_LETTERS = "dead-letters"
TICK_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A function that is called with each message of a topic."""

    function: str
    topic: str


SUBSCRIBERS = (
    Subscriber("record", flow.LOG_ENTRIES),
    Subscriber("investigate", flow.INCIDENT_OPENED),
    Subscriber("redeploy", flow.REDEPLOY_APPROVED),
    Subscriber("check", flow.CHECK_REQUESTED),
    Subscriber("verify", flow.TICK),
)
PREFETCH = {flow.LOG_ENTRIES: 25}
"""How many messages of a topic one carrier holds at once; of the others one, because their readers take their time."""
SLACK_FUNCTION = "decide"
"""The function that Slack calls."""
WEBHOOK_FUNCTION = "github"
"""The function that the code host calls, where its secret is configured."""


@dataclass(frozen=True, slots=True)
class DeliveryPolicy:
    """How a subscription delivers; all times in seconds."""

    attempts: int = 5
    """Pub/Sub takes 5 to 100."""
    lease: int = 600
    """How long a function may take before its message is delivered again. Pub/Sub takes 10 to 600."""
    min_retry_delay: float = 1.0
    max_retry_delay: float = 10.0

    def retry_delay(self, attempt: int) -> float:
        """Between a delivery that failed and the next: twice as long each time."""
        return min(self.max_retry_delay, self.min_retry_delay * 2.0 ** (attempt - 1))


READ_ONLY_FUNCTIONS = ("record", "investigate", "verify")
"""Those of the profile that asks nobody and deploys nothing, as terraform/functions.tf has them."""
