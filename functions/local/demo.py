"""`provenfix demo`: breaks an example service for real and investigates it; nothing goes in, a report comes out.

Everything happens in a temporary folder and on loopback; neither a process nor a file is left behind.
"""

import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from functions.local.showcase.rehearsal import rehearse

_NOW_YOURS = """
Your own service:

    gcloud logging read 'resource.type="cloud_run_revision" resource.labels.service_name="SERVICE"' \\
        --freshness=1d --format=json > log.json
    provenfix investigate --repo . --log log.json
"""


def demo() -> None:
    """Break an example service, see it fail with 1011, prove the fix."""
    with _ended_by_terminate(), tempfile.TemporaryDirectory(prefix="provenfix-demo-") as folder:
        played = rehearse(Path(folder), _say)
        print(played.log.read_text("utf-8")[:200])
    print(_NOW_YOURS)


def _say(sentence: str) -> None:
    print(f"· {sentence}", file=sys.stderr, flush=True)


@contextmanager
def _ended_by_terminate() -> Iterator[None]:
    """SIGTERM unwinds like Ctrl-C, so that the service and the folder are cleaned up as well."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
