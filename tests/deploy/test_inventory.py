"""Every resource with its key attributes, for one service and for three services in two projects."""

import re

import pytest

from tests.support.deploy.deployment import PLAN_SUMMARY, Resource
from tests.support.deploy.inventory import EXPECTED, inventory_lines
from tests.support.deploy.terraform import TerraformFolder


@pytest.mark.parametrize("name", ["one", "three"])
def test_the_inventory_is_as_it_was_reviewed(name: str, request: pytest.FixtureRequest) -> None:
    """After a change that is meant: `python -m tests.support.deploy.inventory`, and read the difference."""
    state: list[Resource] = request.getfixturevalue(f"{name}_state")
    assert inventory_lines(state) == (EXPECTED / f"{name}.txt").read_text("utf-8").splitlines()


def test_the_plan_says_all_that_comes_to_be(one: TerraformFolder, one_state: list[Resource]) -> None:
    """Everything is created, and each value that the plan knows is the one that results."""
    changes = {
        each["address"]: each["change"]
        for each in one.show_json(PLAN_SUMMARY)["resource_changes"]
        if each["mode"] == "managed"
    }
    assert {tuple(change["actions"]) for change in changes.values()} == {("create",)}
    assert set(changes) == {each.address for each in one_state}
    for each in one_state:
        known = {
            name: value for name, value in changes[each.address]["after"].items() if not isinstance(value, (dict, list))
        }
        assert known.items() <= {name: value for name, value in each.values.items() if name in known}.items()


def test_another_service_adds_only_its_own_resources(one_state: list[Resource], three_state: list[Resource]) -> None:
    one, three = set(inventory_lines(one_state)), set(inventory_lines(three_state))
    assert one <= three
    added = sorted(re.split(r" (?=\w+(?:\.\w+|\[\d+\])*=)", line)[0] for line in three - one)
    assert added == [
        'google_cloudfunctions2_function.compile["3.12"]',
        'google_logging_project_sink.sink["shop-test revisions"]',
        'google_logging_project_sink.sink["shop-test signals"]',
        'google_monitoring_monitored_project.watched["shop-test"]',
    ]
