"""`emulate`, a Slack that nobody here wrote: started on a free port of the loopback, ended when the context is left."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import npm

TOKEN = "xoxb-emulated"
OTHER_TOKEN = "xoxb-somebody-else"
_SEED = f"""
slack:
  users:
    - name: provenfix
    - name: gossip
  channels:
    - name: tide
  tokens:
    - token: {TOKEN}
      user: provenfix
    - token: {OTHER_TOKEN}
      user: gossip
"""


@contextmanager
def run_slack_emulator(folder: Path) -> Iterator[str]:
    """The address of the Web API of a fresh workspace with one channel."""
    with npm.run_emulator("slack", _SEED, folder) as address:
        yield f"{address}/api/"
