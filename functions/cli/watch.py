"""`provenfix watch`: a configuration and a growing log in; incidents, proofs, questions on a page of this machine."""

from pathlib import Path
from typing import Annotated

import typer

from functions.cli.status_lines import create_status_printer, show_page


def watch(
    config: Annotated[Path, typer.Option(metavar="FILE", help="Names the services, and clones of them.")],
    log: Annotated[str, typer.Option(metavar="FILE", help="Followed while it grows; - is stdin.")] = "-",
    folder: Annotated[Path, typer.Option(metavar="PATH", help="Takes state and output.")] = Path(".provenfix"),
    port: Annotated[int, typer.Option(metavar="N", help="The page's; 0 takes a free one.", min=0, max=65535)] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Show the page in a browser.")] = True,
) -> int:
    """Watch your own services by their log: gcloud logging tail … --format=json | provenfix watch --config FILE."""
    from functions.cli.watch_service import WatchOptions, run_watch  # noqa: PLC0415  # other commands start without it

    say = create_status_printer()
    return run_watch(WatchOptions(config, log, folder, port, say, lambda address: show_page(address, say, browser=browser)))
