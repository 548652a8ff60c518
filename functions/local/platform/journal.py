"""The log of all that is served here: entries come in as they happen; they are kept, and the sink hands on its share.

An entry is kept before it is handed on: whoever is told of the end of a traceback looks for the lines before it.
"""

import asyncio
import json
from collections.abc import Mapping

from functions.local.platform.entries import Entry
from shared.adapters.delivery import RawPublisher
from shared.adapters.logs.log_json import parse_json_entry
from shared.adapters.sqlite.sqlite_logs import SqliteLogs
from shared.detection.traceback import mentions_syntax_error
from shared.errors import Retry
from shared.workflow import flow

_FLUSH_SECONDS = 0.03
"""Entries of one pause are written in one go: a commit to the disk costs more than they do."""


class Journal:
    """Entries are added from the event loop alone."""

    def __init__(self, logs: SqliteLogs, inlet: RawPublisher) -> None:
        self._logs = logs
        self._inlet = inlet
        self._waiting: list[Entry] = []

    def add_entry(self, entry: Entry) -> None:
        """Takes one entry; it is written soon."""
        self._waiting.append(entry)

    async def flush_repeatedly(self) -> None:
        """Runs until it is cancelled."""
        while True:
            self.flush()
            await asyncio.sleep(_FLUSH_SECONDS)

    def flush(self) -> None:
        """Writes what waits; where a file is busy it waits on."""
        if not self._waiting:
            return
        written = list(self._waiting)
        try:
            self._logs.write(written)
            matched = [json.dumps(entry).encode() for entry in written if matches_sink(entry)]
            if matched:
                self._inlet.publish_raw(flow.LOG_ENTRIES, matched)
        except Retry:
            return  # both take an entry twice without harm
        del self._waiting[: len(written)]


def matches_sink(entry: Mapping[str, object]) -> bool:
    """No less than the deployed sinks (`shared/filters`) let through: `record` reads each, and refuses the rest."""
    read = parse_json_entry(entry, 0)
    if read.log_name.endswith("%2Frequests"):
        return False
    return mentions_syntax_error(read.text) or "1011" in read.text
