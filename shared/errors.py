"""The errors that cross a boundary; the text of each says in one sentence what is wrong, where, and what to do."""


class InputError(Exception):
    """Input that was named correctly and cannot be read: the command ends with exit code 3."""


class ConfigurationError(InputError):
    """A configuration with mistakes: the text has a line for each of them."""


class UsageError(Exception):
    """A request that makes no sense as it is (an unknown ref, a contradiction): exit code 2."""


class Retry(Exception):
    """It may work later: the message is delivered again, and dead-lettered after the last attempt.

    `reason` is a name of ours for an error that an alert looks for.
    """

    def __init__(self, detail: str = "", *, reason: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if reason else detail)
        self.reason = reason


class Reject(Exception):
    """It will never work: the message is acknowledged, and the named reason is stored."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
