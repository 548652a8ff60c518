"""From settings to GitHub: as an App or with a token, at github.com and at an Enterprise Server."""

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from shared import credentials, wiring
from shared.adapters.github.credentials import GitHubHost, InstallationTokens
from shared.adapters.system import SystemClock
from shared.config.secret_references import Secrets
from shared.config.settings import CodeHost, Settings
from shared.errors import Reject, UsageError
from shared.secret import Secret, SecretReference, SecretSource
from tests.support.github.clients import TokenEndpoint, make_app
from tests.support.github.issue_tracker import IssueTracker
from tests.support.github.server import REPOSITORY, FakeGitHub, serve_fake
from tests.support.harness import watched_service

WATCHED = watched_service(repository=REPOSITORY)
KEY = SecretReference(SecretSource.ENVIRONMENT, "KEY")


def settings(fake: FakeGitHub, key: str) -> Settings:
    held = {"KEY": Secret(key)} if key else {}
    host = CodeHost(fake.address, make_app().id, make_app().installation)
    return Settings(project="shore", secrets=Secrets(github_app_key=KEY, values=held), code_host=host)


@pytest.mark.parametrize(
    ("web", "api"),
    [
        ("https://github.com", "https://api.github.com"),
        ("https://acme.ghe.com", "https://api.acme.ghe.com"),
        ("https://code.acme.example", "https://code.acme.example/api/v3"),
    ],
)
def test_every_kind_of_github_has_its_api_somewhere_else(web: str, api: str) -> None:
    assert GitHubHost(web).api == api


def test_enterprise_app_uses_enterprise_paths_and_its_own_token() -> None:
    clock = SystemClock()
    desk = TokenEndpoint(clock)
    with serve_fake(FakeGitHub(extra_routes=[IssueTracker(clock.now), desk], is_enterprise=True)) as fake:
        world = wiring.build_context(settings(fake, make_app().key().reveal()))
        assert world.issues.find(WATCHED, "<!-- provenfix:incident=1 -->") is None
        assert world.checks.get_status(WATCHED, "a" * 40).value == "unknown"  # GraphQL has a path of its own
        links = world.link_builder.build_links(WATCHED, ())
        assert links.commit("a" * 40) == f"{fake.address}/{REPOSITORY}/commit/{'a' * 40}"
        assert links.log(clock.now(), clock.now()).endswith("?project=shore")
        exchanged = [each.path for each in fake.requests if each.path.startswith("/app/")]
        assert exchanged == [f"/app/installations/{make_app().installation}/access_tokens"]
        sent = {each.headers["authorization"] for each in fake.requests if not each.path.startswith("/app/")}
        assert sent == {f"Bearer {desk.issued_tokens[0]}"}
        assert desk.issued_tokens[0].startswith("ghs_41_")
        assert len(desk.issued_tokens[0]) > 255


def test_a_token_that_another_request_forgets_meanwhile_is_still_an_answer() -> None:
    """Requests share one process: what one of them was refused with is thrown away while another one reads it."""
    given: list[str] = []

    class Clock:
        is_other_thread_here = False

        def now(self) -> datetime:
            if self.is_other_thread_here:
                tokens.discard()
            return datetime(2026, 5, 1, 10, tzinfo=UTC)

    def exchange(signed: str, installation: int) -> tuple[str, datetime]:
        given.append(f"ghs_{len(given)}_{installation}_{len(signed)}")
        return given[-1], datetime(2026, 5, 1, 11, tzinfo=UTC)

    clock = Clock()
    tokens = InstallationTokens(make_app(), clock, exchange)
    assert tokens.token() == given[0]
    clock.is_other_thread_here = True
    assert tokens.token() == given[0]
    assert tokens.token() == given[1]


def test_a_key_is_taken_as_github_hands_it_out() -> None:
    """Its download is in the older form of PEM, an editor may have put Windows' line ends into it."""
    key = load_pem_private_key(make_app().key().reveal().encode(), None)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
    assert "BEGIN RSA PRIVATE KEY" in pem
    desk = TokenEndpoint(SystemClock())
    with serve_fake(FakeGitHub(extra_routes=[IssueTracker(SystemClock().now), desk], is_enterprise=True)) as fake:
        for form_of_it in (pem, pem.replace("\n", "\r\n"), f"\n{pem}\n"):
            assert wiring.build_context(settings(fake, form_of_it)).issues.find(WATCHED, "<!-- m -->") is None
    assert len(desk.issued_tokens) == 3


def _make_public_key() -> str:
    """Returns the half that signs nothing."""
    key = load_pem_private_key(make_app().key().reveal().encode(), None).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form).decode()


def test_a_key_that_is_none_is_one_sentence_without_the_key() -> None:
    with serve_fake(FakeGitHub(extra_routes=[TokenEndpoint(SystemClock())], is_enterprise=True)) as fake:
        for none in ("hush", _make_public_key()):
            with pytest.raises(Reject) as caught:
                wiring.build_context(settings(fake, none)).issues.find(WATCHED, "m")
            assert caught.value.reason == "github_key"
            assert none not in str(caught.value)
        with pytest.raises(UsageError, match=r"^github\.app\.private_key .* KEY\b"):
            wiring.build_context(settings(fake, "")).issues.find(WATCHED, "m")
        assert fake.requests == []


def test_without_app_and_token_the_code_host_is_not_there() -> None:
    with pytest.raises(UsageError, match="issues"):
        wiring.build_context(Settings(project="shore")).issues.find(WATCHED, "m")
    with pytest.raises(UsageError, match=r"github\.app\b.*github\.token\b"):
        credentials.ConfiguredCollaborators(Settings(project="shore")).has_write_access(WATCHED, "nora")
