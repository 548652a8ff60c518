"""Twenty instances meet one failure at the same moment: one incident, opened once, on every store."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest

from shared.errors import Retry
from shared.workflow.context import Context, StepResult
from shared.workflow.record import record_log_entry
from tests.support.harness import Harness
from tests.support.stores import StoreOpener

AGAIN = "again"
INSTANCES = 20
MOST_DELIVERIES = 5
"""As many as a subscription makes before it gives a message up."""


@pytest.mark.parametrize("copies", ["of one entry", "of one defect"])
def test_twenty_instances_that_open_an_incident_at_once_open_one(opened: StoreOpener, copies: str) -> None:
    setting = Harness(store=opened())
    entries = [setting.log_entry() for _ in range(INSTANCES if copies == "of one defect" else 1)]
    worlds = [setting.start_process(lambda name, port: opened() if name == "store" else port) for _ in range(INSTANCES)]
    told = delivered([partial(record_log_entry, world, entries[n % len(entries)]) for n, world in enumerate(worlds)])
    assert len(told) == INSTANCES
    # The one that opened it may have to come again, if another one is about to publish; it then finds a duplicate.
    assert told.count("opened") <= 1
    assert set(told) <= {"opened", "duplicate"}
    [incident] = setting.store.find("incidents", "service", "shore.tide")
    assert incident.value["state"] == "opened"
    assert setting.bus.published == [("incident-opened", {"incident": incident.key})]


def delivered(handlers: list[Callable[[], StepResult]]) -> list[str]:
    """What becomes of messages that are handled at the same moment; those that ask for it are delivered again."""
    told: list[str] = []
    for _ in range(MOST_DELIVERIES):
        start = Barrier(len(handlers))
        with ThreadPoolExecutor(len(handlers)) as pool:
            outcomes = list(pool.map(partial(at_once, start), handlers))
        told += [outcome for outcome in outcomes if outcome != AGAIN]
        handlers = [handle for handle, outcome in zip(handlers, outcomes, strict=True) if outcome == AGAIN]
        if not handlers:
            return told
    raise AssertionError(f"{len(handlers)} messages were never taken")


def at_once(start: Barrier, handle: Callable[[], StepResult]) -> str:
    start.wait()
    try:
        return handle().name
    except Retry:
        return AGAIN


def test_an_instance_that_comes_later_finds_the_incident_open(opened: StoreOpener) -> None:
    setting = Harness(store=opened())
    worlds: list[Context] = [setting.start_process(), setting.start_process()]
    assert [record_log_entry(world, setting.log_entry()).name for world in worlds] == ["opened", "duplicate"]
    assert len(setting.bus.published) == 1
