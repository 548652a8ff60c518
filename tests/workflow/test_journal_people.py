"""How the issue names the people who have approved: an id and a name from the chat in, of a bounded length out."""

import pytest

from shared.text.escaping import truncate
from tests.support.drivers import pressed, proposed, redeployed, tick
from tests.support.harness import Setting, service

LONG = "U" + "0123456789" * 8


@pytest.mark.parametrize("user", ["U" * 40, LONG])
@pytest.mark.parametrize("name", ["", "nora"])
def test_forty_characters_of_an_id_are_shown(user: str, name: str) -> None:
    setting = Setting({"shore.tide": service(approvers=(user,))})
    proposed(setting)
    pressed(setting, user=user, user_name=name)
    redeployed(setting)
    tick(setting)
    approval = setting.issues.all[0].comments[1]
    assert f"`{truncate(user, 40)}`" in approval
    assert name in approval
