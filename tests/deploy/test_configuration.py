"""What reaches the functions is what Terraform read: file, settings, filters, triggers, places of documents."""

import base64
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

import functions.main
from functions.http.structured_logs import RequestLog, Severity
from functions.local.topology import DEAD_LETTERS, SLACK_FUNCTION, SUBSCRIBERS, DeliveryPolicy
from functions.record import CANARY_LOG_SUFFIX
from shared.adapters.google.firestore_store import RETENTION
from shared.config.loader import parse_configuration
from shared.config.settings import list_services, read_all_settings
from shared.filters.rendering import MAX_FILTER_LENGTH, list_sinks, render_sink_filter
from shared.workflow.record import MAX_PENDING, record_log_entry
from tests.support.deploy.deployment import ONE_SERVICE, PROJECT, THREE_SERVICES, Resource
from tests.support.deploy.terraform import ROOT
from tests.support.drivers import propose_deployment
from tests.support.function_clients import open_function_clients, wrap_entry
from tests.support.harness import Harness, syntax_error
from tests.support.logging_query import matches


def _of(state: list[Resource], address: str) -> dict[str, Resource]:
    """Resources by the key of their `for_each`."""
    return {one.key: one for one in state if one.address.startswith(f"{address}[")}


def _functions(state: list[Resource]) -> dict[str, Resource]:
    """Those that Pub/Sub calls, and the two that people's services call."""
    return _of(state, "google_cloudfunctions2_function.function") | _of(state, "google_cloud_run_v2_service.public")


def _public(state: list[Resource]) -> list[str]:
    return [one.values["name"] for one in _of(state, "google_cloud_run_v2_service.public").values()]


def _runs_with(one: Resource) -> tuple[dict[str, str], str, str, str]:
    """Its variables, and the path, secret and version of the file that it reads."""
    if one.type == "google_cloudfunctions2_function":
        (service,) = one.values["service_config"]
        (volume,) = service["secret_volumes"]
        (file,) = volume["versions"]
        path = f"{volume['mount_path']}/{file['path']}"
        return dict(service["environment_variables"]), path, volume["secret"], file["version"]
    (template,) = one.values["template"]
    (container,), (volume,) = template["containers"], template["volumes"]
    ((mount,), (secret,)) = container["volume_mounts"], volume["secret"]
    (file,) = secret["items"]
    told = {variable["name"]: variable["value"] for variable in container["env"]}
    assert told["FUNCTION_TARGET"] == one.key
    return told, f"{mount['mount_path']}/{file['path']}", secret["secret"], file["version"]


def test_every_function_serves_as_many_requests_at_once_as_it_is_sent(one_state: list[Resource]) -> None:
    for one in _functions(one_state).values():
        at_once = (
            one.values["service_config"][0]["max_instance_request_concurrency"]
            if one.type == "google_cloudfunctions2_function"
            else one.values["template"][0]["max_instance_request_concurrency"]
        )
        assert _runs_with(one)[0]["THREADS"] == str(at_once)


def test_a_storm_makes_no_dead_letters_of_what_waits_for_its_turn(one_state: list[Resource]) -> None:
    """429, where no instance is free, counts as an attempt."""
    for one in _of(one_state, "google_pubsub_subscription.push").values():
        for policy in one.values["dead_letter_policy"]:
            (pauses,) = one.values["retry_policy"]
            attempts, first, longest = policy["max_delivery_attempts"], pauses["minimum_backoff"], 600
            pause = int(first.removesuffix("s"))
            waited = sum(min(longest, pause * 2**attempt) for attempt in range(attempts - 1))
            assert waited > 6 * 3600


def test_the_mounted_file_is_the_users_with_what_only_terraform_knows(three_state: list[Resource]) -> None:
    """Read as the functions read it: strictly."""
    (version,) = (one for one in three_state if one.type == "google_secret_manager_secret_version")
    mounted, given = parse_configuration(version.values["secret_data"]), parse_configuration(THREE_SERVICES)
    assert mounted.services == given.services
    voice = mounted.services[1].service
    assert (voice.team, voice.chat_app) == ("T024BE7LD", "A024BE7LD")
    assert (mounted.slack, mounted.github) == (given.slack, given.github)
    assert mounted.own is not None
    assert mounted.own.project == PROJECT
    deployed = [one.values for one in three_state if one.type == "google_cloudfunctions2_function"]
    assert sorted(mounted.own.functions) == sorted([*_public(three_state), *(one["name"] for one in deployed)])
    uris = {one["name"]: one["service_config"][0]["uri"] for one in deployed}
    assert mounted.compilers == {
        "3.11": uris["provenfix-compile-py311"],
        "3.12": uris["provenfix-compile-py312"],
    }


def test_every_function_reads_its_settings_from_what_it_is_given(one_state: list[Resource], tmp_path: Path) -> None:
    (version,) = (one for one in one_state if one.type == "google_secret_manager_secret_version")
    for name, one in _functions(one_state).items():
        told, mounted_at, secret, read_version = _runs_with(one)
        assert told["PROVENFIX_CONFIG"] == mounted_at
        assert (secret, read_version) == ("provenfix-config", version.values["version"])
        assert told["PYTHONPATH"] == "/workspace"
        mounted = tmp_path / name
        mounted.write_text(version.values["secret_data"], "utf-8")
        settings = read_all_settings(told | {"PROVENFIX_CONFIG": str(mounted), "K_SERVICE": one.values["name"]})
        (database,) = (each for each in one_state if each.type == "google_firestore_database")
        assert (settings.project, settings.database) == (PROJECT, database.values["name"])
        assert f"{PROJECT}.{one.values['name']}" in settings.own_functions
        assert settings.kill_switch is False
        assert settings.local_folder is None
        assert set(settings.services) == {"shop-prod.chat"}
        assert settings.secrets.slack_signing_secret is not None
        topics = {f"{settings.topic_prefix}{each}" for each in _of(one_state, "google_pubsub_topic.topic")}
        assert topics == {each.values["name"] for each in _of(one_state, "google_pubsub_topic.topic").values()}


def test_every_entry_point_is_deployed_under_its_name_from_the_one_file(one_state: list[Resource]) -> None:
    deployed = _functions(one_state)
    assert {*deployed, "decide_socket"} == set(
        functions.main.__all__
    )  # in the place of `decide` with `slack.socket_mode`
    assert {name for name, one in deployed.items() if one.type == "google_cloud_run_v2_service"} == {"decide", "github"}
    for name, one in _of(one_state, "google_cloudfunctions2_function.function").items():
        (build,) = one.values["build_config"]
        assert build["entry_point"] == name
        source = build["environment_variables"]["GOOGLE_FUNCTION_SOURCE"]
        assert (ROOT / source).samefile(functions.main.__file__)
    (compile_,) = _of(one_state, "google_cloudfunctions2_function.compile").values()
    assert compile_.values["build_config"][0]["runtime"] == "python311"


def test_the_same_functions_read_the_same_topics_as_on_one_machine(one_state: list[Resource]) -> None:
    pushed = _of(one_state, "google_pubsub_subscription.push")
    prefix = "projects/shop-ops/topics/provenfix-"
    assert {name: one.values["topic"] for name, one in pushed.items()} == {
        reader.function: prefix + reader.topic for reader in SUBSCRIBERS
    }
    assert {one.values["ack_deadline_seconds"] for one in pushed.values()} == {DeliveryPolicy().lease}
    assert SLACK_FUNCTION not in pushed
    policies = [policy for one in pushed.values() for policy in one.values["dead_letter_policy"]]
    assert {policy["dead_letter_topic"] for policy in policies} == {prefix + DEAD_LETTERS}
    assert len(policies) == len(pushed) - 2  # all but what ticks repeat


@pytest.mark.parametrize(("fixture", "config"), [("one_state", ONE_SERVICE), ("three_state", THREE_SERVICES)])
def test_the_sinks_filters_are_those_that_are_evaluated(
    fixture: str, config: str, request: pytest.FixtureRequest
) -> None:
    """Terraform's rendering is Python's, byte by byte; and leaves out every function that is deployed."""
    state: list[Resource] = request.getfixturevalue(fixture)
    own = sorted(
        [*_public(state), *(one.values["name"] for one in state if one.type == "google_cloudfunctions2_function")]
    )
    sinks = _of(state, "google_logging_project_sink.sink")
    expected = {sink.key: sink for sink in list_sinks(list_services(parse_configuration(config)))}
    assert set(sinks) == set(expected)
    for key, sink in expected.items():
        found = sinks[key].values
        assert found["filter"] == render_sink_filter(sink.kind, sink.services, PROJECT, own)
        assert len(found["filter"]) <= MAX_FILTER_LENGTH
        assert (f"projects/{found['project']}", found["name"]) == (sink.parent, f"provenfix-{sink.name}")


def test_what_is_kept_is_what_the_steps_keep(one_state: list[Resource]) -> None:
    """Each kind of document: its text is in no index."""
    named = re.compile(r'(?:\bKIND = |\bCollection\(|\bstore\.(?:create|read|replace|find)\()"(\w+)"')
    kinds = {
        kind
        for file in (ROOT / "shared/workflow").rglob("*.py")
        for kind in named.findall(file.read_text("utf-8").replace("_KIND", " KIND"))
    }
    texts = _of(one_state, "google_firestore_field.text")
    assert set(texts) == kinds - {"switches"}  # written by hand, and empty
    for one in texts.values():
        assert one.values["field"] == "json"
        assert [each["indexes"] for each in one.values["index_config"]] == [[]]
    assert not [one for one in one_state if one.type == "google_firestore_index"]
    expiring = _of(one_state, "google_firestore_field.expires")
    assert set(expiring) == set(RETENTION)
    assert all(len(one.values["ttl_config"]) == 1 for one in expiring.values())


def _logged(capsys: pytest.CaptureFixture[str], function: str, outcome: str) -> dict[str, object]:
    """The entry that Cloud Logging makes of what a function writes."""
    RequestLog(function, PROJECT).write(Severity.INFO, outcome, seconds=4.0)
    return _entry(function, capsys.readouterr().out)


def _entry(function: str, line: str) -> dict[str, object]:
    labels = {"project_id": PROJECT, "service_name": f"provenfix-{function}", "location": "europe-west1"}
    return {"resource": {"type": "cloud_run_revision", "labels": labels}, "jsonPayload": json.loads(line)}


def test_every_metric_counts_its_lines_and_no_others(
    one_state: list[Resource], capsys: pytest.CaptureFixture[str]
) -> None:
    """Their filters, evaluated on what the functions write."""
    filters = {
        one.key or "time_to_proposal": one.values["filter"] for one in one_state if one.type == "google_logging_metric"
    }
    lines = {
        "incidents": ("record", "opened"),
        "storms": ("record", "throttled"),
        "canaries": ("record", "canary"),
        "proposals": ("investigate", "proposed"),
        "ticks": ("schedule", "ticked"),
        "crashes": ("github", "crashed"),
    }
    assert set(filters) == {*lines, "crowded", "quota", "stopped", "time_to_proposal", "unanswered"}
    for function, outcome in lines.values():
        entry = _logged(capsys, function, outcome)
        counted = {name for name, query in filters.items() if matches(query, entry)}
        expected = {name for name, line in lines.items() if line == (function, outcome)}
        assert counted == expected | ({"time_to_proposal"} if outcome == "proposed" else set())
    assert matches(filters["crashes"], _logged(capsys, "verify", "crashed"))
    assert matches(filters["storms"], _logged(capsys, "record", "duplicate"))
    assert matches(filters["incidents"], _logged(capsys, "investigate", "opened"))


@pytest.mark.parametrize(("name", "hours", "is_stopped"), [("unanswered", 3, False), ("stopped", 0, True)])
def test_an_unanswered_question_and_the_kill_switch_are_counted_and_alerted(
    one_state: list[Resource], capsys: pytest.CaptureFixture[str], name: str, hours: int, *, is_stopped: bool
) -> None:
    """By the line that a tick writes then, and by no other tick's."""
    harness = Harness()
    propose_deployment(harness)
    filters = {one.key: one.values["filter"] for one in one_state if one.type == "google_logging_metric"}
    with open_function_clients(harness) as opened:
        assert opened.deliver("schedule", b"").status_code == 204
        before = _entry("schedule", capsys.readouterr().out)
        harness.kill_switch = is_stopped
        harness.clock.advance(timedelta(hours=hours))
        assert opened.deliver("schedule", b"").status_code == 204
    after = _entry("schedule", capsys.readouterr().out)
    assert (matches(filters[name], before), matches(filters[name], after)) == (False, True)
    counted = {each for each, query in filters.items() if matches(query, after)}
    assert counted == {"ticks", name}
    alert = _of(one_state, "google_monitoring_alert_policy.threshold")[name].values
    assert f'metric.type="logging.googleapis.com/user/provenfix/{name}"' in json.dumps(alert).replace("\\", "")


def test_entry_beyond_the_incident_limit_is_counted_and_alerted(
    one_state: list[Resource], capsys: pytest.CaptureFixture[str]
) -> None:
    """By the line that `record_log_entry` writes when the entry is to be delivered again, and by no other retry."""
    setting = Harness()
    for number in range(MAX_PENDING):
        record_log_entry(setting.start_process(), setting.log_entry(syntax_error(f"/app/quay_{number}.py")))
    with open_function_clients(setting) as opened:
        assert opened.deliver("record", wrap_entry(setting.log_entry(syntax_error("/app/buoy.py")))).status_code == 503
    (line,) = capsys.readouterr().out.splitlines()
    filters = {one.key: one.values["filter"] for one in one_state if one.type == "google_logging_metric"}
    assert [name for name, query in filters.items() if matches(query, _entry("record", line))] == ["crowded"]
    assert not matches(filters["crowded"], _logged(capsys, "record", "retry"))

    alert = _of(one_state, "google_monitoring_alert_policy.threshold")["crowded"].values
    assert 'metric.type="logging.googleapis.com/user/provenfix/crowded"' in json.dumps(alert).replace("\\", "")
    (condition,) = alert["conditions"][0]["condition_threshold"]
    assert (condition["threshold_value"] or 0, condition["duration"]) == (0, "0s")


def test_the_canary_passes_its_own_sink_and_no_services(one_state: list[Resource]) -> None:
    """What Cloud Scheduler writes, as `record_log_entry` gets it."""
    (job,) = (one for one in one_state if one.address == "google_cloud_scheduler_job.canary")
    (target,) = job.values["http_target"]
    (entry,) = json.loads(base64.b64decode(target["body"]))["entries"]
    sinks = {one.values["name"]: one.values["filter"] for one in one_state if one.type == "google_logging_project_sink"}
    assert [name for name, query in sinks.items() if matches(query, entry)] == ["provenfix-canary"]
    assert entry["logName"].endswith(CANARY_LOG_SUFFIX)


def test_every_outcome_that_is_counted_is_one_that_a_function_writes(one_state: list[Resource]) -> None:
    """The outcomes in the filters, and the reasons beside them, are names in the code."""
    folders = ("functions", "shared/workflow", "shared/adapters/google")
    code = "\n".join(file.read_text("utf-8") for folder in folders for file in (ROOT / folder).rglob("*.py"))
    counted = _of(one_state, "google_logging_metric.counter")
    assert len(counted) == 10
    for one in counted.values():
        outcomes = re.findall(r'"([a-z_]+)"', one.values["filter"].partition("provenfix.outcome=")[2])
        assert outcomes
        for outcome in outcomes:
            assert f'"{outcome}"' in code, outcome


_GOOGLES = {
    "logging.googleapis.com/exports/error_count",
    "pubsub.googleapis.com/subscription/dead_letter_message_count",
    "pubsub.googleapis.com/subscription/num_undelivered_messages",
    "pubsub.googleapis.com/subscription/oldest_unacked_message_age",
    "pubsub.googleapis.com/subscription/push_request_count",
    "run.googleapis.com/request_count",
    "run.googleapis.com/request_latencies",
}
"""Metrics of the platform: https://cloud.google.com/monitoring/api/metrics_gcp"""


def test_what_alerts_and_charts_look_at_is_a_metric_that_there_is(one_state: list[Resource]) -> None:
    """A misspelt one would be silent for ever."""
    kinds = ("google_monitoring_alert_policy", "google_monitoring_dashboard")
    told = json.dumps([one.values for one in one_state if one.type in kinds]).replace("\\", "")
    looked_at = set(re.findall(r'metric\.type="([^"]+)"', told))
    made = {one.values["name"] for one in one_state if one.type == "google_logging_metric"}
    own = {name.removeprefix("logging.googleapis.com/user/") for name in looked_at - _GOOGLES}
    assert looked_at >= _GOOGLES
    assert own
    assert own <= made
    subscriptions = {one.values["name"] for one in one_state if one.type == "google_pubsub_subscription"}
    named = set(re.findall(r'subscription_id="([^"]+)"', told))
    assert named
    assert named <= subscriptions
