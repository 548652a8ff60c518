"""Every entry point by its name, for functions-framework; `compile` is shipped alone and is in its own file."""

from functions.check import check
from functions.decide import decide
from functions.investigate import investigate
from functions.record import record
from functions.redeploy import redeploy
from functions.verify import verify
from functions.webhook import github

__all__ = ["check", "decide", "github", "investigate", "record", "redeploy", "verify"]
