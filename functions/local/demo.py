"""`provenfix demo`: breaks an example service for real and investigates it; nothing goes in, a report comes out.

Everything happens in a temporary folder and on loopback; neither a process nor a file is left behind. What only the
demo needs is imported when it runs: the other commands must not pay for a web server.
"""

import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from functions.local.showcase.rehearsal import Rehearsal
    from shared.domain.report import Report

_NOW_YOURS = """
Your own service:

    gcloud logging read 'resource.type="cloud_run_revision" resource.labels.service_name="SERVICE"' \\
        --freshness=1d --format=json > log.json
    provenfix investigate --repo . --log log.json
"""


def demo() -> int:
    """Break an example service, see it fail with 1011, prove the fix."""
    from functions.local.showcase.rehearsal import rehearse  # noqa: PLC0415

    with _ended_by_terminate(), tempfile.TemporaryDirectory(prefix="provenfix-demo-") as name:
        folder = Path(name)
        played = rehearse(folder, _say)
        _say(f"Investigating that log and that repository, as in: provenfix investigate {_arguments(played)}")
        reports = _investigated(played)
        mended = _serves_the_target(played, reports, folder / "target")
    print(_NOW_YOURS, end="")
    return 0 if mended else 1


def _arguments(played: "Rehearsal") -> str:
    return f"--repo {played.story.path.name} --log {played.log.name}"


def _investigated(played: "Rehearsal") -> "list[Report]":
    """Prints the reports that the command itself would print."""
    from rich.console import Console  # noqa: PLC0415

    from functions.local.reporting import reports_on  # noqa: PLC0415
    from functions.local.terminal import render  # noqa: PLC0415
    from shared.steps.inquiry import Request  # noqa: PLC0415

    request = Request(fallback_python=played.story.python)
    reports = reports_on(str(played.story.path), str(played.log), request, ("", ""), lambda _sentence: None)
    render(reports, Console(soft_wrap=False))
    return reports


def _serves_the_target(played: "Rehearsal", reports: "list[Report]", folder: Path) -> bool:
    """Whether what the first report proposes really mends the service: it is served and visited as well."""
    from functions.local.showcase.rehearsal import export  # noqa: PLC0415
    from functions.local.showcase.service import serving  # noqa: PLC0415
    from functions.local.showcase.visitor import visit  # noqa: PLC0415

    target = reports[0].proof.target if reports else None
    if target is None:
        _say("Nothing was proposed. That is not what this demo is meant to show.")
        return False
    with serving(export(played.story, target.commit.id, folder)) as service:
        seen = visit(service.port)
    closed = f"{seen.messages} message received, then closed with {seen.close_code}"
    _say(f"Serving the proposed commit {target.commit.id[:10]}, to see whether the proof holds: {closed}.")
    return seen.close_code == 1000


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
