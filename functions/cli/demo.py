"""`provenfix demo`: runs a scenario on this machine, from the failure to the closed issue, with a page to look at.

Everything happens in a temporary folder and on loopback; it leaves no process and no file behind.
"""

import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from functions.cli.progress import create_status_printer, show_page
from functions.demo.export import export_example
from functions.demo.run import DemoOptions
from functions.demo.scenario import ScenarioName
from functions.demo.session import run_demo
from functions.local.private_files import make_private
from shared.errors import UsageError
from shared.text.escaping import to_one_line
from shared.text.phrases import join_words

_NEXT_STEPS = """
Watch your own service while it logs (provenfix.example.yaml shows the configuration):

    gcloud logging tail 'resource.labels.service_name="SERVICE"' --format=json \\
        | provenfix watch --config provenfix.yaml

Or investigate a log that it has already written:

    gcloud logging read 'resource.type="cloud_run_revision" resource.labels.service_name="SERVICE"' \\
        --freshness=1d --format=json > log.json
    provenfix investigate --repo . --log log.json
"""
_SCENARIO_HELP = f"{join_words([name.value for name in ScenarioName], 'or')}."


def demo(  # noqa: PLR0913, PLR0917  # one parameter for each option
    port: Annotated[int, typer.Option(metavar="N", help="Port of the page; 0 takes a free one.", min=0, max=65535)] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
    scenario: Annotated[str, typer.Option(metavar="NAME", help=_SCENARIO_HELP)] = "incident",
    auto_approve: Annotated[
        bool, typer.Option("--auto-approve", help="Press Approve, and exit when the issue is closed.")
    ] = False,
    folder: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Keep all state in this folder, and continue from it.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Only write the example service out, with its CI and its log.")
    ] = None,
) -> int:
    """Run an example incident from the first log entry to the fix.

    It breaks an example service, proves the fix, asks for an approval, deploys, verifies and closes the issue.
    """
    if export is not None:
        return _export_example(export)
    say = create_status_printer()
    chosen = _parse_scenario(scenario)
    with _open_folder(folder) as home:
        options = DemoOptions(
            home, chosen, port, auto_approve, say, lambda address: show_page(address, say, browser=browser)
        )
        closed = run_demo(options)
    print(_NEXT_STEPS, end="")
    return 0 if closed else 1


def _export_example(folder: Path) -> int:
    written = export_example(folder)
    print(f"The example service is in {to_one_line(str(written.repository))}. Next:\n")
    print(
        f"    provenfix investigate --repo {shlex.quote(str(written.repository))} --log {shlex.quote(str(written.log))}"
    )
    return 0


def _parse_scenario(name: str) -> ScenarioName:
    try:
        return ScenarioName(name)
    except ValueError:
        raise UsageError(
            f"--scenario {name!r} must be one of {', '.join(scenario.value for scenario in ScenarioName)}"
        ) from None


@contextmanager
def _open_folder(folder: Path | None) -> Iterator[Path]:
    """Yields the folder, or a temporary one that is deleted afterwards."""
    if folder is not None:
        make_private(folder)
        yield folder.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="provenfix-demo-", ignore_cleanup_errors=True) as name:
        yield Path(name).resolve()
