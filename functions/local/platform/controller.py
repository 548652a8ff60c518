"""Starts and stops processes until they match the stored services, each on its port.

Every round reads the store again, so that a controller that was killed goes on where it was: revisions are started
again from their files, and each service keeps its port.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from functions.local.platform.instance import Instance, NotReady, create_instance_id, start_instance
from functions.local.platform.launch import LOOPBACK, Launcher
from functions.local.platform.log_journal import InstanceRef, Journal
from functions.local.platform.proxy import Backend, ReverseProxy
from functions.local.platform.revision_files import prepare_files
from functions.local.server_process import find_free_port
from shared.adapters.standins.process_platform import (
    REVISIONS_KIND,
    SERVICES_KIND,
    RevisionSource,
    list_wanted_revisions,
    read_traffic_shares,
)
from shared.errors import InputError, Retry
from shared.ports import Store
from shared.service import Service

START_SECONDS = 20.0
"""After this long a revision whose port does not answer has failed."""
_ROUND_SECONDS = 0.05
_MAX_KILLED_STARTS = 5
"""Starts of a revision that was killed before it was ready; then it has failed."""
_RESTART_DELAYS = (0.0, 0.2, 0.5, 1.0, 2.0)
"""Pauses before a process that has ended is started again; the last one from then on."""


@dataclass(slots=True)
class RunningRevision:
    """A revision that is to run: its task, the address of its own, its instance while there is one."""

    task: asyncio.Task[None]
    proxy: ReverseProxy
    instance: Instance | None = None


@dataclass(slots=True)
class Controller:
    """Use `run`. `folder` takes the files of the revisions."""

    services: Mapping[str, Service]
    store: Store
    journal: Journal
    launcher: Launcher
    folder: Path
    start_seconds: float = START_SECONDS
    _running: dict[tuple[str, str], RunningRevision] = field(default_factory=dict)
    _splits: dict[str, Sequence[tuple[str, int]]] = field(default_factory=dict)

    async def run(self) -> None:
        """Runs until it is cancelled, then ends every process. Raises InputError if a port is in use."""
        writing = asyncio.create_task(self.journal.flush_repeatedly())
        fronts = [front for service in self.services.values() if (front := self._create_proxy(service)) is not None]
        try:
            for front in fronts:
                await _open_proxy(front)
            while True:
                await self._reconcile()
                await asyncio.sleep(_ROUND_SECONDS)
        finally:
            await asyncio.gather(*(self._stop_revision(key) for key in list(self._running)))
            for front in fronts:
                await front.close()
            writing.cancel()
            self.journal.flush()

    def _create_proxy(self, service: Service) -> ReverseProxy | None:
        """A service is reached where its probe looks for it; elsewhere it is not served here."""
        address = urlsplit(service.probe_url)
        if address.hostname != LOOPBACK or not address.port:
            return None
        return ReverseProxy(service, address.port, lambda: self._list_backends(service), self.journal.add_entry)

    def _list_backends(self, service: Service) -> Sequence[Backend]:
        return [self._find_backend(service, name, share) for name, share in self._splits.get(service.id, ())]

    def _find_backend(self, service: Service, revision: str, share: int) -> Backend:
        served = self._running.get((service.id, revision))
        instance = served.instance if served else None
        return (
            Backend(revision, share, instance.port, instance.source.instance)
            if instance
            else Backend(revision, share, 0)
        )

    async def _reconcile(self) -> None:
        sources: dict[tuple[str, str], RevisionSource] = {}
        try:
            for service in self.services.values():
                stored = self.store.read(SERVICES_KIND, service.id)
                if stored is not None:
                    self._splits[service.id] = read_traffic_shares(stored.value)
                    sources |= {
                        (service.id, name): source for name, source in list_wanted_revisions(stored.value).items()
                    }
        except Retry:
            return  # the next round asks again
        for key, source in sources.items():
            if key not in self._running:
                await self._start_revision(key, source)
        for key in [key for key in self._running if key not in sources]:
            await self._stop_revision(key)

    async def _start_revision(self, key: tuple[str, str], source: RevisionSource) -> None:
        service, revision = self.services[key[0]], key[1]
        front = ReverseProxy(service, 0, lambda: [self._find_backend(service, revision, 100)], self.journal.add_entry)
        await front.open()
        self._running[key] = RunningRevision(asyncio.create_task(self._keep_running(service, revision, source)), front)

    async def _stop_revision(self, key: tuple[str, str]) -> None:
        served = self._running.pop(key)
        served.task.cancel()
        await asyncio.gather(served.task, return_exceptions=True)
        await served.proxy.close()

    async def _keep_running(self, service: Service, revision: str, source: RevisionSource) -> None:
        """Starts the revision, and again whenever its process ends; gives up on one that was never ready."""
        files = self.folder / service.id / revision
        attempt = 0
        while True:
            await asyncio.sleep(_RESTART_DELAYS[min(attempt, len(_RESTART_DELAYS) - 1)])
            attempt += 1
            try:
                await asyncio.to_thread(prepare_files, service.repository, source, files)
                await self._run_instance(service, revision, files)
            except (InputError, NotReady) as failed:
                if isinstance(failed, NotReady) and failed.killed and attempt < _MAX_KILLED_STARTS:
                    continue
                if self._store_readiness(service, revision, "no", str(failed)) == "no":
                    return

    async def _run_instance(self, service: Service, revision: str, files: Path) -> None:
        """Returns when the process has ended. Raises NotReady, InputError."""
        port = find_free_port()
        launch = await asyncio.to_thread(self.launcher.plan_launch, service, revision, files, port)
        reference = InstanceRef(service, revision, create_instance_id())
        instance = await start_instance(reference, files, launch, port, self.journal.add_entry)
        try:
            await instance.wait_until_ready(self.start_seconds)
            served = self._running[(service.id, revision)]
            served.instance = instance
            self._store_readiness(service, revision, "yes", f"http://{LOOPBACK}:{served.proxy.port}")
            await instance.wait_until_ended()
        finally:
            if (service.id, revision) in self._running:
                self._running[(service.id, revision)].instance = None
            await instance.stop()

    def _store_readiness(self, service: Service, revision: str, ready: str, detail: str) -> str:
        """Writes the state of a revision: what was ready once stays so, only its address may be another one."""
        key = f"{service.id}.{revision}"
        value = {"ready": ready, "detail": "" if ready == "yes" else detail, "url": detail if ready == "yes" else ""}
        if self.store.create(REVISIONS_KIND, key, value):
            return ready
        stored = self.store.read(REVISIONS_KIND, key)
        if stored is None or (stored.value["ready"], ready) == ("yes", "no"):
            return "yes"
        self.store.replace(REVISIONS_KIND, key, value, stored.version)
        return ready


async def _open_proxy(front: ReverseProxy) -> None:
    try:
        await front.open()
    except OSError:
        raise InputError(
            f"Port {front.port} is taken, and {front.service.name} is to be reached there: end what listens there, "
            "or name another one in its probe_url"
        ) from None
