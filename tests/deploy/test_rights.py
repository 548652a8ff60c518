"""Who may do what: exactly what access.yaml says that the calls need, on the smallest thing, and nothing else."""

from pathlib import Path

import pytest

from functions.cli.access import read_access
from functions.cli.doctor.accounts import Accounts
from functions.cli.doctor.apis import list_api_checks
from shared.config.loader import parse_configuration
from tests.support.deploy.deployment import (
    ONE_SERVICE,
    PLAN_SUMMARY,
    PROJECT,
    THREE_SERVICES,
    Resource,
    apply_deployment,
    prepare_deployment,
)
from tests.support.deploy.grants import granted_by_state, needed_by_table, read_access_table, roles_of
from tests.support.deploy.published_roles import PUBLISHED
from tests.support.deploy.rules import find_breaches
from tests.support.deploy.terraform import TerraformFolder


@pytest.mark.parametrize(("fixture", "config"), [("one_state", ONE_SERVICE), ("three_state", THREE_SERVICES)])
def test_every_grant_is_needed_and_every_need_is_granted(
    fixture: str, config: str, request: pytest.FixtureRequest
) -> None:
    """Equal sets: nothing is missing, nothing is left over."""
    state: list[Resource] = request.getfixturevalue(fixture)
    found, wanted = granted_by_state(state), needed_by_table(read_access_table(), parse_configuration(config))
    assert sorted(wanted - found) == [], "missing"
    assert sorted(found - wanted) == [], "not needed"
    assert find_breaches(state) == []


def test_each_call_of_each_function_is_covered_by_the_roles_that_it_gets(three_state: list[Resource]) -> None:
    """Permission by permission: custom roles as Terraform makes them, predefined ones as access.yaml reviews them."""
    told = read_access_table()
    custom = {
        one.values["role_id"]: set(one.values["permissions"])
        for one in three_state
        if one.type == "google_project_iam_custom_role"
    }
    pairs = 0
    for name, function in told["functions"].items():
        carried: dict[str, set[str]] = {
            role: custom[told["roles"][role]["custom"]]
            if "custom" in told["roles"][role]
            else set(told["roles"][role]["permissions"])
            for role in roles_of(told, name)
        }
        for call in function["google"]:
            pairs += 1
            for role, permissions in told["google"][call].items():
                assert set(permissions) <= carried[role], (name, call, role)
    assert pairs == sum(len(function["google"]) for function in told["functions"].values()) > 40


def test_every_predefined_role_carries_what_is_taken_from_it() -> None:
    """Against what Google publishes of each role, as far as it concerns these APIs."""
    told = {role["role"]: set(role["permissions"]) for role in read_access_table()["roles"].values() if "role" in role}
    assert set(told) == set(PUBLISHED)
    for role, permissions in told.items():
        assert permissions <= PUBLISHED[role], role


def test_no_secret_but_its_own_is_read_by_what_is_reached_from_outside(three_state: list[Resource]) -> None:
    """A logged line reaches `record`, GitHub's requests `github`, and Slack's `decide`."""
    keys: dict[str, set[str]] = {}
    for one in three_state:
        if one.address.startswith("google_secret_manager_secret_iam_member.reader"):
            function, _, key = one.key.partition(" ")
            keys.setdefault(key, set()).add(function)
    assert keys["github.token"] == {"check", "investigate", "redeploy", "verify"}
    assert {key for key, functions in keys.items() if "github" in functions} == {"github.webhook_secret"}
    assert {key for key, functions in keys.items() if "decide" in functions} == {
        "slack.bot_token",
        "slack.signing_secret",
    }
    assert not [key for key, functions in keys.items() if functions & {"record", "schedule"}]


def test_only_where_a_trigger_deploys_may_anybody_start_builds(
    one_state: list[Resource], three_state: list[Resource]
) -> None:
    """In the projects of those triggers and no others, and as the one account that a trigger names."""
    deploying = {"provenfix-redeploy@shop-ops"}
    for state, projects, builders in (
        (one_state, set[str](), set[str]()),
        (three_state, {"shop-build", "shop-test"}, {"account deploy-voice@shop-build"}),
    ):
        roles = [one.values for one in state if one.type == "google_project_iam_custom_role"]
        creating = {one["project"] for one in roles if "cloudbuild.builds.create" in one["permissions"]}
        starting = {each for each in granted_by_state(state) if each.role.endswith("/provenfixTriggerRunner")}
        acting = {each for each in granted_by_state(state) if each.thing.endswith("@shop-build")}
        assert creating == projects
        assert {(each.member, each.thing) for each in starting} == {
            (member, f"project {project}") for member in deploying for project in projects
        }
        assert {(each.member, each.thing) for each in acting} == {
            (member, builder) for member in deploying for builder in builders
        }


def test_the_repository_of_a_name_of_container_registry_is_granted(tmp_path: Path) -> None:
    """It is called like its host, and lies where that host's images do."""
    config = ONE_SERVICE.replace("name: chat", "name: fax, probe_url: 'wss://fax.example/ws'")
    state = apply_deployment(prepare_deployment(tmp_path, config))
    granted = {grant.thing for grant in granted_by_state(state) if grant.thing.startswith("repository ")}
    assert granted == {"repository shop-prod/europe/eu.gcr.io", "repository shop-ops/europe-west1/provenfix-functions"}
    invoking = {grant.member for grant in granted_by_state(state) if grant.thing == "service shop-prod/europe-west1/fax"
                and grant.role == "roles/run.invoker"}  # fmt: skip
    assert invoking == {"provenfix-investigate@shop-ops", "provenfix-verify@shop-ops"}, "who probes says who it is"


def test_no_custom_role_carries_more_than_calls_need(one_state: list[Resource], three_state: list[Resource]) -> None:
    told = read_access_table()
    asked: dict[str, set[str]] = {}
    for needs in told["google"].values():
        for role, permissions in needs.items():
            asked.setdefault(role, set()).update(permissions)
    for name, role in told["roles"].items():
        assert set(role["permissions"]) == asked[name], name
    made = {one.values["role_id"] for one in three_state if one.type == "google_project_iam_custom_role"}
    assert made == {role["custom"] for role in told["roles"].values() if "custom" in role}
    plain = {one.values["role_id"] for one in one_state if one.type == "google_project_iam_custom_role"}
    assert made - plain == {"provenfixTriggerReader", "provenfixTriggerRunner"}


def test_no_function_is_built_before_its_build_may_do_all_it_does(one: TerraformFolder) -> None:
    """Terraform makes what does not depend on each other at the same time, and a first push would be refused."""
    told = one.show_json(PLAN_SUMMARY)["configuration"]["root_module"]["resources"]
    grants = {
        each["address"]
        for each in told
        if "google_service_account.build" in each["expressions"].get("member", {}).get("references", ())
    }
    assert len(grants) == 2
    for each in told:
        if each["type"] == "google_cloudfunctions2_function":
            assert grants <= set(each["depends_on"]), each["address"]


def test_every_api_that_is_called_or_looked_for_is_enabled(one_state: list[Resource]) -> None:
    """A call wants its API enabled in the project of the account that makes it; `provenfix doctor` looks for it."""
    enabled = {one.values["service"] for one in one_state if one.type == "google_project_service"}
    assert {role["api"] for role in read_access_table()["roles"].values()} <= enabled
    looked_for = {check.name for check in list_api_checks(read_access(), Accounts(PROJECT, "provenfix-"), PROJECT, [])}
    assert looked_for
    assert looked_for <= {f"{name} in {PROJECT}" for name in enabled}
