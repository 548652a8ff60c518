"""A project of Google's as its REST APIs show it, on loopback: all that the functions need, until a test says no.

Requests and answers are held to Google's discovery documents. The token says who asks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from functions.cli.access import read_access
from functions.local.topology import DEAD_LETTERS, SUBSCRIBERS
from shared.filters.rendering import Sink, render_sink_filter
from shared.service import Service
from shared.workflow import flow
from tests.support import google_rest_description
from tests.support.github.server import NOT_FOUND, FakeRequest, FakeResponse

OPERATIONS_PROJECT, NUMBER, PREFIX = "quay-ops", "41000", "provenfix-"
PUBSUB_AGENT = f"serviceAccount:service-{NUMBER}@gcp-sa-pubsub.iam.gserviceaccount.com"
LOG_WRITER = "serviceAccount:service-41001@gcp-sa-logging.iam.gserviceaccount.com"
FUNCTIONS = tuple(f"{PREFIX}{name}" for name in sorted(read_access().functions))
RUNTIME_ACCOUNT = "tide@shore.iam.gserviceaccount.com"
TRIGGER, BUILDER = "projects/yard/locations/global/triggers/deploy-tide", "builder@yard.iam.gserviceaccount.com"
PERMISSION_DENIED = FakeResponse(
    403, {"error": {"code": 403, "message": "PLANTED-message", "status": "PERMISSION_DENIED"}}
)
TOKEN = "PLANTED-token-of-"


@dataclass
class GoogleProject:
    """`gone` are paths that do not exist, `changed` what an answer has instead, `lacking` what each account lacks."""

    service: Service
    image: str
    secrets: Mapping[str, str]
    missing_paths: set[str] = field(default_factory=set)
    overrides: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    missing_permissions: dict[str, set[str]] = field(default_factory=dict)
    not_impersonable: set[str] = field(default_factory=set)
    """Functions as whose accounts the person may not act."""
    sees_nothing: bool = False
    """The person may look at nothing."""

    def __call__(self, asked: FakeRequest) -> FakeResponse | None:
        host, _, rest = asked.path.removeprefix("/").partition("/")
        if not host.endswith(".googleapis.com"):
            return None
        told = self._answer(host, f"/{rest}", asked)
        good = told.value if told.status == 200 else None
        google_rest_description.check_exchange(host, asked, f"/{rest}", good)
        return told

    def _answer(self, host: str, path: str, asked: FakeRequest) -> FakeResponse:  # noqa: PLR0911  # one for each way to answer
        who = asked.headers["authorization"].removeprefix("Bearer ").removeprefix(TOKEN).partition("@")[0]
        function = who.removeprefix(PREFIX)
        if path.endswith(":testIamPermissions"):
            if path.partition(":")[0] in self.missing_paths:
                return NOT_FOUND
            wanted = asked.body["permissions"]
            return FakeResponse(
                200,
                {
                    "permissions": [
                        permission
                        for permission in wanted
                        if permission not in self.missing_permissions.get(function, ())
                    ]
                },
            )
        if host == "firestore.googleapis.com" and "/documents" in path:
            return self._document(function, asked.method)
        if self.sees_nothing:
            return PERMISSION_DENIED
        if host == "iamcredentials.googleapis.com":
            return self._token_answer(path)
        if path in self.missing_paths:
            return NOT_FOUND
        value = self._value(host, path)
        return NOT_FOUND if value is None else FakeResponse(200, {**value, **self.overrides.get(path, {})})

    def _token_answer(self, path: str) -> FakeResponse:
        email, _, verb = path.rpartition("/")[2].partition(":")
        if email.partition("@")[0].removeprefix(PREFIX) in self.not_impersonable:
            return PERMISSION_DENIED
        if verb == "generateIdToken":
            return FakeResponse(200, {"token": f"{TOKEN}{email}"})
        return FakeResponse(200, {"accessToken": f"{TOKEN}{email}", "expireTime": "2026-04-07T09:00:00Z"})

    def _document(self, function: str, verb: str) -> FakeResponse:
        needed = {"GET": "datastore.entities.list", "PATCH": "datastore.entities.update"}[verb]
        if needed in self.missing_permissions.get(function, ()):
            return PERMISSION_DENIED
        return FakeResponse(200, {}) if verb == "GET" else NOT_FOUND

    def _value(self, host: str, path: str) -> dict[str, Any] | None:  # noqa: PLR0911, C901  # one for each kind of thing
        last = path.rpartition("/")[2]
        match host.partition(".")[0]:
            case "serviceusage":
                return {"name": path.removeprefix("/v1/"), "state": "ENABLED"}
            case "cloudresourcemanager":
                return {"name": f"projects/{NUMBER}", "projectId": last}
            case "secretmanager":
                return self._secret(path)
            case "firestore" if "/collectionGroups/" in path:
                return {"name": path.removeprefix("/v1/"), "ttlConfig": {"state": "ACTIVE"}}
            case "firestore":
                return {"name": path.removeprefix("/v1/"), "type": "FIRESTORE_NATIVE", "locationId": "europe-west6"}
            case "logging":
                return self._sink(last)
            case "run":
                return {"name": path.removeprefix("/v2/"), "template": self._template()}
            case "cloudbuild" if path == f"/v1/{TRIGGER}":
                return {"name": "deploy-tide", "serviceAccount": f"projects/yard/serviceAccounts/{BUILDER}"}
            case "pubsub" if last.endswith(":getIamPolicy"):
                role = "roles/pubsub.publisher" if "/topics/" in path else "roles/pubsub.subscriber"
                return {"bindings": [{"role": role, "members": [PUBSUB_AGENT, LOG_WRITER]}]}
            case "pubsub" if "/topics/" in path:
                return {"name": path.removeprefix("/v1/")}
            case "pubsub":
                return self._subscription(last.removeprefix(PREFIX))
        return None

    def _template(self) -> dict[str, Any]:
        return {"serviceAccount": RUNTIME_ACCOUNT, "containers": [{"image": self.image}]}

    def _secret(self, path: str) -> dict[str, Any] | None:
        import base64  # noqa: PLC0415

        name, _, verb = path.removeprefix("/v1/").partition(":")
        if verb != "access" or name not in self.secrets:
            return None
        return {"name": name, "payload": {"data": base64.b64encode(self.secrets[name].encode()).decode()}}

    def _sink(self, name: str) -> dict[str, Any]:
        if name == "_Default":
            bucket = f"projects/{self.service.project}/locations/global/buckets/_Default"
            return {"name": name, "destination": f"logging.googleapis.com/{bucket}"}
        sink = Sink(name.removeprefix(PREFIX))
        topic = flow.LOG_ENTRIES if sink is Sink.SIGNALS else flow.TICK
        return {
            "name": name,
            "destination": f"pubsub.googleapis.com/projects/{OPERATIONS_PROJECT}/topics/{PREFIX}{topic}",
            "filter": render_sink_filter(sink, [self.service], OPERATIONS_PROJECT, FUNCTIONS),
            "writerIdentity": LOG_WRITER,
        }

    def _subscription(self, name: str) -> dict[str, Any] | None:
        topic = {
            "name": f"projects/{OPERATIONS_PROJECT}/subscriptions/{PREFIX}{name}",
            "topic": f"projects/{OPERATIONS_PROJECT}/topics/{PREFIX}{name}",
        }
        if name == DEAD_LETTERS:
            return topic
        if name not in _topics():
            return None
        letters = {
            "deadLetterTopic": f"projects/{OPERATIONS_PROJECT}/topics/{PREFIX}{DEAD_LETTERS}",
            "maxDeliveryAttempts": 50,
        }
        push = {"pushEndpoint": f"https://{name}.example", "oidcToken": {"serviceAccountEmail": "push@quay"}}
        held = {**topic, "pushConfig": push, "ackDeadlineSeconds": 600}
        return held if name in flow.REPEATED_TOPICS else {**held, "deadLetterPolicy": letters}


def _topics() -> Sequence[str]:
    return [reader.topic for reader in SUBSCRIBERS]
