"""What the functions were seen to call is what `terraform/access.yaml` says, to the line; and one can deploy."""

from pathlib import Path

import pytest

from functions.cli.access import Access, read_access
from shared.errors import InputError
from tests.support.access import readme_table
from tests.support.access.call_recorder import ObservedCalls
from tests.support.access.scenarios import PLAYS_AS_APP, PLAYS_BY_SOCKET, SCENARIOS, open_scenario
from tests.support.google_cloud import PROJECT

SECRETS = {
    f"projects/{PROJECT}/secrets/{name}/versions/1": key
    for name, key in {
        "signing": "slack.signing_secret",
        "bot": "slack.bot_token",
        "app": "slack.app_token",
        "github": "github.token",
        "webhook": "github.webhook_secret",
        "pager": "pager.routing_key",
    }.items()
}
CHANGES = ("create", "delete", "setIamPolicy", "update")


@pytest.fixture(scope="module")
def observed(emulators: object, tmp_path_factory: pytest.TempPathFactory) -> ObservedCalls:  # noqa: ARG001  # it has to run
    found = ObservedCalls()
    for number, (play, head, more) in enumerate(SCENARIOS, 1):
        folder, as_app, by_socket = (
            tmp_path_factory.mktemp(play.__name__),
            play in PLAYS_AS_APP,
            play in PLAYS_BY_SOCKET,
        )
        with open_scenario(folder, found, number, head, more, as_app=as_app, by_socket=by_socket) as about:
            play(about)
    return found


@pytest.fixture(scope="module")
def access() -> Access:
    return read_access()


def test_what_is_called_is_in_the_table_and_nothing_else_is(observed: ObservedCalls, access: Access) -> None:
    written = {
        (function, where, method)
        for function, use in access.functions.items()
        for where, methods in (("google", use.google), ("github", use.github), ("slack", use.slack))
        for method in methods
    }
    missing = [f"called, and not in the file: {' '.join(each)}" for each in sorted(observed.calls - written)]
    idle = [f"in the file, and never called: {' '.join(each)}" for each in sorted(written - observed.calls)]
    assert not missing + idle, "\n".join(["terraform/access.yaml is not what was observed", *missing, *idle])


def test_topics_and_secrets_are_those_that_were_used(observed: ObservedCalls, access: Access) -> None:
    functions = access.functions.items()
    assert observed.topics == {(function, topic) for function, use in functions for topic in use.topics}
    read = {(function, SECRETS[name]) for function, name in observed.secrets}
    assert read == {(function, key) for function, use in functions for key in use.secrets}


def test_every_method_and_every_permission_of_a_role_is_needed(access: Access) -> None:
    for where, methods in (("google", access.google), ("github", access.github), ("slack", access.slack)):
        called = {method for use in access.functions.values() for method in getattr(use, where)}
        assert called == set(methods), where
    needed: dict[str, set[str]] = {}
    for roles in access.google.values():
        for role, permissions in roles.items():
            needed.setdefault(role, set()).update(permissions)
    assert needed == {key: set(role.permissions) for key, role in access.roles.items()}


def test_a_role_is_predefined_or_says_why_it_is_not(access: Access) -> None:
    for role in access.roles.values():
        assert bool(role.role) != bool(role.custom)
        assert bool(role.custom) == bool(role.why)


@pytest.mark.parametrize("function", ["record", "decide", "investigate", "check", "schedule", "verify", "github"])
def test_only_redeploy_can_deploy(access: Access, function: str) -> None:
    granted = {one for key in access.required_permissions(function) for one in access.roles[key].permissions}
    changing = {one for one in granted if one.rpartition(".")[2] in CHANGES}
    assert changing <= {"datastore.entities.create", "datastore.entities.update"}
    assert "iam.serviceAccounts.actAs" not in granted


def test_one_function_deploys(access: Access) -> None:
    deploying = {name for name in access.functions if "deployer" in access.required_permissions(name)}
    assert deploying == {"redeploy"}


def test_what_always_runs_may_read_and_publish_and_holds_no_secret(access: Access) -> None:
    always = access.functions["schedule"]
    assert (always.secrets, always.github, always.slack) == ([], [], [])
    granted = {one for key in access.required_permissions("schedule") for one in access.roles[key].permissions}
    assert granted <= {*access.roles["documents"].permissions, "pubsub.topics.publish"}


def test_what_a_logged_line_reaches_holds_no_secret_and_nothing_on_a_watched_service(access: Access) -> None:
    reached = access.functions["record"]
    assert (reached.secrets, reached.github, reached.slack) == ([], [], [])
    assert set(access.required_permissions("record")) == {"documents", "log_reader", "publisher"}


def test_the_apps_key_is_with_four_functions_of_which_none_is_reached_from_outside(access: Access) -> None:
    holding = {name for name, use in access.functions.items() if "github.token" in use.secrets}
    assert holding == {"check", "investigate", "redeploy", "verify"}
    assert all(use.github == [] for name, use in access.functions.items() if name not in holding)


def test_what_a_deploy_method_alone_needs_is_asked_for_where_it_is_used(access: Access) -> None:
    assert set(access.only) <= {*access.google, *access.github}
    assert set(access.only.values()) == {"cloud_build", "deployment_records", "github_workflow"}
    assert "actions" not in access.required_repository_permissions(["", "image", "cloud_build"])
    assert access.required_repository_permissions(["image", "github_workflow"])["actions"] == "write"
    assert "deployments" not in access.required_repository_permissions(["image"])
    assert access.required_repository_permissions(["image", "deployment_records"])["deployments"] == "write"
    bound = {access.roles[role].bound_to for call in access.only for role in access.google.get(call, ())}
    assert bound == {"trigger", "builder"}


def test_the_readme_shows_the_table() -> None:
    assert readme_table.read_table() == readme_table.render_table()


def test_a_file_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    for text in ("", "[]", "roles: {a: {}}", "a: [", "roles: {}\ngoogle: {}\n"):
        file = tmp_path / "access.yaml"
        file.write_text(text, "utf-8")
        with pytest.raises(InputError, match=r"\baccess\.yaml\b"):
            read_access(file)
