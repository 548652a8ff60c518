"""Opens what holds the state: the store, the bus and the dead letters, of the cloud or of one machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared import credentials
from shared.adapters.google import dead_letters, firestore_store, pubsub
from shared.adapters.sqlite import sqlite_queue, sqlite_store
from shared.errors import UsageError

if TYPE_CHECKING:
    from shared import ports
    from shared.adapters import delivery
    from shared.config.settings import Settings

STORE_FILE, QUEUE_FILE = "store.sqlite", "queue.sqlite"


def create_store(settings: Settings) -> ports.Store:
    """Where documents are kept. Raises UsageError where the settings name no project."""
    if settings.sqlite_folder is not None:
        return sqlite_store.SqliteStore(settings.sqlite_folder / STORE_FILE)
    project, token = require_project(settings), credentials.create_access_tokens(settings)
    return firestore_store.FirestoreStore(project, settings.database, emulator=settings.firestore_emulator, token=token)


def create_publisher(settings: Settings) -> pubsub.PubSubBus | sqlite_queue.SqliteQueue:
    """Where messages are published, raw ones included. Raises UsageError where the settings name no project."""
    if settings.sqlite_folder is not None:
        return sqlite_queue.SqliteQueue(settings.sqlite_folder / QUEUE_FILE)
    project, token = require_project(settings), credentials.create_access_tokens(settings)
    return pubsub.PubSubBus(project, settings.topic_prefix, emulator=settings.pubsub_emulator, token=token)


def create_dead_letters(settings: Settings, name: str) -> delivery.DeadLetters:
    """What could not be delivered. `name` is that of the subscription, without prefix. Raises UsageError as above."""
    if settings.sqlite_folder is not None:
        return sqlite_queue.SqliteQueue(settings.sqlite_folder / QUEUE_FILE)
    return dead_letters.PubSubDeadLetters(require_project(settings), settings.topic_prefix + name)


def require_project(settings: Settings) -> str:
    """The project that holds the state. Raises UsageError where none is configured."""
    if not settings.project:
        raise UsageError(
            "No stack runs here, and no project is configured. Start a stack with `provenfix up` or `provenfix demo`, "
            "name its folder with --folder, or set PROVENFIX_PROJECT for a deployed provenfix."
        )
    return settings.project
