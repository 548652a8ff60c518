"""People who keep visiting the example service while a block runs; how the last one fared can be asked at any time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread

from functions.demo.ws_client import Visit, visit_service
from shared.errors import InputError

_PAUSE_SECONDS = 0.7


@dataclass(slots=True)
class Visitors:
    """`last` is None until somebody got an answer, and again while nobody gets one."""

    port: int
    last: Visit | None = None
    stop: Event = field(default_factory=Event)

    def visit_repeatedly(self) -> None:
        """One after the other, until it is over."""
        while not self.stop.wait(_PAUSE_SECONDS):
            try:
                self.last = visit_service(self.port)
            except InputError:
                self.last = None  # told by whoever asks: a service that does not answer is part of the story


@contextmanager
def run_visitors(port: int) -> Iterator[Visitors]:
    """Visits the service on a port of the loopback."""
    visitors = Visitors(port)
    thread = Thread(target=visitors.visit_repeatedly)
    thread.start()
    try:
        yield visitors
    finally:
        visitors.stop.set()
        thread.join()
