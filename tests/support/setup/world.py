"""A project, its programs on PATH, Slack, GitHub and a person, for a test of `provenfix setup`.

In: a folder. Out: the ports of a setup, with the real adapters of programs, Slack and GitHub's registration; and what
the project has become.
"""

import html
import json
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import requests

from functions.local.server_process import find_free_port
from functions.setup.adapters.github_registration import BrowserRegistration, GitHubAddresses
from functions.setup.adapters.private_state import PrivateStateFile
from functions.setup.adapters.slack_workspace import SlackWorkspace
from functions.setup.ports import CommandResult, Commands, Outside, Place
from functions.setup.session import Session
from functions.setup.state import SetupState, state_from_text
from shared.errors import InputError, UsageError
from shared.secret import Secret
from tests.support.github.server import NOT_FOUND, FakeGitHub, FakeRequest, FakeResponse, serve_fake
from tests.support.setup import platform_program
from tests.support.slack.workspace import FakeWorkspace

PROJECT, WATCHED, OWNER = "reef-ops", "reef-prod", "reefers"
CHANNEL, APPROVER = "C0REEF0000", "U0ANNE0000"
BOT_TOKEN = "xoxb-1111-2222-of-these-tests"
SIGNING_SECRET = "0123456789abcdef0123456789abcdef"
PRIVATE_KEY = "-----BEGIN RSA PRIVATE KEY-----\nof these tests\n-----END RSA PRIVATE KEY-----\n"
WEBHOOK_SECRET = "webhook-secret-of-these-tests"
APP_TOKEN = "xapp-1-A0BOAT-0123456789"
SECRETS = (BOT_TOKEN, APP_TOKEN, SIGNING_SECRET, PRIVATE_KEY, WEBHOOK_SECRET)
_PROGRAM = Path(__file__).with_name("platform_program.py")
_CHECKOUT = Path(__file__).resolve().parents[3]


@dataclass
class FakeAppRegistry:
    """GitHub's registration of Apps: its pages for a browser, and the two operations of its API."""

    manifests: list[dict[str, Any]] = field(default_factory=list)
    exchanges: list[tuple[str, str, FakeResponse]] = field(default_factory=list)
    """Verb, path and answer of each request to the API."""
    unavailable: int = 0
    """So many conversions fail."""
    codes: set[str] = field(default_factory=set)
    converted: int = 0
    forgotten: int = 0
    """So many redirects after an installation name none."""
    intruder: str = ""
    """The query of another page's request to the loopback server, before the person's own."""
    intruded: list[int] = field(default_factory=list)

    def answer(self, asked: FakeRequest) -> FakeResponse | None:
        if asked.path.startswith(("/users/", "/app-manifests/")):
            response = self._answer_api(asked)
            self.exchanges.append((asked.method, asked.path, response))
            return response
        if asked.method == "POST" and asked.path == f"/organizations/{OWNER}/settings/apps/new":
            return self._register(asked)
        return None

    def _answer_api(self, asked: FakeRequest) -> FakeResponse:
        if asked.path == f"/users/{OWNER}":
            return FakeResponse(200, _organisation())
        code = asked.path.split("/")[2]
        if self.unavailable:
            self.unavailable -= 1
            return FakeResponse(503, {"message": "Unavailable"})
        if asked.method != "POST" or code not in self.codes:
            return NOT_FOUND
        self.codes.remove(code)
        self.converted += 1
        return FakeResponse(201, _registered_app(self.manifests[-1], 9000 + self.converted))

    def _register(self, asked: FakeRequest) -> FakeResponse:
        manifest = json.loads(asked.body["manifest"])
        self.manifests.append(manifest)
        code = f"code{len(self.manifests)}"
        self.codes.add(code)
        query = urlencode({"code": code, "state": asked.query["state"]})
        return FakeResponse(302, None, {"Location": f"{manifest['redirect_url']}?{query}"})


def _organisation() -> dict[str, Any]:
    """As GitHub answers: `public-user`."""
    base = "https://api.github.com/users/reefers"
    addresses = ("followers", "subscriptions", "organizations", "repos", "received_events")
    plain = {f"{name}_url": f"{base}/{name}" for name in addresses}
    patterns = {
        "following": "{/other_user}",
        "gists": "{/gist_id}",
        "starred": "{/owner}{/repo}",
        "events": "{/privacy}",
    }
    return {
        "login": OWNER, "id": 7, "node_id": "O_7", "avatar_url": "https://avatars.example/7", "gravatar_id": "",
        "url": base, "html_url": "https://github.com/reefers", **plain,
        **{f"{name}_url": f"{base}/{name}{rest}" for name, rest in patterns.items()},
        "type": "Organization", "site_admin": False, "name": None, "company": None, "blog": None, "location": None,
        "email": None, "hireable": None, "bio": None, "public_repos": 1, "public_gists": 0, "followers": 0,
        "following": 0, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
        "user_view_type": "public",
    }  # fmt: skip


def _registered_app(manifest: dict[str, Any], number: int) -> dict[str, Any]:
    """As GitHub answers a conversion: `integration` with its secrets."""
    slug = re.sub(r"[^a-z0-9-]", "-", manifest["name"].lower())
    user = {key: value for key, value in _organisation().items() if key not in _PROFILE}
    return {
        "id": number, "slug": slug, "node_id": f"A_{number}", "owner": user, "name": manifest["name"],
        "description": None, "external_url": manifest["url"], "html_url": f"https://github.com/apps/{slug}",
        "created_at": "2026-11-26T00:00:00Z", "updated_at": "2026-11-26T00:00:00Z",
        "permissions": manifest["default_permissions"], "events": manifest["default_events"],
        "client_id": "Iv1.0123456789abcdef", "client_secret": "a-client-secret", "pem": PRIVATE_KEY,
        "webhook_secret": WEBHOOK_SECRET if manifest["hook_attributes"]["active"] else None,
    }  # fmt: skip


_PROFILE = frozenset(
    ("name", "company", "blog", "location", "email", "hireable", "bio", "public_repos", "public_gists", "followers",
     "following", "created_at", "updated_at")
)  # fmt: skip


class Browser(threading.Thread):
    """A person at a page: sends its form, follows the redirect, or installs the App."""

    def __init__(self, url: str, registry: FakeAppRegistry, address: str) -> None:
        super().__init__(daemon=True)
        self._url, self._registry, self._address = url, registry, address

    def run(self) -> None:
        if self._url.startswith(f"{self._address}/apps/"):
            installation = "" if self._registry.forgotten else "4711"
            self._registry.forgotten = 0
            query = urlencode({"installation_id": installation, "setup_action": "install"})
            requests.get(f"{self._registry.manifests[-1]['setup_url']}?{query}", timeout=10)
            return
        if self._registry.intruder:
            forged = requests.get(f"{self._url}created?{self._registry.intruder}", timeout=10)
            self._registry.intruded.append(forged.status_code)
        with socket.create_connection((urlsplit(self._url).hostname, urlsplit(self._url).port), timeout=10):
            self._register()

    def _register(self) -> None:
        """With a connection open beside it on which nothing comes, as a browser opens it ahead of need."""
        page = requests.get(self._url, timeout=10).text
        action, value = (html.unescape(text) for text in re.findall(r'(?:action|value)="([^"]*)"', page))
        sent = requests.post(action, data={"manifest": value}, timeout=10, allow_redirects=False)
        requests.get(sent.headers["Location"], timeout=10)


@dataclass
class ScriptedPerson:
    """Answers by words of the question; keeps what was asked and said. `refuses` says no once."""

    answers: dict[str, str]
    browse: Callable[[str], None]
    questions: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    refuses: int = 0
    unset: tuple[str, ...] = ()
    """Variables that nobody has set, where nobody types."""

    def report_line(self, sentence: str) -> None:
        self.lines += sentence.split("\n")

    def ask(self, question: str, check: Callable[[str], Any], default: str = "") -> str:
        answer = self._answer(question) or default
        check(answer)
        return answer

    def choose(self, question: str, options: Sequence[str], *, many: bool = False) -> Sequence[str]:
        words = self._answer(question).split()
        assert set(words) <= set(options), (question, options)
        assert many or len(words) == 1
        return words

    def ask_secret(self, what: str, variable: str) -> Secret:
        self.questions.append(what)
        typed = {"SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_SIGNING_SECRET": SIGNING_SECRET, "SLACK_APP_TOKEN": APP_TOKEN}
        return Secret(typed[variable])

    def has_secret(self, variable: str) -> bool:
        return variable not in self.unset

    def confirm(self, question: str) -> bool:
        del question
        self.refuses -= 1
        return self.refuses < 0

    def open_page(self, url: str) -> None:
        self.pages.append(url)
        self.browse(url)

    def _answer(self, question: str) -> str:
        self.questions.append(question)
        matches = [answer for words, answer in self.answers.items() if words in question]
        if len(matches) != 1:
            raise UsageError(f"nobody answers: {question}")
        return matches[0]


ANSWERS = {
    "In which project does": PROJECT,
    "Which project holds": WATCHED,
    "Which services": "chat@europe-west1",
    "In which region": "europe-west1",
    "Which repository": f"{OWNER}/chat",
    "Which Slack channel": f"{CHANNEL} {APPROVER}",
}


@dataclass
class CalledPrograms:
    """Implements `Commands` by the code of the stand-in programs, without a process for each call."""

    world: dict[str, Any]

    def read(self, argv: Sequence[str], stdin: Secret | None = None) -> CommandResult:
        return CommandResult(
            *platform_program.answer(self.world, argv[0], [*argv[1:]], stdin.reveal() if stdin else "")
        )

    def show(self, argv: Sequence[str]) -> int:
        return self.read(argv).code


@dataclass
class SetupWorld:
    """All of it; `session` is a new process each time."""

    folder: Path
    project: dict[str, Any]
    """What `read` and `change` are about, unless programs keep it in a file."""
    paths: Place
    registry: FakeAppRegistry
    slack: FakeWorkspace
    person: ScriptedPerson
    port: int
    """Of the pages of a registration."""
    outside: Outside = field(init=False)
    doctor_codes: list[int] = field(default_factory=list)
    bundle_errors: int = 0
    waits: list[float] = field(default_factory=list)

    def open_session(self) -> Session:
        text = self.outside.state_file.read()
        return Session(self.paths, self.outside, state_from_text(text) if text else SetupState())

    def read(self) -> dict[str, Any]:
        """What the project has become."""
        file = self.folder / "world.json"
        if file.exists():
            self.project = json.loads(file.read_text("utf-8"))
        return self.project

    def change(self, **changes: object) -> None:
        """Only where the project is in memory."""
        self.project.update(changes)

    def calls(self, beginning: str) -> list[str]:
        return [call for call in self.read()["calls"] if call.startswith(beginning)]


def empty_project() -> dict[str, Any]:
    """Two projects with billing, one service, and nothing else."""
    return {
        "account": "anne@reef.example", "projects": {PROJECT: {"billing": True}, WATCHED: {"billing": True}},
        "services": {WATCHED: {"chat": "europe-west1", "voice": "us-central1"}}, "signed_in": False, "apis": [],
        "identities": [], "buckets": {}, "secrets": {}, "accounts": [], "bindings": [], "granted": 0, "entries": [],
        "looks": 0, "applied": 0, "released": False, "config": "", "fail": [], "calls": [],
    }  # fmt: skip


@contextmanager
def open_setup_world(folder: Path, commands: Commands | None = None) -> Iterator[SetupWorld]:
    """With `commands` the programs are those, else the code of the stand-ins is called."""
    with ExitStack() as stack:
        github, slack = FakeGitHub(), FakeWorkspace(token=BOT_TOKEN, channels={CHANNEL: True})
        registry = FakeAppRegistry()
        github.extra_routes.append(registry.answer)
        address = stack.enter_context(serve_fake(github)).address
        stack.enter_context(serve_fake(slack))  # type: ignore[arg-type]  # it answers as the other one does
        browsers: list[Browser] = []

        def browse(url: str) -> None:
            if url.startswith(("http://127.0.0.1", address)):
                browsers.append(Browser(url, registry, address))
                browsers[-1].start()

        person = ScriptedPerson(dict(ANSWERS), browse)
        paths = Place(folder / "state", folder / "provenfix.yaml", _prepare_checkout(folder))
        project = empty_project()
        world = SetupWorld(folder, project, paths, registry, slack, person, find_free_port())
        world.outside = _build_outside(world, address, commands or CalledPrograms(project))
        yield world
        for browser in browsers:
            browser.join(10)


def _build_outside(world: SetupWorld, address: str, commands: Commands) -> Outside:
    def write_bundles() -> None:
        if world.bundle_errors:
            world.bundle_errors -= 1
            raise InputError("main.py does not compile and cannot be deployed")
        for name in ("functions", "compile"):
            (world.paths.build / f"{name}.zip").write_bytes(b"")

    def run_doctor(config: Path, project: str) -> tuple[int, str]:
        assert config.exists(), config
        assert project == PROJECT
        assert world.read()["bindings"], "doctor asks as accounts that let nobody in"
        return (world.doctor_codes.pop(0) if world.doctor_codes else 0), "all passed"

    return Outside(
        commands, world.person, BrowserRegistration(GitHubAddresses(address, address), world.port, 20.0),
        SlackWorkspace(f"{world.slack.address}/api/"), PrivateStateFile(world.paths.folder), run_doctor,
        write_bundles, world.waits.append,
    )  # fmt: skip


def _prepare_checkout(folder: Path) -> Path:
    """With the real manifests, and nothing built yet."""
    checkout = folder / "checkout"
    (checkout / "build").mkdir(parents=True)
    (checkout / "Makefile").touch()
    (checkout / "terraform").symlink_to(_CHECKOUT / "terraform")
    return checkout


def write_programs(folder: Path) -> Path:
    """`gcloud` and `terraform`, and the project beside them; the folder for PATH. They want SETUP_WORLD."""
    (folder / "bin").mkdir(parents=True)
    (folder / "world.json").write_text(json.dumps(empty_project()), "utf-8")
    text = f"#!{sys.executable} -ES\n{_PROGRAM.read_text('utf-8')}"
    for name in ("gcloud", "terraform"):
        program = folder / "bin" / name
        program.write_text(text, "utf-8")
        program.chmod(0o755)
    return folder / "bin"


def query_of(url: str) -> dict[str, str]:
    """The parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()} or dict(parse_qsl(url))
