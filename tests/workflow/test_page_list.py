"""The list of incidents: a search, a service, a state and a page number go in; the incidents that match come out."""

import re
from dataclasses import replace

import pytest

from functions.local.page.incident_list import PAGE_SIZE, ListQuery, read_query, select_page
from shared.proposal.states import IncidentState
from shared.workflow.records.incident_record import IncidentRecord, require_incident
from tests.support.harness import Harness
from tests.support.page_client import build_site, propose_on_one_machine, request_page


def make_records(harness: Harness, count: int) -> list[IncidentRecord]:
    """One that is open and the rest resolved; every other one is of another service."""
    first = require_incident(harness.start_process(), propose_on_one_machine(harness))
    resolved = replace(first, state=IncidentState.RESOLVED)
    rest = [
        replace(resolved, id=f"{number:04}-1", service=("shore.tide", "shore.quay")[number % 2], path=f"a/b{number}.py")
        for number in range(count - 1)
    ]
    return [*rest, first]


@pytest.mark.parametrize(
    ("query", "match_count"),
    [
        (ListQuery(), 120),
        (ListQuery(text="B17.py"), 1),
        (ListQuery(text="quay b3"), 6),
        (ListQuery(service="shore.quay"), 59),
        (ListQuery(state="proposed"), 1),
        (ListQuery(service="shore.quay", state="proposed"), 0),
        (ListQuery(text="nothing of the kind"), 0),
    ],
)
def test_only_what_was_asked_for_is_found(harness: Harness, query: ListQuery, match_count: int) -> None:
    assert select_page(make_records(harness, 120), query).match_count == match_count


def test_every_incident_is_on_one_page_and_what_is_open_on_the_first(harness: Harness) -> None:
    records = make_records(harness, 2 * PAGE_SIZE + 20)
    pages = [select_page(records, ListQuery(page=number)) for number in (1, 2, 3)]
    assert [len(page.records) for page in pages] == [PAGE_SIZE, PAGE_SIZE, 20]
    assert {record.id for page in pages for record in page.records} == {record.id for record in records}
    assert pages[0].records[0].state is IncidentState.PROPOSED
    assert select_page(records, ListQuery(page=9)).query.page == 3


@pytest.mark.parametrize("number", ["", "-1", "x", "1e3", "²", "9" * 40])
def test_what_is_no_page_number_is_the_first(number: str) -> None:
    assert read_query({"page": number}).page == 1


def test_the_page_offers_search_and_keeps_what_was_typed(harness: Harness) -> None:
    propose_on_one_machine(harness)
    site = build_site(harness)
    every = request_page(site, "/").body
    assert every.count('class="card"') == 1
    none = request_page(site, "/?q=%3Cb%3Enowhere").body
    assert none.count('class="card"') == 0
    assert 'value="&lt;b&gt;nowhere"' in none
    assert re.search(r'href="/">Show all 1<', none)
