"""A platform that really serves: a repository of tiny services, the local platform as a process, and its ports."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from functions.demo.fast_import import CommitSpec, write_repository
from functions.local.server_process import build_platform_server, find_free_port
from functions.local.supervisor import Supervisor
from shared.adapters.sqlite.sqlite_logs import SqliteLogs
from shared.adapters.sqlite.sqlite_queue import SqliteQueue
from shared.adapters.sqlite.sqlite_store import SqliteStore
from shared.adapters.standins.process_platform import ManualRevision, ProcessPlatform, RevisionSource
from shared.adapters.system import SystemClock
from shared.local_sources import LOGS_FILE
from shared.proposal.rollout import Deployment, DeploymentProgress
from shared.service import Service
from shared.state_stores import QUEUE_FILE, STORE_FILE

TIMEOUT_SECONDS = 60.0
_POLL_SECONDS = 0.02
_SERVING_SOURCE = """\
import http.server, json, os, sys

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print("answering", self.path, flush=True)
        print(json.dumps({"severity": "NOTICE", "message": "told " + self.path}), flush=True)
        body = ("VERSION " + os.environ["K_REVISION"]).encode()
        self.send_response(404 if self.path == "/nowhere" else 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        print("an error of", __file__, file=sys.stderr, flush=True)

http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer).serve_forever()
"""
_EXITING_SOURCE = "import sys\nprint('no such tide')\nsys.exit(3)\n"
_SILENT_SOURCE = "import threading\nthreading.Event().wait()\n"
_CONFIGURATION = """\
services:
  - {{name: tide, project: shore, region: europe-west6, repository: {repository}, channel: C1, probe_url: "{probe}"}}
"""
VERSIONS = ("old", "fix", "next", "ends", "silent", "python")


def _files(version: str) -> Mapping[str, str]:
    program = {"ends": _EXITING_SOURCE, "silent": _SILENT_SOURCE}.get(
        version, _SERVING_SOURCE.replace("VERSION", version)
    )
    files = {"Procfile": "web: python serve.py\n", "serve.py": program}
    return files | (
        {"Dockerfile": 'FROM python:3.99-slim\nCMD ["python", "serve.py"]\n'} if version == "python" else {}
    )


@dataclass
class LocalPlatform:
    """One served service, `tide`. `commits` by the names of `VERSIONS`."""

    folder: Path
    service: Service
    commits: Mapping[str, str]
    supervised: Supervisor
    store: SqliteStore
    logs: SqliteLogs
    queue: SqliteQueue
    opened_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def ports(self) -> ProcessPlatform:
        """The ports, as a process of a function would make them."""
        return ProcessPlatform(self.store, SystemClock())

    @property
    def port(self) -> int:
        """Where the service is reached."""
        return urlsplit(self.service.probe_url).port or 0

    def deploy_manually(self, name: str, version: str) -> Deployment:
        """Deploys past provenfix, and returns how it stands once that is known."""
        self.ports.deploy_by_hand(self.service, ManualRevision(name, RevisionSource(self.commits[version])))
        return self.wait_for_operation(name)

    def wait_for_operation(self, operation: str) -> Deployment:
        """How a deployment stands once it is not running any more."""
        self.wait_until(lambda: self.ports.state(self.service, operation).progress is not DeploymentProgress.RUNNING)
        return self.ports.state(self.service, operation)

    def fetch(self, path: str = "/", port: int = 0) -> str:
        """What the service answers; "" where it does not."""
        connection = HTTPConnection("127.0.0.1", port or self.port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.read().decode() if response.status < 500 else ""
        except (OSError, HTTPException):
            return ""
        finally:
            connection.close()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Returns once it is true; fails at the deadline."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not condition():
            assert time.monotonic() < deadline, (self.folder / "platform.log").read_text("utf-8")
            time.sleep(_POLL_SECONDS)


@contextmanager
def run_local_platform(folder: Path, start_seconds: float = TIMEOUT_SECONDS) -> Iterator[LocalPlatform]:
    """Runs the platform while the block runs; nothing is deployed yet."""
    began = datetime(2026, 3, 1, tzinfo=UTC)
    plans = [CommitSpec(f"{name}: a change", began, "Kim Reed", _files(name)) for name in VERSIONS]
    commits = write_repository(folder / "tide.git", plans)
    probe = f"http://127.0.0.1:{find_free_port()}/"
    config = folder / "provenfix.yaml"
    config.write_text(_CONFIGURATION.format(repository=folder / "tide.git", probe=probe), "utf-8")
    environment = {
        "PROVENFIX_CONFIG": str(config),
        "PROVENFIX_EMBEDDED": str(folder),
        "PROVENFIX_PLATFORM": "served",
    }
    service = Service("tide", "shore", "europe-west6", str(folder / "tide.git"), "C1", probe_url=probe)
    port = urlsplit(probe).port or 0
    server = build_platform_server(folder, port, environment)
    server = replace(server, command=[*server.command, str(start_seconds)])
    with ExitStack() as stack:
        tended = Supervisor(folder, stack)
        opened = SqliteStore(folder / STORE_FILE), SqliteLogs(folder / LOGS_FILE), SqliteQueue(folder / QUEUE_FILE)
        for file in opened:
            stack.callback(file.close)
        tended.start_servers([server])
        yield LocalPlatform(folder, service, dict(zip(VERSIONS, commits, strict=True)), tended, *opened)
