"""Signed requests that are nearly right (two buttons at once, a foreign dialog): a payload in, no decision out."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from shared.adapters.slack.interaction import DENIAL_CALLBACK, build_denial_dialog, parse_click
from shared.errors import Reject
from shared.proposal.decision import ClickKind
from shared.workflow.records import decisions
from tests.support.drivers import propose_deployment, read_documents
from tests.support.function_clients import FunctionClients, button_payload, encode_form, open_function_clients
from tests.support.harness import APPROVER, Harness, button_click

POSTED = "C-TIDE/1795000000.000000"


@pytest.fixture
def opened() -> Iterator[FunctionClients]:
    setting = Harness()
    propose_deployment(setting)
    with open_function_clients(setting) as each:
        yield each


def _payload(opened: FunctionClients, kind: ClickKind) -> dict[str, Any]:
    return button_payload(opened.harness.chat.posted[0].message, kind)


def _action(opened: FunctionClients, kind: ClickKind) -> dict[str, Any]:
    [action] = _payload(opened, kind)["actions"]
    return dict(action)


def _decided(opened: FunctionClients) -> list[str]:
    return list(read_documents(opened.harness, "decisions"))


def _refused(body: bytes) -> str:
    with pytest.raises(Reject) as refused:
        parse_click(body)
    return refused.value.reason


@pytest.mark.parametrize(
    "kinds",
    [
        (ClickKind.APPROVE, ClickKind.APPROVE),
        (ClickKind.APPROVE, ClickKind.DENY),
        (ClickKind.DENY, ClickKind.APPROVE),
        (ClickKind.APPROVE, ClickKind.APPROVE, ClickKind.APPROVE),
        (),
    ],
)
def test_none_or_several_actions_in_one_request_decide_nothing(
    opened: FunctionClients, kinds: tuple[ClickKind, ...]
) -> None:
    payload = _payload(opened, ClickKind.APPROVE) | {"actions": [_action(opened, kind) for kind in kinds]}
    assert opened.click(encode_form(payload)).status_code == 401
    assert _decided(opened) == []
    assert _refused(encode_form(payload)) == "malformed_interaction"


def test_a_link_beside_the_button_makes_two_actions_as_well(opened: FunctionClients) -> None:
    link = {"action_id": "provenfix_issue", "type": "button"}
    actions = [_action(opened, ClickKind.APPROVE), link]
    for order in (actions, actions[::-1]):
        assert opened.click(encode_form(_payload(opened, ClickKind.APPROVE) | {"actions": order})).status_code == 401
    assert _decided(opened) == []


def test_one_action_decides(opened: FunctionClients) -> None:
    assert opened.click(encode_form(_payload(opened, ClickKind.APPROVE))).status_code == 200
    assert len(_decided(opened)) == 1


def _submitted(opened: FunctionClients, **changes: object) -> dict[str, object]:
    """Our own dialog, filled in and sent, but for the changes."""
    denial = replace(button_click(opened.harness.chat.posted[0].message, ClickKind.DENY), message=POSTED)
    drawn: Mapping[str, object] = build_denial_dialog(denial) | {"id": "V0TIDE"} | changes
    return {
        "type": "view_submission",
        "user": {"id": APPROVER, "username": "nora", "team_id": "T-SHORE"},
        "team": {"id": "T-SHORE", "domain": "shore"},
        "view": drawn,
    }


@pytest.mark.parametrize(
    "callback", ["berth_form", "provenfix_approve", DENIAL_CALLBACK.upper(), f"{DENIAL_CALLBACK}2", "", None, 7]
)
def test_a_dialog_of_another_app_denies_nothing_whatever_it_carries(opened: FunctionClients, callback: object) -> None:
    payload = _submitted(opened, callback_id=callback)
    assert opened.click(encode_form(payload)).status_code == 401
    assert _decided(opened) == []
    assert _refused(encode_form(payload)) == "unsupported_interaction"


def test_a_submission_without_a_dialog_denies_nothing(opened: FunctionClients) -> None:
    payload = _submitted(opened) | {"view": None}
    assert opened.click(encode_form(payload)).status_code == 401
    assert _decided(opened) == []


def test_our_own_dialog_denies(opened: FunctionClients) -> None:
    assert opened.click(encode_form(_submitted(opened))).status_code == 200
    [proposal] = _decided(opened)
    decision = decisions.load_decision(opened.harness.start_process(), proposal)
    assert decision is not None
    assert (decision.state, decision.by) == ("denied", APPROVER)
