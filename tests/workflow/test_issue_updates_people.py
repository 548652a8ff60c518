"""How the issue names the people who have approved: an id and a name from the chat in, of a bounded length out."""

import pytest

from shared.text.escaping import truncate
from tests.support.drivers import press_button, propose_deployment, redeploy_approved, run_tick
from tests.support.harness import Harness, watched_service

LONG = "U" + "0123456789" * 8


@pytest.mark.parametrize("user", ["U" * 40, LONG])
@pytest.mark.parametrize("name", ["", "nora"])
def test_forty_characters_of_an_id_are_shown(user: str, name: str) -> None:
    harness = Harness({"shore.tide": watched_service(approvers=(user,))})
    propose_deployment(harness)
    press_button(harness, user=user, user_name=name)
    redeploy_approved(harness)
    run_tick(harness)
    approval = harness.issues.issues[0].comments[1]
    assert f"`{truncate(user, 40)}`" in approval
    assert name in approval
