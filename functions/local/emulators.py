"""Finds and runs the emulators of Pub/Sub and Firestore, or says what has to be installed.

They are started as Java programs, without `gcloud`, which takes seconds to start and leaves processes behind.
"""

import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from functions.local.server_process import LOOPBACK, Server, find_free_port, run_server, wait_until_ready
from shared.errors import InputError

INSTALL_HINT = (
    "install Java 17 and the Cloud SDK, then: gcloud components install pubsub-emulator cloud-firestore-emulator"
)
_PUBSUB_JAR = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar"
_FIRESTORE_JAR = "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"
_SDK_FOLDERS = (
    "/usr/lib/google-cloud-sdk",
    "/usr/share/google-cloud-sdk",
    "/opt/google-cloud-sdk",
    "~/google-cloud-sdk",
)
_FAST_START_OPTIONS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""Short-lived on a small machine: starting soon is worth more than running fast."""


@dataclass(frozen=True, slots=True)
class EmulatorPaths:
    """Where the programs are."""

    java: str
    pubsub: Path
    firestore: Path


@dataclass(frozen=True, slots=True)
class Emulators:
    """Two running emulators."""

    pubsub_port: int
    firestore_port: int
    servers: "Sequence[tuple[Server, subprocess.Popen[bytes]]]"

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables by which Google's clients find them."""
        return {
            "PUBSUB_EMULATOR_HOST": f"{LOOPBACK}:{self.pubsub_port}",
            "FIRESTORE_EMULATOR_HOST": f"{LOOPBACK}:{self.firestore_port}",
        }


def find_emulators() -> EmulatorPaths:
    """Raises `shared.errors.InputError` that names what is missing and how to install it."""
    java = shutil.which("java")
    if java is None:
        raise InputError(f"The emulators need Java, which is not on PATH: {INSTALL_HINT}")
    for root in _find_sdk_folders():
        pubsub, firestore = sorted(root.glob(_PUBSUB_JAR)), root / _FIRESTORE_JAR
        if pubsub and firestore.is_file():
            return EmulatorPaths(java, pubsub[-1], firestore)
    raise InputError(f"The emulators of Pub/Sub and Firestore were not found: {INSTALL_HINT}")


@contextmanager
def run_emulators(folder: Path, ports: tuple[int, int] | None = None) -> Iterator[Emulators]:
    """Runs both while the block runs, on `ports` (Pub/Sub, Firestore) or free ones. Raises as `find_emulators` does."""
    paths = find_emulators()
    pubsub, firestore = ports or (find_free_port(), find_free_port())
    servers = [_build_pubsub_server(paths, pubsub), _build_firestore_server(paths, firestore)]
    with ExitStack() as stack:
        started = [(server, stack.enter_context(run_server(server, folder))) for server in servers]
        for server, process in started:
            wait_until_ready(server, process, folder)
        yield Emulators(pubsub, firestore, started)


def _build_pubsub_server(paths: EmulatorPaths, port: int) -> Server:
    command = [paths.java, *_FAST_START_OPTIONS, "-jar", str(paths.pubsub), f"--host={LOOPBACK}", f"--port={port}"]
    return Server("pubsub-emulator", command, port, {})


def _build_firestore_server(paths: EmulatorPaths, port: int) -> Server:
    main = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
    command = [
        paths.java,
        *_FAST_START_OPTIONS,
        "-cp",
        str(paths.firestore),
        main,
        f"--host={LOOPBACK}",
        f"--port={port}",
    ]
    return Server("firestore-emulator", command, port, {})


def _find_sdk_folders() -> Iterator[Path]:
    """Folders where the Cloud SDK may be, the ones that cost nothing to try first."""
    yield from (Path(root).expanduser() for root in _SDK_FOLDERS)
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        return
    yield Path(gcloud).resolve().parent.parent
    answer = subprocess.run(
        [gcloud, "info", "--format=value(installation.sdk_root)"], capture_output=True, text=True, check=False
    )
    if answer.stdout.strip():
        yield Path(answer.stdout.strip())
