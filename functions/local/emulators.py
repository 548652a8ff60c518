"""The emulators of Pub/Sub and Firestore: two ports go in, two servers to start come out, or what has to be installed.

They are started as Java programs, without `gcloud`, which takes seconds to start and leaves processes behind.
"""

import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from functions.local.server_process import LOOPBACK, Server, answers, free_port, running
from shared.errors import InputError

INSTALL = "install Java 17 and the Cloud SDK, then: gcloud components install pubsub-emulator cloud-firestore-emulator"
_PUBSUB = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar"
_FIRESTORE = "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"
_WELL_KNOWN = (
    "/usr/lib/google-cloud-sdk",
    "/usr/share/google-cloud-sdk",
    "/opt/google-cloud-sdk",
    "~/google-cloud-sdk",
)
_QUICK = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""Short-lived on a small machine: starting soon is worth more than running fast."""


@dataclass(frozen=True, slots=True)
class Installed:
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


def installed() -> Installed:
    """Raises `shared.errors.InputError` that names what is missing and how to install it."""
    java = shutil.which("java")
    if java is None:
        raise InputError(f"The emulators need Java, which is not on PATH: {INSTALL}")
    for root in _roots():
        pubsub, firestore = sorted(root.glob(_PUBSUB)), root / _FIRESTORE
        if pubsub and firestore.is_file():
            return Installed(java, pubsub[-1], firestore)
    raise InputError(f"The emulators of Pub/Sub and Firestore were not found: {INSTALL}")


@contextmanager
def emulating(folder: Path, ports: tuple[int, int] | None = None) -> Iterator[Emulators]:
    """Runs both while the block runs, on `ports` (Pub/Sub, Firestore) or on free ones. Raises as `installed` does."""
    found = installed()
    pubsub, firestore = ports or (free_port(), free_port())
    servers = [_pubsub(found, pubsub), _firestore(found, firestore)]
    with ExitStack() as stack:
        started = [(server, stack.enter_context(running(server, folder))) for server in servers]
        for server, process in started:
            answers(server, process, folder)
        yield Emulators(pubsub, firestore, started)


def _pubsub(found: Installed, port: int) -> Server:
    command = [found.java, *_QUICK, "-jar", str(found.pubsub), f"--host={LOOPBACK}", f"--port={port}"]
    return Server("pubsub-emulator", command, port, {})


def _firestore(found: Installed, port: int) -> Server:
    main = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
    command = [found.java, *_QUICK, "-cp", str(found.firestore), main, f"--host={LOOPBACK}", f"--port={port}"]
    return Server("firestore-emulator", command, port, {})


def _roots() -> Iterator[Path]:
    """Folders where the Cloud SDK may be, the ones that cost nothing to try first."""
    yield from (Path(root).expanduser() for root in _WELL_KNOWN)
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        return
    yield Path(gcloud).resolve().parent.parent
    told = subprocess.run(
        [gcloud, "info", "--format=value(installation.sdk_root)"], capture_output=True, text=True, check=False
    )
    if told.stdout.strip():
        yield Path(told.stdout.strip())
