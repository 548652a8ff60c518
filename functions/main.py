"""Every entry point by its name, for functions-framework; `compile` is shipped alone and is in its own file."""

from functions.check import check
from functions.decide import decide
from functions.investigate import investigate
from functions.record import record
from functions.redeploy import redeploy
from functions.schedule import schedule
from functions.slack_socket import decide_socket
from functions.verify import verify
from functions.webhook import github

__all__ = ["check", "decide", "decide_socket", "github", "investigate", "record", "redeploy", "schedule", "verify"]
