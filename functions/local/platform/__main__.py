"""`python -m functions.local.platform FOLDER`: runs the services of the configuration until it is ended.

In: the settings of the stack, and a folder for the files of revisions. A service is served where its probe_url leads on
loopback.
"""

import asyncio
import signal
import sys
from contextlib import suppress
from pathlib import Path

from functions.local.platform.controller import START_SECONDS, Controller
from functions.local.platform.launch import Launcher
from functions.local.platform.log_journal import Journal
from shared.config.settings import read_all_settings
from shared.errors import InputError, UsageError
from shared.local_sources import open_service_logs
from shared.state_stores import create_publisher, create_store


def main(folder: Path, start_seconds: float = START_SECONDS) -> int:
    """Exit code: 0 where it was ended, 3 with one sentence where it could not go on."""
    try:
        settings = read_all_settings()
        controller = Controller(
            settings.services,
            create_store(settings),
            Journal(open_service_logs(settings), create_publisher(settings)),
            Launcher(settings.interpreters, folder / "packages"),
            folder,
            start_seconds,
        )
        asyncio.run(_run_until_stopped(controller))
    except (UsageError, InputError) as error:
        print(error, file=sys.stderr)
        return 3
    return 0


async def _run_until_stopped(controller: Controller) -> None:
    running = asyncio.create_task(controller.run())
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    with suppress(asyncio.CancelledError):
        await running


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *(float(word) for word in sys.argv[2:])))
