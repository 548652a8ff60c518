"""Selects one page of the list of incidents: those that match the reader's query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from shared.proposal.state_words import INCIDENT_WORDS
from shared.proposal.states import IncidentState
from shared.workflow.records.incident_record import IncidentRecord

PAGE_SIZE = 50
_MAX_TEXT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What a reader looks for; "" for anything. Pages count from 1."""

    text: str = ""
    service: str = ""
    state: str = ""
    page: int = 1

    def address(self, page: int) -> str:
        """The address of another page of the same query."""
        asked = {"q": self.text, "service": self.service, "state": self.state, "page": str(page)}
        return f"/?{urlencode({name: value for name, value in asked.items() if value})}"


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of what was found. `services` and `states` are those that there are to choose from."""

    query: ListQuery
    records: Sequence[IncidentRecord]
    match_count: int
    pages: int
    services: Sequence[str]
    states: Sequence[tuple[str, str]]


def read_query(parameters: Mapping[str, str]) -> ListQuery:
    """From the address; what is no page number is the first."""
    number = parameters.get("page", "")
    return ListQuery(
        parameters.get("q", "").strip()[:_MAX_TEXT_LENGTH],
        parameters.get("service", "")[:_MAX_TEXT_LENGTH],
        parameters.get("state", "")[:_MAX_TEXT_LENGTH],
        int(number) if number.isascii() and number.isdigit() and len(number) < len("100000") else 1,
    )


def select_page(records: Sequence[IncidentRecord], query: ListQuery) -> ListPage:
    """What is open comes first, each in the order given; a page beyond the last one is the last."""
    matching = sorted((record for record in records if _matches(record, query)), key=lambda record: not record.active)
    pages = max(1, -(-len(matching) // PAGE_SIZE))
    page = min(max(1, query.page), pages)
    states = sorted({record.state for record in records}, key=list(IncidentState).index)
    return ListPage(
        query=ListQuery(query.text, query.service, query.state, page),
        records=matching[(page - 1) * PAGE_SIZE : page * PAGE_SIZE],
        match_count=len(matching),
        pages=pages,
        services=sorted({record.service for record in records}),
        states=[(state.value, INCIDENT_WORDS[state].label) for state in states],
    )


def _matches(record: IncidentRecord, query: ListQuery) -> bool:
    if query.service not in {"", record.service} or query.state not in {"", record.state.value}:
        return False
    shown = " ".join((record.id, record.service, record.error_class, record.path, record.kind.value, *record.revisions))
    return all(word in shown.lower() for word in query.text.lower().split())
