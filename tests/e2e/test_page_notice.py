"""The page of an incident for which nothing is proposed, in a real browser: its notice, and nothing to click."""

import re

from shared.adapters.standins.chat_and_issues import MESSAGES_KIND, LocalChat, LocalIssues
from shared.proof.model.recommendation import ActionKind, Reason
from shared.proposal.notice import format_notice_id
from shared.proposal.proposal import Label
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.record import record_log_entry
from tests.support.drivers import MINUTE, read_state, run_tick
from tests.support.e2e.browser import open_browser
from tests.support.harness import Harness
from tests.support.memory import MemoryStore
from tests.support.page_client import build_site, request_page


def report_close(harness: Harness, text: str) -> str:
    """A close that nothing explains, investigated on one machine."""
    kept = {"chat": LocalChat(harness.store), "issues": LocalIssues(harness.store)}
    process = harness.start_process(kept.get)
    incident = record_log_entry(process, harness.log_entry(text)).incident
    run_tick(harness, 3 * MINUTE)
    investigate_incident(process, incident)
    return incident


def test_the_notice_is_shown_without_a_button() -> None:
    harness = Harness()
    assert isinstance(harness.store, MemoryStore)
    harness.prover.kind, harness.prover.reason = ActionKind.NONE, Reason.CLOSE_1011_UNPROVEN
    incident = report_close(harness, "WebSocket /ws closed: code=1011")
    assert read_state(harness, incident) == "reported"
    [key] = harness.store.documents(MESSAGES_KIND)
    assert key.endswith(format_notice_id(incident))
    answer = request_page(build_site(harness), f"/incidents/{incident}")
    with open_browser() as eyes, eyes.open_page() as page:
        page.set_content(answer.body)
        panel = page.locator("#slack")
        assert panel.is_visible()
        assert panel.locator(".slack-title").count() == 1
        labels = panel.locator(".slack-text strong").all_inner_texts()
        assert {f"{label}:" for label in (Label.IMPACT, Label.SINCE)} <= {label.strip() for label in labels}
        assert panel.locator(".slack-button").count() == 0
        assert page.get_by_role("button", name=re.compile("approve|deny|roll back", re.IGNORECASE)).count() == 0
