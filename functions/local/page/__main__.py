"""`python -m functions.local.page`: serves the page of a stack until it is stopped.

--folder PATH of the stack (`provenfix up`): names the environment that leads to its store --port N on loopback --decide
URL of the function that clicks go to

Besides, as every function does: PROVENFIX_CONFIG, and the variable that its `slack.signing_secret` refers to. Where
function or secret is missing, the page is read-only, and says so in place of the buttons.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from functions.local.page.incident_view import IncidentReader
from functions.local.page.site import Site, create_app
from functions.local.page.slack_clicks import ClickSender
from functions.local.server_process import LOOPBACK
from functions.local.stack_folder import load_environment, override_environ
from shared.config.settings import read_all_settings
from shared.credentials import build_secret_reader
from shared.errors import InputError, Retry, UsageError
from shared.state_stores import create_store
from shared.text.escaping import to_one_line

_SHUTDOWN_SECONDS = 1
"""A page that listens for changes is hung up on after this long."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0 once it was ended, 2 or 3 with one sentence where it cannot be served."""
    given = _create_parser().parse_args(arguments)
    try:
        with override_environ(load_environment(given.folder)):
            site = _create_site(given.decide)
            serve_site(site, given.port)
    except UsageError as error:
        return _print_error(error, 2)
    except (InputError, Retry) as error:
        return _print_error(error, 3)
    return 0


def serve_site(page_site: Site, port: int) -> None:
    """Returns once the process is asked to end."""
    config = uvicorn.Config(
        create_app(page_site, port), host=LOOPBACK, port=port, log_level="warning", access_log=False,
        server_header=False, timeout_graceful_shutdown=_SHUTDOWN_SECONDS, lifespan="off", ws="none",
    )  # fmt: skip
    uvicorn.Server(config).run()


def _create_site(decide: str) -> Site:
    settings = read_all_settings({**os.environ})
    shelf = IncidentReader(create_store(settings), settings.services)
    if not decide:
        return Site(shelf, None, "This page is read-only: provenfix does not deploy from here.")
    signing = build_secret_reader(settings, settings.secrets.slack_signing_secret, "slack.signing_secret")
    try:
        signing()  # found out now, and not at the first click
    except UsageError as missing:
        return Site(shelf, None, f"Clicks cannot be signed: {missing}")
    return Site(shelf, ClickSender(decide, signing))


def _create_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m functions.local.page", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--decide", type=_parse_loopback_url, default="", metavar="URL")
    return parser


def _parse_loopback_url(url: str) -> str:
    if url and not url.startswith((f"http://{LOOPBACK}:", "http://localhost:")):
        raise argparse.ArgumentTypeError("clicks go to a function on loopback, such as http://127.0.0.1:8300/")
    return url


def _print_error(error: Exception, code: int) -> int:
    print(f"provenfix: {to_one_line(str(error))}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
