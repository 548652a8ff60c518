"""What the platform does late or refuses: what is made comes in, the sentence of its refusal goes out, "" for none.

Its time is virtual and kept in a file beside the configuration, because two stand-ins run at once: `time_sleep` turns
it on, and nothing else does. Grants take a minute to be in effect
(https://cloud.google.com/iam/docs/access-change-propagation), a metric of the log ten before an alert may name it
(https://cloud.google.com/logging/docs/logs-based-metrics), both read 2026-11-26.
"""

import fcntl
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CLOCK = Path(".platform.json")
GRANT_SECONDS, METRIC_SECONDS = 60, 600
MAX_FILTER_LENGTH, SINKS_OF_A_PROJECT = 20_000, 200
KEY_AGENTS = {
    "google_artifact_registry_repository": "gcp-sa-artifactregistry",
    "google_cloud_run_v2_service": "serverless-robot-prod",
    "google_cloudfunctions2_function": "gcf-admin-robot",
    "google_firestore_database": "gcp-sa-firestore",
    "google_pubsub_topic": "gcp-sa-pubsub",
    "google_secret_manager_secret": "gcp-sa-secretmanager",
    "google_storage_bucket": "gs-project-accounts",
}
"""Which account encrypts what: https://cloud.google.com/functions/docs/securing/cmek and the pages of the services."""
_DECOMMISSIONED = frozenset(("python37", "python38", "python39"))
_OWN_METRIC = re.compile(r'metric\.type="logging\.googleapis\.com/user/([^"]+)"')


def sleep(duration: str) -> None:
    """Turns the clock on by a duration such as `120s`."""
    with _open_clock() as held:
        held["now"] += int(duration.removesuffix("s"))


def create(kind: str, value: Mapping[str, Any]) -> str:
    """Notes what is made, or says why it is not."""
    with _open_clock() as held:
        made, now = held["made"], held["now"]
        if kind.endswith("_iam_member"):  # of a key apart: an agent's other grants do not delay it
            made[f"{'key' if kind.startswith('google_kms_') else 'grant'} {value['member']}"] = now
        if kind == "google_logging_metric":
            made[f"metric {value['name']}"] = now
        refusals = (
            _refused_grant(kind, value),
            _refused_function(kind, value, made, now),
            *_missing(kind, value, made, now),
            *_crowded_sinks(kind, value, made, now),
            *_locked_keys(kind, value, made, now),
        )
        return next(filter(None, refusals), "")


def _refused_grant(kind: str, value: Mapping[str, Any]) -> str:
    """As organisations do that were made since May 2024."""
    is_public = kind.endswith("_iam_member") and value["member"] in {"allUsers", "allAuthenticatedUsers"}
    return (
        "Error 400: One or more users named in the policy do not belong to a permitted customer." if is_public else ""
    )


def _refused_function(kind: str, value: Mapping[str, Any], made: Mapping[str, int], now: int) -> str:
    if kind != "google_cloudfunctions2_function":
        return ""
    (build,) = value["build_config"]
    if build["runtime"] in _DECOMMISSIONED:
        return f"Error 400: Runtime {build['runtime']} is decommissioned and no longer allowed. (DEPLOYS_NOT_ALLOWED)"
    email = str(build["service_account"]).rpartition("/")[2]
    if now - made.get(f"grant serviceAccount:{email}", now) < GRANT_SECONDS:
        return f"Build failed: {email} does not have permission; a grant takes a while to be in effect."
    return ""


def _missing(kind: str, value: Mapping[str, Any], made: Mapping[str, int], now: int) -> Iterator[str]:
    if kind == "google_monitoring_alert_policy":
        for name in _OWN_METRIC.findall(json.dumps(value).replace("\\", "")):
            if now - made.get(f"metric {name}", now) < METRIC_SECONDS:
                yield f"Error 404: Cannot find metric that matches type = logging.googleapis.com/user/{name}."


def _locked_keys(kind: str, value: Mapping[str, Any], made: Mapping[str, int], now: int) -> Iterator[str]:
    """What is made with a key needs the key's grant for the agent of its service, in effect."""
    agent = KEY_AGENTS.get(kind)
    if agent is None or "/cryptoKeys/" not in json.dumps(value):
        return
    granted = [at for key, at in made.items() if key.startswith("key serviceAccount:service-") and agent in key]
    if not granted or now - max(granted) < GRANT_SECONDS:
        yield f"Error 403: Permission denied on the key: the agent {agent} may not use it."


def _crowded_sinks(kind: str, value: Mapping[str, Any], made: dict[str, int], now: int) -> Iterator[str]:
    """https://cloud.google.com/logging/quotas, read 2026-11-27: 200 sinks a project, 20,000 characters a filter."""
    if kind not in {"google_logging_project_sink", "google_logging_folder_sink"}:
        return
    parent = value.get("project") or value["folder"]
    if len(value["filter"]) > MAX_FILTER_LENGTH:
        yield f"Error 400: The filter of {value['name']} has more than {MAX_FILTER_LENGTH} characters."
    if sum(key.startswith(f"sink {parent} ") for key in made) >= SINKS_OF_A_PROJECT:
        yield f"Error 400: {parent} has {SINKS_OF_A_PROJECT} sinks already."
    made[f"sink {parent} {value['name']}"] = now


@contextmanager
def _open_clock() -> Iterator[dict[str, Any]]:
    with CLOCK.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        held: dict[str, Any] = json.loads(text) if text else {"now": 0, "made": {}}
        yield held
        file.seek(0)
        file.truncate()
        json.dump(held, file)
