"""Settings: environment and provenfix.yaml become one frozen value; every mistake is one clear sentence."""

import re
from dataclasses import FrozenInstanceError, fields
from datetime import timedelta
from pathlib import Path

import pytest

from functions.cli import command_line
from shared.config.loader import read_configuration
from shared.config.model import Configuration, ServiceEntry
from shared.config.settings import CodeHost, Settings, read_all_settings, read_settings
from shared.errors import InputError, UsageError
from shared.secret import SecretReference, SecretSource
from shared.service import Service
from shared.signer import SignaturePolicy, Signer

FULL = """\
version: 1
services:
  - name: chat
    project: tea-prod
    region: europe-west1
    repository: tea/chat
    channel: C024BE91L
    channel_name: tea-alerts
    environment: production
    branch: release/2
    source_roots: [app, lib/core/]
    python: "3.10"
    team: T024BE7LD
    chat_app: A024BE7LD
    approvers: [U024BE7LH, W12345678]
    approver_group: S0614TZR7
    quorum: 2
    not_author: true
    authors: {U024BE7LH: [Mira Holm, mholm]}
    deploy_method: cloud_build
    deploy_trigger: projects/tea-prod/locations/europe-west6/triggers/deploy-chat
    probe_url: wss://chat.tea.example/ws?quiet=1
    trial: true
    daily_cap: 1
    proposal_ttl: 90m
    remind_after: 15
    escalate_to: pager
    runbook_url: https://wiki.tea.example/chat?at=3
    traffic_steps: [10, 100]
  - {name: orders, project: tea-prod, region: us-east4, repository: ./orders, channel: C1}
slack:
  signing_secret: {env: SIGNING}
  bot_token: {secret: projects/tea-ops/secrets/bot/versions/7}
github:
  token: {env: ABSENT}
pager: {routing_key: {env: ABSENT}}
compilers: {3.10: https://compile-310.example.app, "3.11": https://compile-311.example.app}
own:
  project: tea-ops
  functions: [record, verify]
redaction: {forms: ['tea_[a-z]{20}']}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "provenfix.yaml"


def told(file: Path, text: str, **environment: str) -> Settings:
    file.write_text(text, "utf-8")
    return read_all_settings({"PROVENFIX_CONFIG": str(file)} | environment)


def complaint(file: Path, text: str) -> str:
    with pytest.raises(InputError) as caught:
        told(file, text)
    return str(caught.value).replace(str(file), "FILE")


def test_every_key_of_a_service_arrives(file: Path) -> None:
    services = told(file, FULL).services
    assert list(services) == ["tea-prod.chat", "tea-prod.orders"]
    assert services["tea-prod.chat"] == Service(
        name="chat",
        project="tea-prod",
        region="europe-west1",
        repository="tea/chat",
        channel="C024BE91L",
        channel_name="tea-alerts",
        environment="production",
        branch="release/2",
        source_roots=("app", "lib/core"),
        python="3.10",
        team="T024BE7LD",
        chat_app="A024BE7LD",
        approvers=("U024BE7LH", "W12345678"),
        approver_group="S0614TZR7",
        quorum=2,
        not_author=True,
        authors={"U024BE7LH": ("Mira Holm", "mholm")},
        deploy_method="cloud_build",
        deploy_trigger="projects/tea-prod/locations/europe-west6/triggers/deploy-chat",
        probe_url="wss://chat.tea.example/ws?quiet=1",
        trial=True,
        daily_cap=1,
        proposal_ttl=timedelta(minutes=90),
        remind_after=timedelta(minutes=15),
        escalate_to="pager",
        runbook_url="https://wiki.tea.example/chat?at=3",
        traffic_steps=(10, 100),
    )


def test_what_is_left_out_is_the_domains_default(file: Path) -> None:
    orders = told(file, FULL).services["tea-prod.orders"]
    assert orders == Service("orders", "tea-prod", "us-east4", "./orders", "C1")


@pytest.mark.parametrize("path", [".", "./", "./chat", "/srv/chat"])
def test_a_repository_may_be_a_path_of_this_machine(file: Path, path: str) -> None:
    service = f"services:\n  - {{name: a, project: tea-prod, region: us-east4, channel: C1, repository: {path}}}\n"
    assert told(file, service).services["tea-prod.a"].repository == path


def test_secrets_are_references_and_environment_values_stay_hidden(file: Path) -> None:
    settings = told(file, FULL, SIGNING="hush-hush")
    assert settings.secrets.slack_signing_secret == SecretReference(SecretSource.ENVIRONMENT, "SIGNING")
    assert settings.secrets.slack_bot_token == SecretReference(
        SecretSource.SECRET_MANAGER, "projects/tea-ops/secrets/bot/versions/7"
    )
    assert settings.secrets.values["SIGNING"].reveal() == "hush-hush"
    assert "ABSENT" not in settings.secrets.values
    assert "hush" not in repr(settings)


def test_with_socket_mode_there_is_an_app_token_and_no_signing_secret(file: Path) -> None:
    token = "projects/tea-ops/secrets/app/versions/latest"
    settings = told(file, f"slack: {{socket_mode: true, app_token: {{secret: {token}}}, bot_token: {{env: BOT}}}}\n")
    assert settings.socket_mode
    assert settings.secrets.slack_app_token == SecretReference(SecretSource.SECRET_MANAGER, token)
    assert settings.secrets.slack_signing_secret is None
    assert not told(file, FULL).socket_mode


def test_signers_arrive_and_without_the_section_there_are_none(file: Path) -> None:
    key = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
    block = "".join(f"        {line}\n" for line in key.splitlines())
    issuer, subject, root = (
        "https://issuer.invalid",
        "https://ci.invalid/{repository}/*",
        '{"mediaType": "a trustedroot"}',
    )
    identity = f"    - {{issuer: {issuer!r}, subject: {subject!r}}}\n  trusted_root: '{root}'\n"
    policy = told(file, f"signatures:\n  signers:\n    - public_key: |\n{block}{identity}").signature_policy
    assert policy == SignaturePolicy((Signer(key), Signer(issuer=issuer, subject=subject)), root)
    assert told(file, FULL).signature_policy == SignaturePolicy()


def test_an_app_of_an_enterprise_server_arrives(file: Path) -> None:
    app = "app: {id: 41, installation: 7, private_key: {env: KEY}}"
    settings = told(file, f"github:\n  {app}\n  address: https://code.tea.example\n", KEY="-----BEGIN hush")
    assert settings.code_host == CodeHost("https://code.tea.example", "41", 7)
    assert settings.secrets.github_app_key == SecretReference(SecretSource.ENVIRONMENT, "KEY")
    assert settings.secrets.values["KEY"].reveal() == "-----BEGIN hush"
    assert settings.secrets.github_token is None
    assert "hush" not in repr(settings)


def test_a_token_is_for_the_public_code_host(file: Path) -> None:
    assert told(file, FULL).code_host == CodeHost("https://github.com", "", 0)


def test_nothing_can_be_changed_afterwards(file: Path) -> None:
    settings = told(file, FULL)
    with pytest.raises(FrozenInstanceError):
        settings.kill_switch = True  # type: ignore[misc]


def test_compilers_of_the_environment_come_before_those_of_the_file(file: Path) -> None:
    settings = told(file, FULL, PROVENFIX_COMPILE_3_11="http://127.0.0.1:9/c")
    assert settings.compilers == {"3.10": "https://compile-310.example.app", "3.11": "http://127.0.0.1:9/c"}


def test_own_functions_are_those_of_the_file_and_the_running_one(file: Path) -> None:
    settings = told(file, FULL, K_SERVICE="decide", GOOGLE_CLOUD_PROJECT="tea-ops")
    assert settings.own_functions == {"tea-ops.record", "tea-ops.verify", "tea-ops.decide"}


def test_an_empty_file_watches_nothing(file: Path) -> None:
    assert told(file, "").services == {}


def test_the_environment_alone_needs_no_file() -> None:
    settings = read_settings({"PROVENFIX_PYTHON_3_11": "/opt/py", "PROVENFIX_PYTHON_3_12": "", "OTHER": "1"})
    assert settings == Settings(interpreters={"3.11": "/opt/py"})


def test_the_environment_chooses_where_state_is_kept() -> None:
    machine = read_settings({"PROVENFIX_EMBEDDED": "/var/p"})
    assert (machine.local_folder, machine.sqlite_folder) == (Path("/var/p"), Path("/var/p"))
    emulated = read_settings({"PROVENFIX_LOCAL": "/var/p"})
    assert (emulated.local_folder, emulated.sqlite_folder) == (Path("/var/p"), None)
    cloud = read_settings({"GOOGLE_CLOUD_PROJECT": "a", "PROVENFIX_PROJECT": "b", "PROVENFIX_DATABASE": "d"})
    assert (cloud.local_folder, cloud.sqlite_folder, cloud.project, cloud.database) == (None, None, "b", "d")


@pytest.mark.parametrize(("text", "on"), [("on", True), ("TRUE", True), ("1", True), ("", False), ("off", False)])
def test_a_switch_is_on_or_off(text: str, on: bool) -> None:  # noqa: FBT001
    assert read_settings({"PROVENFIX_KILL_SWITCH": text}).kill_switch is on


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PROVENFIX_KILL_SWITCH", "yess"),
        ("PROVENFIX_TRACING", "maybe"),
        ("PROVENFIX_OLDEST_HOURS", "0"),
        ("PROVENFIX_OLDEST_HOURS", "-3"),
        ("PROVENFIX_OLDEST_HOURS", "١"),
        ("PROVENFIX_OLDEST_HOURS", "999"),
        ("PROVENFIX_COMPILE_3_11", "http://compile.example"),
        ("PROVENFIX_COMPILE_3_11", "https://user:hush@compile.example"),
        ("PROVENFIX_COMPILE_3_11", "file:///etc/passwd"),
    ],
)
def test_a_wrong_variable_is_named_without_its_value(name: str, text: str) -> None:
    with pytest.raises(UsageError, match=f"^{name} must be") as caught:
        read_settings({name: text})
    assert "hush" not in str(caught.value)


def test_the_example_is_valid_and_shows_every_key() -> None:
    path = Path(__file__).parents[2] / "provenfix.example.yaml"
    example = read_configuration(path)
    assert example.model_fields_set == set(Configuration.model_fields)
    assert example.services[0].model_fields_set == set(ServiceEntry.model_fields)
    assert {field.name for field in fields(Service)} - {"rollout_mode", "is_read_only"} == set(
        ServiceEntry.model_fields
    )


SERVICE = "services:\n  - {name: chat, project: tea-prod, region: europe-west1, repository: tea/chat, channel: C1"
REPEATED = "".join(f"{key}: &{key} [{', '.join(f'*{chr(ord(key) - 1)}' for _ in range(9))}]\n" for key in "bcdefg")
WRONG = {
    "services:\n  - name: chat\n    project: tea-prod\n    region: europe-west1\n    channel: C1\n": (
        "FILE, line 2: services[0].repository is missing."
    ),
    SERVICE + ", chanel: C2}": "FILE, line 2: services[0].chanel is not a known key; did you mean channel?",
    SERVICE + ",\n     python: 3.10}": (
        "FILE, line 3: services[0].python must be in quotes, such as '3.10': without them YAML reads a number, and "
        "3.10 becomes 3.1."
    ),
    SERVICE + ",\n\n     python: '3.11.7'}": (
        "FILE, line 4: services[0].python must be a minor version of Python in quotes, such as '3.11'."
    ),
    SERVICE + ", approvers: U1}": "FILE, line 2: services[0].approvers must be a list.",
    SERVICE + ", approvers: [U12, ada]}": (
        "FILE, line 2: services[0].approvers[1] must be a Slack user's id, not a name, such as 'U024BE7LH'."
    ),
    SERVICE.replace("C1", "'#ops'") + "}": (
        "FILE, line 2: services[0].channel must be a channel's id, not its name, such as 'C024BE91L'."
    ),
    SERVICE + ", trial: true}": (
        "FILE, line 2: services[0].trial needs a probe_url that begins with ws:// or wss://, whose probe shows the "
        "failure."
    ),
    SERVICE + ", probe_url: 'https://chat.example/health',\n     trial: true}": (
        "FILE, line 3: services[0].trial needs a probe_url that begins with ws:// or wss://, whose probe shows the "
        "failure."
    ),
    SERVICE + ", daily_cap: '3'}": "FILE, line 2: services[0].daily_cap must be a whole number.",
    SERVICE + ", daily_cap: -1}": "FILE, line 2: services[0].daily_cap must be greater than or equal to 0.",
    SERVICE + ", proposal_ttl: 6}": (
        "FILE, line 2: services[0].proposal_ttl must be a number of minutes, hours or days, such as '30m', '6h' or "
        "'2d'."
    ),
    SERVICE + ", remind_after: soon}": (
        "FILE, line 2: services[0].remind_after must be a number of minutes, hours or days, such as '30m', '6h' or "
        "'2d'."
    ),
    SERVICE + ", remind_after: 0}": (
        "FILE, line 2: services[0].remind_after must be a number of minutes, such as 15, or a duration such as '2h'."
    ),
    SERVICE + ", remind_after: 6h}": (
        "FILE, line 2: services[0].remind_after must be shorter than proposal_ttl, after which the question expires."
    ),
    SERVICE + ", escalate_to: S1}": (
        "FILE, line 2: services[0].escalate_to needs remind_after, the minutes after which it is asked, such as 15."
    ),
    SERVICE + ", remind_after: 9, escalate_to: mira}": (
        "FILE, line 2: services[0].escalate_to must be a Slack user's or user group's id, or 'pager' for the webhook, "
        "such as 'S0614TZR7'."
    ),
    SERVICE + ", remind_after: 9, escalate_to: pager}": (
        "FILE, line 2: services[0].escalate_to is 'pager', which needs the section pager with its routing_key."
    ),
    SERVICE + ", runbook_url: wiki}": (
        "FILE, line 2: services[0].runbook_url must be an https URL without user and password, such as "
        "'https://wiki…/runbook'."
    ),
    "pager: {routing_key: hush}": (
        "FILE, line 1: pager.routing_key must be a reference, {secret: projects/P/secrets/S/versions/3} or {env: NAME}"
        ", not a value."
    ),
    SERVICE + ", traffic_steps: [50, 10, 100]}": (
        "FILE, line 2: services[0].traffic_steps must be ascending percentages ending with 100, such as [10, 50, 100]."
    ),
    SERVICE + ", traffic_steps: ['100']}": "FILE, line 2: services[0].traffic_steps[0] must be a whole number.",
    SERVICE + ", source_roots: [app/../..]}": (
        "FILE, line 2: services[0].source_roots[0] must be a folder of the repository, as a path from its root such as "
        "'app'."
    ),
    SERVICE + ", branch: --upload-pack=x}": "FILE, line 2: services[0].branch must be a branch, such as 'main'.",
    SERVICE + ", probe_url: 'wss://me:hush@chat.example'}": (
        "FILE, line 2: services[0].probe_url must be a WebSocket's URL without user and password, such as 'wss://…/ws'."
    ),
    SERVICE + ", deploy_method: ftp}": (
        "FILE, line 2: services[0].deploy_method must be '', 'cloud_build', 'github_workflow' or 'image'."
    ),
    SERVICE + ", deploy_method: cloud_build}": (
        "FILE, line 2: services[0] is deployed by cloud_build, which needs deploy_trigger."
    ),
    SERVICE + ", deploy_method: github_workflow}": (
        "FILE, line 2: services[0] is deployed by github_workflow, which needs deploy_workflow."
    ),
    SERVICE + ", deploy_workflow: .github/workflows/deploy.yml}": (
        "FILE, line 2: services[0].deploy_workflow must be the name of a file in .github/workflows, without the "
        "folder, such as 'deploy.yml'."
    ),
    SERVICE + "}\n  - {name: chat, project: tea-prod, region: europe-west1, repository: t/c, channel: C1}": (
        "FILE, line 3: services[1] is the same service as services[0] (line 2); remove one of them."
    ),
    SERVICE + "}\nown: {project: tea-prod, functions: [chat]}": (
        "FILE, line 2: services[0] is one of provenfix's own functions, which are not watched."
    ),
    SERVICE + ",\n     approvers: [U1, U2, U1], quorum: 3}": (
        "FILE, line 3: services[0].quorum must be at most 2, the number of approvers; no proposal could be approved."
    ),
    SERVICE + ", quorum: 0}": "FILE, line 2: services[0].quorum must be greater than or equal to 1.",
    SERVICE + ",\n     not_author: true}": (
        "FILE, line 3: services[0].not_author needs authors, the names under which approvers commit; nobody could "
        "approve a fix."
    ),
    SERVICE + ", not_author: 'yes'}": "FILE, line 2: services[0].not_author must be true or false.",
    SERVICE + ", authors: {ada: [Ada]}}": (
        "FILE, line 2: services[0].authors.ada must be a Slack user's id, not a name, such as 'U024BE7LH'."
    ),
    SERVICE + ", authors: {U1: Ada}}": "FILE, line 2: services[0].authors.… must be a list.",
    SERVICE + ", authors: {U1: ['']}}": (
        "FILE, line 2: services[0].authors.…[0] must be an author name as Git records it, such as 'Mira Holm'."
    ),
    "redaction:\n  forms:\n    - acme_[a-z]{32}\n    - (hush+)+$": (
        "FILE, line 4: redaction.forms[1] may contain only fixed characters, [classes], \\d and \\w, each with an "
        "optional {n}, {m,n} or +; character 1 is not allowed."
    ),
    "signatures: {signers: [{issuer: 'https://hush.invalid'}]}": (
        "FILE, line 1: signatures.signers[0] must have either public_key, or issuer and subject."
    ),
    "signatures: {signers: []}": "FILE, line 1: signatures.signers must name at least one signer, and at most 20.",
    "signatures: {signers: [{public_key: hush}]}": (
        "FILE, line 1: signatures.signers[0].public_key must be a public key in PEM, from its line BEGIN PUBLIC KEY to "
        "END PUBLIC KEY."
    ),
    "signatures:\n  signers: [{issuer: 'https://i.invalid', subject: a}]\n  trusted_root: hush": (
        "FILE, line 3: signatures.trusted_root must be the JSON of Sigstore's trusted root, with its mediaType."
    ),
    "redaction: {forms: ['\\w+hushhush']}": (
        "FILE, line 1: redaction.forms[0] must begin with at least 3 fixed characters, such as 'acme_[A-Za-z0-9]{32}'."
    ),
    "redaction: {forms: [acme]}": (
        "FILE, line 1: redaction.forms[0] must ask for at least 8 characters: ordinary words are shorter."
    ),
    "redaction: {forms: ['acme_[a-z]+[a-f0-9]{8}']}": (
        "FILE, line 1: redaction.forms[0] must not let '[a-z]' repeat where '[a-f0-9]' may follow: the same character "
        "fits both, so that a text would be tried in many ways; give the number, as in {32}."
    ),
    "redaction: {forms: ['acme_[z-a]{8}']}": (
        "FILE, line 1: redaction.forms[0] must not hold the class '[z-a]': its ranges run backwards."
    ),
    "redaction: {forms: ['acme_\\w{9,2}']}": (
        "FILE, line 1: redaction.forms[0] must use repeat counts from 1 to 1024, the smaller one first."
    ),
    "redaction: {patterns: []}": "FILE, line 1: redaction.patterns is not a known key; known keys: forms.",
    "services: {}": "FILE, line 1: services must be a list.",
    "services: [3]": "FILE, line 1: services[0] must be keys with values.",
    "- a": "FILE, line 1: the file must be keys with values.",
    "version: 2": "FILE, line 1: version must be 1.",
    "servces: []": "FILE, line 1: servces is not a known key; did you mean services?",
    "slack: {}": "FILE, line 1: slack must have signing_secret, or socket_mode: true with app_token.",
    "slack: {socket_mode: true}": "FILE, line 1: slack must have app_token with socket_mode: true, and only then.",
    "slack: {socket_mode: true, app_token: {env: A}, signing_secret: {env: B}}": (
        "FILE, line 1: slack must have signing_secret, or socket_mode: true with app_token."
    ),
    "slack:\n  signing_secret: xoxb-hush": (
        "FILE, line 2: slack.signing_secret must be a reference, {secret: projects/P/secrets/S/versions/3} or "
        "{env: NAME}, not a value."
    ),
    "slack:\n  signing_secret:\n    secret: xoxb-hush": (
        "FILE, line 3: slack.signing_secret.secret must be a version in Secret Manager, such as "
        "'projects/P/secrets/S/versions/3'."
    ),
    "slack:\n  signing_secret:\n    env: xoxb-hush": (
        "FILE, line 3: slack.signing_secret.env must be an environment variable's name, such as 'SLACK_BOT_TOKEN'."
    ),
    "slack:\n  signing_secret:\n    xoxb-hush: 1": (
        "FILE, line 3: slack.signing_secret.… is not a known key; known keys: env, secret."
    ),
    "github: {}": "FILE, line 1: github must have either app or token.",
    "github:\n  token: {env: A}\n  app: {id: 4, installation: 7, private_key: {env: K}}": (
        "FILE, line 1: github must have either app or token."
    ),
    "github:\n  app: {id: hush, installation: 7, private_key: {env: K}}": (
        "FILE, line 2: github.app.id must be a GitHub App's id or its client id, such as '1234567'."
    ),
    "github:\n  app: {id: 4, installation: 7, private_key: '-----BEGIN hush'}": (
        "FILE, line 2: github.app.private_key must be a reference, {secret: projects/P/secrets/S/versions/3} or "
        "{env: NAME}, not a value."
    ),
    "github:\n  token: {env: A}\n  address: http://code.tea.example/api/v3": (
        "FILE, line 3: github.address must be a GitHub Enterprise's web address without a path, such as "
        "'https://github.acme.example'."
    ),
    "compilers: {3.11: http://elsewhere.example}": (
        "FILE, line 1: compilers.'3.11' must be the function's https URL, such as 'https://compile-py311-….run.app'."
    ),
    "compilers: {three: https://a.example}": (
        "FILE, line 1: compilers.three must be a minor version of Python in quotes, such as '3.11'."
    ),
    "a: 1\nversion: 1\na: 2\n": "FILE, line 3: the key 'a' is repeated; remove one of them.",
    "version: 1\nservices: [\n": "FILE, line 3: this is not YAML: expected the node content, but found '<stream end>'.",
    "services: &a\n  - *a\n": "FILE, line 1: more than 32 levels; write it flatter.",
    "version: 1\nservices: " + "[" * 5_000: "FILE, line 2: more than 32 levels; write it flatter.",
    "a: &a [x, x]\n" + REPEATED: ("FILE, line 1: more than 100000 values; this is not a configuration."),
    "? [1]\n: 2\n": "FILE, line 1: a key must be a word.",
    "version: 1\nservices: 2026-99-99": "FILE, line 2: this value does not fit its type; put text in quotes.",
    "version: !!bool hush": "FILE, line 1: this value does not fit its type; put text in quotes.",
    "a: !!python/object:os.system x\n": (
        "FILE, line 1: this is not YAML: could not determine a constructor for the tag "
        "'tag:yaml.org,2002:python/object:os.system'."
    ),
    "version: \x07": "FILE: this is not YAML: special characters are not allowed.",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_mistake_is_one_sentence_with_file_line_and_key(file: Path, text: str) -> None:
    said = complaint(file, text)
    assert said == WRONG[text]
    assert "hush" not in said


def test_several_mistakes_are_several_sentences(file: Path) -> None:
    said = complaint(file, "version: 2\nservices: 1\nother: 2\n")
    assert [line.partition(":")[0] for line in said.splitlines()] == [f"FILE, line {n}" for n in (1, 2, 3)]


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a" * (1 << 21)])
def test_a_file_that_is_no_text_is_one_sentence(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"provenfix\.yaml"):
        read_all_settings({"PROVENFIX_CONFIG": str(file)})


def test_a_file_that_is_not_there_is_one_sentence(file: Path) -> None:
    with pytest.raises(InputError, match=re.escape(str(file))):
        read_all_settings({"PROVENFIX_CONFIG": str(file)})


def test_a_command_prints_a_mistake_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name is no line of its own: it is shown without its line ends."""
    file = tmp_path / "provenfix.yaml"
    file.write_text("version: 2\nservices: 1\nother: 2\n'a\\nb': 3\n", "utf-8")
    monkeypatch.setattr(command_line, "_invoke_typer", lambda: read_all_settings({"PROVENFIX_CONFIG": str(file)}))
    assert command_line._run_command() == 3
    lines = capsys.readouterr().err.splitlines()
    assert [line.removeprefix("provenfix: ").partition(": ")[0] for line in lines] == [
        f"{file}, line {number}" for number in (1, 2, 3, 4)
    ]


def test_contradictions_are_all_told_and_too_many_mistakes_are_counted(file: Path) -> None:
    entry = "  - {name: a, project: shop, region: europe-west1, repository: a/b, channel: C1}\n"
    assert len(complaint(file, "services:\n" + entry * 3).splitlines()) == 2
    lines = complaint(file, "".join(f"key{number}: 1\n" for number in range(25))).splitlines()
    assert (len(lines), lines[-1]) == (21, "and 5 more.")
