"""`provenfix demo`: a scenario in; the whole loop runs on this machine, with a page to look at, until it is closed.

Everything happens in a temporary folder and on loopback; neither a process nor a file is left behind. What only the
demo needs is imported when it runs: the other commands must not pay for it.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from functions.cli.status_lines import sayer, shown
from shared.errors import UsageError

if TYPE_CHECKING:
    from functions.demo.scenario import Scenario

_NOW_YOURS = """
Your own service, while it logs (provenfix.example.yaml shows the file):

    gcloud logging tail 'resource.labels.service_name="SERVICE"' --format=json \\
        | provenfix watch --config provenfix.yaml

Or from the log that it has written:

    gcloud logging read 'resource.type="cloud_run_revision" resource.labels.service_name="SERVICE"' \\
        --freshness=1d --format=json > log.json
    provenfix investigate --repo . --log log.json
"""
_NAMES = "incident, pull-request, rollback, failed-probe, storm or lying-label."


def demo(
    port: Annotated[int, typer.Option(metavar="N", help="The page's; 0 takes a free one.", min=0, max=65535)] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Show the page in a browser.")] = True,
    scenario: Annotated[str, typer.Option(metavar="NAME", help=_NAMES)] = "incident",
    auto_approve: Annotated[bool, typer.Option("--auto-approve", help="Press Approve, and end with the loop.")] = False,
    folder: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Keep all state there, and go on from it.")
    ] = None,
) -> int:
    """Break an example service, prove the fix, approve it, see it deployed, verified and closed."""
    from functions.demo.run import Asked  # noqa: PLC0415
    from functions.demo.session import perform  # noqa: PLC0415

    say = sayer()
    chosen = _scenario(scenario)
    with _kept(folder) as home:
        asked = Asked(home, chosen, port, auto_approve, say, lambda address: shown(address, say, browser=browser))
        closed = perform(asked)
    print(_NOW_YOURS, end="")
    return 0 if closed else 1


def _scenario(name: str) -> "Scenario":
    from functions.demo.scenario import Scenario  # noqa: PLC0415

    try:
        return Scenario(name)
    except ValueError:
        raise UsageError(f"--scenario {name!r} is not one of {', '.join(each.value for each in Scenario)}") from None


@contextmanager
def _kept(folder: Path | None) -> Iterator[Path]:
    """The folder itself, or a temporary one that is gone afterwards."""
    from functions.local.private_files import make_private  # noqa: PLC0415

    if folder is not None:
        make_private(folder)
        yield folder.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="provenfix-demo-", ignore_cleanup_errors=True) as name:
        yield Path(name).resolve()
