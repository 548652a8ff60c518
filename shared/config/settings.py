"""Reads the environment and `provenfix.yaml` into one frozen value, `Settings`. Nothing else reads the environment.

Secrets are references here; those that name a variable are read with the rest and kept as `Secret`, which hides its
value.

    PROVENFIX_CONFIG          the file of the watched services; default `provenfix.yaml`
    PROVENFIX_LOCAL           a folder: this is a local stack, where stand-ins that keep their state in the store
                              replace code host, chat and platform; log files are read from the folder's `logs`
    PROVENFIX_EMBEDDED        the same; store and queue are SQLite files in that folder, too
    PROVENFIX_PLATFORM        in a local stack, what runs the services: nothing if it is not set; `served`, the platform
                              of `provenfix demo`; `watched`, one whose log streams in, as in `provenfix watch`
    PROVENFIX_LONGEST_WAIT    in a local stack, the limit in seconds of every wait, including the watch of 24 hours and
                              the lease of an effect
    PROVENFIX_SIGNING_SECRET  in a local stack, the secret that signs clicks, in place of the file's
    PROVENFIX_PROJECT         the project of Firestore and Pub/Sub; default GOOGLE_CLOUD_PROJECT
    PROVENFIX_DATABASE        the Firestore database; default `(default)`
    PROVENFIX_TOPIC_PREFIX    the prefix of the topics' names; default `provenfix-`
    PROVENFIX_KILL_SWITCH     `on` stops every deployment
    PROVENFIX_OLDEST_HOURS    messages older than this are refused; default 24
    PROVENFIX_TRACING         `on` writes OpenTelemetry spans
    PROVENFIX_PYTHON_3_11     the path of an interpreter
    PROVENFIX_COMPILE_3_11    the URL of a `compile` function; it takes precedence over the file's
    FIRESTORE_EMULATOR_HOST   a host and a port, as Google's own clients read them; PUBSUB_EMULATOR_HOST likewise
    K_SERVICE                 set by Cloud Run: the service that runs this process
    PROVENFIX_DOUBLES         `google=127.0.0.1:PORT rest=http://127.0.0.1:PORT github=… slack=… pager=…`: loopback
                              addresses in place of the vendors', for tests and measurements
    GIT_INDEX_FILE            set by git for its hooks: the index that `check --staged` reads

Why not pydantic-settings, measured 2026-11-26: with it, reading the environment takes a process 286 ms of CPU time
instead of 72, at each start of a command, and a function that loads pydantic anyway starts 140 ms later.
"""

import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from shared.config import loader
from shared.config.endpoint_overrides import NO_OVERRIDES, EndpointOverrides, parse_endpoint_overrides
from shared.config.secret_references import Secrets, read_secrets
from shared.errors import UsageError
from shared.service import RegionalService, RolloutMode, Service, build_service_id
from shared.signer import SignaturePolicy

if TYPE_CHECKING:
    from shared.config.model import Configuration


_INTERPRETER_VARIABLE = re.compile(r"PROVENFIX_PYTHON_(\d)_(\d{1,2})")
_COMPILE_VARIABLE = re.compile(r"PROVENFIX_COMPILE_(\d)_(\d{1,2})")
_COMPILE_URL = re.compile(r"https://[^\s/@?#]+(?:/\S*)?|http://(?:127\.0\.0\.1|localhost)(?::\d+)?(?:/\S*)?")
_SWITCHES = {"on": True, "1": True, "true": True, "": False, "off": False, "0": False, "false": False}
_DEFAULT_MAX_AGE_HOURS = 24
_MAX_AGE_HOURS_LIMIT = 24 * 31
CONFIG_FILE = "provenfix.yaml"
_ALL_TRAFFIC = 100
"""Percent."""
_Value = TypeVar("_Value")


class Platform(StrEnum):
    """What runs the services of a local stack."""

    SIMULATED = ""
    """Nothing: revisions and traffic are documents."""
    PROCESSES = "served"
    """The local platform, as processes."""
    WATCHED = "watched"
    """Another platform, whose log streams in."""


@dataclass(frozen=True, slots=True)
class CodeHost:
    """The code host of the watched repositories, and the identity that reads them."""

    address: str = "https://github.com"
    """The web address."""
    app: str = ""
    """The App's id; "" if a token is used. Its key is among the secrets."""
    installation: int = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """`interpreters` maps a minor version such as `3.11` to the path of its interpreter, `compilers` to a URL."""

    interpreters: Mapping[str, str] = field(default_factory=dict)
    compilers: Mapping[str, str] = field(default_factory=dict)
    local_folder: Path | None = None
    """The folder of the local stack; None in the cloud."""
    platform: Platform = Platform.SIMULATED
    """Only in a local stack, like `longest_wait`."""
    longest_wait: timedelta = timedelta.max
    sqlite_folder: Path | None = None
    """The folder of the SQLite files; None if Firestore and Pub/Sub are used."""
    project: str = ""
    database: str = "(default)"
    topic_prefix: str = "provenfix-"
    kill_switch: bool = False
    max_message_age: timedelta = timedelta(hours=_DEFAULT_MAX_AGE_HOURS)
    tracing: bool = False
    read_only: str = ""
    """Where reports go of a profile that asks nobody and deploys nothing: `issue`, `log`; "" for the whole of it."""
    services: Mapping[str, Service] = field(default_factory=dict)
    """By `Service.id`."""
    own_functions: frozenset[str] = frozenset()
    """`Service.id` of provenfix's own functions."""
    sink_folder: str = ""
    """The number of the folder whose log sinks deliver; "" where those of each project do."""
    secrets: Secrets = field(default_factory=Secrets)
    firestore_emulator: str = ""
    pubsub_emulator: str = ""
    is_deployed: bool = False
    """Whether this process runs on Cloud Run, and so has a service account."""
    code_host: CodeHost = field(default_factory=CodeHost)
    endpoint_overrides: EndpointOverrides = NO_OVERRIDES
    socket_mode: bool = False
    """Whether Slack's clicks come over a connection that a function opens, and none of them is signed."""
    pager_url: str = ""
    """Where alerts are sent; "" where no pager is configured. Its key is among the secrets."""
    signature_policy: SignaturePolicy = field(default_factory=SignaturePolicy)
    """Whose signatures of build statements count."""
    secret_patterns: tuple[str, ...] = ()
    """Forms of secrets, added to the built-in ones."""
    index_file: str = ""
    """The path of the index to be committed, from git to its hooks."""


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Reads the environment without the file, which is enough for most commands. Raises UsageError."""
    project = environment.get("PROVENFIX_PROJECT") or environment.get("GOOGLE_CLOUD_PROJECT", "")
    embedded = _read_folder("PROVENFIX_EMBEDDED", environment)
    local = _read_folder("PROVENFIX_LOCAL", environment) or embedded
    overrides = parse_endpoint_overrides(environment.get("PROVENFIX_DOUBLES", ""))
    own_name = environment.get("K_SERVICE")
    return Settings(
        interpreters=_read_values_by_version(_INTERPRETER_VARIABLE, environment),
        compilers=_read_compile_urls(environment),
        local_folder=local,
        platform=_read_platform(environment, local),
        longest_wait=_read_longest_wait(environment, is_local=local is not None or bool(overrides.google)),
        sqlite_folder=embedded,
        project=project,
        database=environment.get("PROVENFIX_DATABASE") or "(default)",
        topic_prefix=environment.get("PROVENFIX_TOPIC_PREFIX") or "provenfix-",
        kill_switch=_read_switch("PROVENFIX_KILL_SWITCH", environment),
        max_message_age=_read_hours("PROVENFIX_OLDEST_HOURS", environment),
        tracing=_read_switch("PROVENFIX_TRACING", environment),
        own_functions=frozenset((build_service_id(project, own_name),)) if own_name and project else frozenset(),
        firestore_emulator=environment.get("FIRESTORE_EMULATOR_HOST", ""),
        pubsub_emulator=environment.get("PUBSUB_EMULATOR_HOST", ""),
        is_deployed=bool(own_name),
        endpoint_overrides=overrides,
        index_file=environment.get("GIT_INDEX_FILE", ""),
    )


def read_all_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Reads environment and file, as the functions need them. Raises UsageError, and InputError for the file."""
    path = Path(environment.get("PROVENFIX_CONFIG") or CONFIG_FILE)
    return _merge_configuration(read_settings(environment), loader.read_configuration(path), environment)


def _merge_configuration(settings: Settings, file: "Configuration", environment: Mapping[str, str]) -> Settings:
    own = {build_service_id(file.own.project, name) for name in file.own.functions} if file.own else set()
    configured = [
        replace(_with_deploy_mode(service, settings.platform), is_read_only=bool(file.read_only))
        for service in list_services(file)
    ]
    services = {service.id: service for service in configured}
    return replace(
        settings,
        compilers=dict(file.compilers) | dict(settings.compilers),
        read_only=file.read_only,
        services=services,
        own_functions=settings.own_functions | own,
        sink_folder=file.own.sink_folder if file.own else "",
        secrets=read_secrets(file, environment, settings.local_folder),
        code_host=_read_code_host(file),
        socket_mode=file.slack.socket_mode if file.slack else False,
        pager_url=file.pager.url if file.pager else "",
        signature_policy=file.signatures.policy if file.signatures else SignaturePolicy(),
        secret_patterns=file.redaction.forms if file.redaction else (),
    )


def list_services(file: "Configuration") -> list[Service]:
    """Of a file, each with its region in its id where another region has one of the same name."""
    services = [entry.service for entry in file.services]
    counts = Counter((service.project, service.name) for service in services)
    return [
        RegionalService(**dict(entry)) if counts[service.project, service.name] > 1 else service
        for entry, service in zip(file.services, services, strict=True)
    ]


def _with_deploy_mode(service: Service, platform: Platform) -> Service:
    """On a watched platform, a command or a user deploys to all traffic at once: provenfix does not control it."""
    if platform is not Platform.WATCHED:
        return service
    mode = RolloutMode.COMMAND if service.deploy_command else RolloutMode.MANUAL
    return replace(service, rollout_mode=mode, traffic_steps=(_ALL_TRAFFIC,))


def _read_code_host(file: "Configuration") -> CodeHost:
    if file.github is None:
        return CodeHost()
    app = file.github.app
    return CodeHost(file.github.address, app.id if app else "", app.installation if app else 0)


def _read_values_by_version(names: re.Pattern[str], environment: Mapping[str, str]) -> dict[str, str]:
    matches = ((names.fullmatch(name), value) for name, value in environment.items())
    return {f"{match[1]}.{match[2]}": value for match, value in matches if match and value}


def _read_compile_urls(environment: Mapping[str, str]) -> dict[str, str]:
    urls = _read_values_by_version(_COMPILE_VARIABLE, environment)
    for version, url in urls.items():
        if not _COMPILE_URL.fullmatch(url):
            name = f"PROVENFIX_COMPILE_{version.replace('.', '_')}"
            raise UsageError(f"{name} must be the https URL of a compile function.")
    return urls


def _read_folder(name: str, environment: Mapping[str, str]) -> Path | None:
    return Path(environment[name]) if environment.get(name) else None


def _read_platform(environment: Mapping[str, str], local: Path | None) -> Platform:
    text = environment.get("PROVENFIX_PLATFORM", "")
    if text not in frozenset(Platform):
        raise UsageError("PROVENFIX_PLATFORM must be 'served', 'watched' or unset.")
    return _require_local("PROVENFIX_PLATFORM", Platform(text), Platform.SIMULATED, is_local=local is not None)


def _read_longest_wait(environment: Mapping[str, str], *, is_local: bool) -> timedelta:
    text = environment.get("PROVENFIX_LONGEST_WAIT", "")
    if not text:
        return timedelta.max
    if not re.fullmatch(r"[0-9]{1,7}(?:\.[0-9]{1,3})?", text) or float(text) < 1:
        raise UsageError("PROVENFIX_LONGEST_WAIT must be a number of seconds, at least 1.")
    return _require_local("PROVENFIX_LONGEST_WAIT", timedelta(seconds=float(text)), timedelta.max, is_local=is_local)


def _require_local(name: str, value: _Value, default: _Value, *, is_local: bool) -> _Value:
    """In the cloud nothing may shorten a rollout's watch, or the lease that prevents a second execution of an
    effect.
    """
    if value != default and not is_local:
        raise UsageError(f"{name} is only valid in a local stack; remove it, or also set PROVENFIX_LOCAL.")
    return value


def _read_switch(name: str, environment: Mapping[str, str]) -> bool:
    """Refuses other words: a misspelt kill switch must not count as off."""
    try:
        return _SWITCHES[environment.get(name, "").strip().lower()]
    except KeyError:
        raise UsageError(f"{name} must be 'on' or 'off'.") from None


def _read_hours(name: str, environment: Mapping[str, str]) -> timedelta:
    text = environment.get(name, "") or str(_DEFAULT_MAX_AGE_HOURS)
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 0 < int(text) <= _MAX_AGE_HOURS_LIMIT:
        raise UsageError(f"{name} must be a number of hours from 1 to {_MAX_AGE_HOURS_LIMIT}.")
    return timedelta(hours=int(text))
