"""What must hold between the resources of any deployment: a state comes in, a sentence for each breach goes out."""

from collections.abc import Iterable, Iterator, Sequence

from tests.deploy.deployment import Resource
from tests.deploy.grants import Grant, granted


def breaches(state: Sequence[Resource]) -> list[str]:
    """Empty for a deployment that is whole."""
    grants = granted(state)
    rules = (
        _letters_are_kept(state, grants),
        _sinks_may_publish(state, grants),
        _functions_have_accounts(state),
        _pushes_are_let_in(state, grants),
        _outside_is_let_in_nowhere_else(state, grants),
    )
    return sorted(sentence for rule in rules for sentence in rule)


def _of(state: Iterable[Resource], kind: str) -> list[Resource]:
    return [one for one in state if one.type == kind]


def _letters_are_kept(state: Sequence[Resource], grants: set[Grant]) -> Iterator[str]:
    read = {one.values["topic"] for one in _of(state, "google_pubsub_subscription")}
    for one in _of(state, "google_pubsub_subscription"):
        for policy in one.values["dead_letter_policy"]:
            topic = policy["dead_letter_topic"]
            name = topic.rpartition("/")[2]
            if topic not in read:
                yield f"{one.address}: nothing reads its dead letters, so {name} drops them"
            if not any(grant.member == "pubsub agent" and grant.thing.endswith(f"/{name}") for grant in grants):
                yield f"{one.address}: Pub/Sub may not publish its dead letters"
            mine = Grant("pubsub agent", "roles/pubsub.subscriber", f"subscription shop-ops/{one.values['name']}")
            if mine not in grants:
                yield f"{one.address}: Pub/Sub may not take its dead letters out of it"


def _sinks_may_publish(state: Sequence[Resource], grants: set[Grant]) -> Iterator[str]:
    for one in _of(state, "google_logging_project_sink"):
        project, topic = one.values["destination"].split("/")[2::2]
        writer = f"sink {one.values['name']}@{one.values['project']}"
        if Grant(writer, "roles/pubsub.publisher", f"topic {project}/{topic}") not in grants:
            yield f"{one.address}: its writer may not publish to {topic}"


def _functions_have_accounts(state: Sequence[Resource]) -> Iterator[str]:
    accounts = {one.values["email"] for one in _of(state, "google_service_account")}
    taken: set[str] = set()
    for one in _of(state, "google_cloudfunctions2_function"):
        (service,) = one.values["service_config"]
        account = service["service_account_email"]
        alone = "google_cloudfunctions2_function.compile" in one.address  # these may nothing, and may share it
        if account not in accounts or (account in taken and not alone):
            yield f"{one.address}: runs without an account of its own"
        taken.add(account)


def _pushes_are_let_in(state: Sequence[Resource], grants: set[Grant]) -> Iterator[str]:
    services = {
        one.values["service_config"][0][
            "uri"
        ]: f"service {one.values['project']}/{one.values['location']}/{one.values['name']}"
        for one in _of(state, "google_cloudfunctions2_function")
    }
    for one in _of(state, "google_pubsub_subscription"):
        for push in one.values["push_config"]:
            (token,) = push["oidc_token"] or [{"service_account_email": "nobody", "audience": ""}]
            caller = token["service_account_email"].removesuffix(".iam.gserviceaccount.com")
            if token["audience"] != push["push_endpoint"]:
                yield f"{one.address}: its token is for somebody else"
            if Grant(caller, "roles/run.invoker", services.get(push["push_endpoint"], "")) not in grants:
                yield f"{one.address}: the function does not let it in"


def _outside_is_let_in_nowhere_else(state: Sequence[Resource], grants: set[Grant]) -> Iterator[str]:
    public = {
        grant.thing.rpartition("/")[2] for grant in grants if grant.member in {"allUsers", "allAuthenticatedUsers"}
    }
    if public != {"provenfix-decide", "provenfix-github"}:
        yield f"anybody may call {', '.join(sorted(public)) or 'nothing'}"
    for one in _of(state, "google_cloudfunctions2_function"):
        (service,) = one.values["service_config"]
        name = one.values["name"]
        inside = service["ingress_settings"] == "ALLOW_INTERNAL_ONLY"
        reached = name in public or name.startswith("provenfix-compile-")
        if inside == reached:
            yield f"{one.address}: {'is not reached by whom it is for' if inside else 'is reached from outside'}"
