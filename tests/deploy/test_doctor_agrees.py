"""`provenfix doctor` looks for what Terraform makes, under the names that Terraform gives, and for nothing else."""

import pytest

from functions.cli.access import read_access
from functions.cli.doctor.plan import plan_checks
from shared.config.settings import read_all_settings
from tests.support.deploy.deployment import PROJECT, Resource
from tests.support.deploy.grants import Grant, granted_by_state

_NAMED = {
    "topic": "google_pubsub_topic",
    "subscription": "google_pubsub_subscription",
    "database": "google_firestore_database",
}


@pytest.fixture(scope="module")
def looked_for(three_state: list[Resource], tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str]]:
    """Kind and name of each check, for the file that Terraform gives the functions; as README.md calls the command."""
    (version,) = (one for one in three_state if one.type == "google_secret_manager_secret_version")
    file = tmp_path_factory.mktemp("doctor") / "deployed.yaml"
    file.write_text(version.values["secret_data"], "utf-8")
    environment = {"PROVENFIX_CONFIG": str(file), "PROVENFIX_PROJECT": PROJECT, "PROVENFIX_DATABASE": "provenfix"}
    checks = plan_checks(read_all_settings(environment), read_access(), PROJECT).checks
    return {(check.kind, check.name) for check in checks}


@pytest.mark.parametrize("kind", _NAMED)
def test_doctor_uses_the_names_of_terraform(
    kind: str, looked_for: set[tuple[str, str]], three_state: list[Resource]
) -> None:
    assert _names(looked_for, kind) == {one.values["name"] for one in three_state if one.type == _NAMED[kind]}


def test_doctor_checks_sinks_dead_letters_and_expiry(
    looked_for: set[tuple[str, str]], three_state: list[Resource]
) -> None:
    # One sink is of no service: the canary's, which an alert watches.
    sinks = {
        f"{one.values['name']} of {one.values['project']}"
        for one in three_state
        if one.type == "google_logging_project_sink" and one.values["name"] != "provenfix-canary"
    }
    own = {name for name in _names(looked_for, "sink") if not name.startswith("_Default")}
    assert own == sinks | {f"{name} may publish" for name in sinks}
    lettered = {
        one.values["name"]
        for one in three_state
        if one.type == "google_pubsub_subscription" and one.values["dead_letter_policy"]
    }
    assert {name for name in _names(looked_for, "dead letter") if " " not in name} == lettered
    expiring = {
        f"{one.values['collection']}.{one.values['field']}"
        for one in three_state
        if one.type == "google_firestore_field" and one.values["ttl_config"]
    }
    assert _names(looked_for, "ttl") == expiring


def test_doctor_checks_the_granted_roles(looked_for: set[tuple[str, str]], three_state: list[Resource]) -> None:
    """Repositories and accounts are named by service or trigger there, and `compile` is called, so not here."""
    told = {name for name in _names(looked_for, "role") if name.partition(" on ")[2].split()[0] not in _BY_SERVICE}
    made = {line for grant in granted_by_state(three_state) if (line := _line(grant))}
    assert sorted(told - made) == [], "not made by Terraform"
    assert sorted(made - told) == [], "not looked for"


_BY_SERVICE = frozenset(("builder", "repository", "runtime"))


def _names(looked_for: set[tuple[str, str]], kind: str) -> set[str]:
    found = {name for at, name in looked_for if at == kind}
    assert found
    return found


def _line(grant: Grant) -> str:
    """As doctor writes a function's grant; "" for what it does not look for by itself."""
    account, _, project = grant.member.partition("@")
    function = account.removeprefix("provenfix-")
    if project != PROJECT or function not in read_access().functions:
        return ""
    kind, _, name = grant.thing.partition(" ")
    thing = {
        "topic": f"topic {name.rpartition('/')[2]}",
        "secret": f"secret projects/{name.replace('/', '/secrets/')}",
        "project": "database provenfix" if name.endswith(" if") else f"project {name}",
        "service": f"service {name.split('/')[0]}.{name.rpartition('/')[2]}",
    }.get(kind, "")
    if not thing or "/provenfix-config" in thing or "provenfix-compile-" in thing:
        return ""
    return f"{function}: {grant.role.rpartition('/roles/')[2] if '/roles/' in grant.role else grant.role} on {thing}"
