"""What must hold between the resources of any deployment: a state comes in, each breach goes out by its rule."""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from tests.support.deploy.deployment import Resource
from tests.support.deploy.grants import Grant, granted_by_state


class Rule(StrEnum):
    """What must hold."""

    LETTERS_READ = "letters_read"
    """A user reads the dead letters."""
    LETTERS_PUBLISHED = "letters_published"
    """Pub/Sub may publish them,"""
    LETTERS_TAKEN = "letters_taken"
    """and may take them out of the subscription."""
    SINK_PUBLISHES = "sink_publishes"
    OWN_ACCOUNT = "own_account"
    PUSH_LET_IN = "push_let_in"
    PUSH_TOKEN = "push_token"  # a rule's name
    OUTSIDE = "outside"
    """Strangers reach the two functions that are for them, and no other."""


class RuleBreach(NamedTuple):
    """A rule that does not hold: which one, of which resource, and of what it speaks beside that."""

    rule: Rule
    address: str
    other: str = ""


def find_breaches(state: Sequence[Resource]) -> list[RuleBreach]:
    """Empty for a deployment that is whole."""
    grants = granted_by_state(state)
    rules = (
        _letters_are_kept(state, grants),
        _sinks_may_publish(state, grants),
        _functions_have_accounts(state),
        _pushes_are_let_in(state, grants),
        _outside_is_let_in_nowhere_else(state, grants),
    )
    return sorted(breach for rule in rules for breach in rule)


def _of(state: Iterable[Resource], kind: str) -> list[Resource]:
    return [resource for resource in state if resource.type == kind]


def _letters_are_kept(state: Sequence[Resource], grants: set[Grant]) -> Iterator[RuleBreach]:
    read = {subscription.values["topic"] for subscription in _of(state, "google_pubsub_subscription")}
    for subscription in _of(state, "google_pubsub_subscription"):
        for policy in subscription.values["dead_letter_policy"]:
            topic = policy["dead_letter_topic"]
            name = topic.rpartition("/")[2]
            if topic not in read:
                yield RuleBreach(Rule.LETTERS_READ, subscription.address, name)
            if not any(grant.member == "pubsub agent" and grant.thing.endswith(f"/{name}") for grant in grants):
                yield RuleBreach(Rule.LETTERS_PUBLISHED, subscription.address)
            own_grant = Grant(
                "pubsub agent", "roles/pubsub.subscriber", f"subscription shop-ops/{subscription.values['name']}"
            )
            if own_grant not in grants:
                yield RuleBreach(Rule.LETTERS_TAKEN, subscription.address)


def _sinks_may_publish(state: Sequence[Resource], grants: set[Grant]) -> Iterator[RuleBreach]:
    for sink in [*_of(state, "google_logging_project_sink"), *_of(state, "google_logging_folder_sink")]:
        project, topic = sink.values["destination"].split("/")[2::2]
        writer = f"log writer of {sink.values.get('project') or sink.values['folder'].replace('folders/', 'folder-')}"
        if Grant(writer, "roles/pubsub.publisher", f"topic {project}/{topic}") not in grants:
            yield RuleBreach(Rule.SINK_PUBLISHES, sink.address, topic)


def _functions_have_accounts(state: Sequence[Resource]) -> Iterator[RuleBreach]:
    accounts = {resource.values["email"] for resource in _of(state, "google_service_account")}
    taken: set[str] = set()
    for function in _of(state, "google_cloud_run_v2_service"):
        (template,) = function.values["template"]
        if template["service_account"] not in accounts:
            yield RuleBreach(Rule.OWN_ACCOUNT, function.address)
        taken.add(template["service_account"])
    for function in _of(state, "google_cloudfunctions2_function"):
        (service,) = function.values["service_config"]
        account = service["service_account_email"]
        alone = "google_cloudfunctions2_function.compile" in function.address  # these may nothing, and may share it
        if account not in accounts or (account in taken and not alone):
            yield RuleBreach(Rule.OWN_ACCOUNT, function.address)
        taken.add(account)


def _pushes_are_let_in(state: Sequence[Resource], grants: set[Grant]) -> Iterator[RuleBreach]:
    services = {
        function.values["service_config"][0][
            "uri"
        ]: f"service {function.values['project']}/{function.values['location']}/{function.values['name']}"
        for function in _of(state, "google_cloudfunctions2_function")
    }
    for subscription in _of(state, "google_pubsub_subscription"):
        for push in subscription.values["push_config"]:
            (token,) = push["oidc_token"] or [{"service_account_email": "nobody", "audience": ""}]
            caller = token["service_account_email"].removesuffix(".iam.gserviceaccount.com")
            if token["audience"] != push["push_endpoint"]:
                yield RuleBreach(Rule.PUSH_TOKEN, subscription.address)
            if Grant(caller, "roles/run.invoker", services.get(push["push_endpoint"], "")) not in grants:
                yield RuleBreach(Rule.PUSH_LET_IN, subscription.address)


def _outside_is_let_in_nowhere_else(state: Sequence[Resource], grants: set[Grant]) -> Iterator[RuleBreach]:
    public = {
        service.values["name"]
        for service in _of(state, "google_cloud_run_v2_service")
        if service.values["invoker_iam_disabled"] and service.values["ingress"] == "INGRESS_TRAFFIC_ALL"
    }
    public |= {grant.thing for grant in grants if grant.member in {"allUsers", "allAuthenticatedUsers"}}
    if public != {"provenfix-decide", "provenfix-github"}:
        yield RuleBreach(Rule.OUTSIDE, "", ", ".join(sorted(public)))
    for function in _of(state, "google_cloudfunctions2_function"):
        (service,) = function.values["service_config"]
        name = function.values["name"]
        inside = service["ingress_settings"] == "ALLOW_INTERNAL_ONLY"
        reached = name in public or name.startswith("provenfix-compile-")
        if inside == reached:
            yield RuleBreach(Rule.OUTSIDE, function.address, service["ingress_settings"])
