"""Where an issue leads: into the repository as it was, to the log, to pull requests and people, telling nobody."""

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from shared.adapters.github.credentials import GitHubHost
from shared.adapters.github.links import GitHubLinkBuilder
from shared.adapters.google.cloud_logging import LogLinkBuilder
from shared.detection.entry import LogEntry
from shared.report.links import CommitOrigin, Links
from shared.service import Service
from tests.support.github.clients import open_client
from tests.support.github.git_backend import GitBackend
from tests.support.github.server import REPOSITORY, FakeGitHub, serve_fake
from tests.support.history_builder import HistoryBuilder, valid_source

SERVICE = Service("chat", "acme-prod", "europe-west1", REPOSITORY, "C0CHAT")
AT = datetime(2026, 5, 12, 3, 43, 58, 640871, tzinfo=UTC)
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def without_request(host: GitHubHost) -> Links:
    return LogLinkBuilder(GitHubLinkBuilder(open_client("http://127.0.0.1:9"), host)).build_links(SERVICE, ())


def test_the_pull_request_and_the_author_of_a_commit_come_with_one_request(tmp_path: Path) -> None:
    story = HistoryBuilder(tmp_path / "repo.git")
    story.commit("first", {"app.py": valid_source()})
    story.commit("second", {"app.py": valid_source(2)})
    story.write_repository()
    past = GitBackend(story.path)
    first, second = story.ids["first"], story.ids["second"]
    past.brought[12] = {first}
    with serve_fake(FakeGitHub(past)) as fake:
        github = open_client(fake.address)
        author = past.git("log", "-1", "--format=%an", first).decode().strip()
        past.logins[author] = "nora-k"
        found = GitHubLinkBuilder(github, GitHubHost()).build_links(SERVICE, [first, second, first])
        assert len(fake.requests) == 1
        elsewhere = GitHubLinkBuilder(github, GitHubHost("https://code.acme.example")).build_links(SERVICE, [first])
    page = "https://github.com/nora-k"
    pull_request = "https://redirect.github.com/acme/chat/pull/12"  # leaves no note in the pull request's timeline
    assert found.find_origin(first) == CommitOrigin(first, page, 12, pull_request)
    assert found.find_origin(second) == CommitOrigin(second, page)
    assert found.find_origin(COMMIT) == CommitOrigin(COMMIT)
    assert elsewhere.find_origin(first).pull_request_url == "https://code.acme.example/acme/chat/pull/12"


def test_a_repository_that_may_not_be_read_has_no_origins() -> None:
    with serve_fake(FakeGitHub()) as fake:
        found = GitHubLinkBuilder(open_client(fake.address), GitHubHost()).build_links(SERVICE, [COMMIT])
    assert found.origins == ()


def test_addresses_name_the_commit_and_cannot_leave_the_repository() -> None:
    links = without_request(GitHubHost())
    root = "https://github.com/acme/chat"
    assert links.commit(COMMIT) == f"{root}/commit/{COMMIT}"
    assert links.comparison(COMMIT, "f" * 40) == f"{root}/compare/{COMMIT}...{'f' * 40}"
    assert links.lines(COMMIT, "app/a.py", 673, 679) == f"{root}/blob/{COMMIT}/app/a.py#L673-L679"
    assert links.lines(COMMIT, "app/a.py", 1, 1) == f"{root}/blob/{COMMIT}/app/a.py#L1"
    assert links.lines(COMMIT, "a (b)?#[c].py", None, None) == f"{root}/blob/{COMMIT}/a%20%28b%29%3F%23%5Bc%5D.py"
    assert links.lines(COMMIT, "nöä.py", None, None).endswith("/n%C3%B6%C3%A4.py")
    for impossible in ("../../evil", "a//b.py", "", "a\nb", "\udc80.py"):
        assert links.lines(COMMIT, impossible, 1, 2) == ""


def test_the_log_is_linked_by_a_query_that_holds_its_own_time() -> None:
    links = without_request(GitHubHost())
    entry = LogEntry(0, "text", AT, insert_id='6a02"\nOR x', project="acme-prod", service="chat")
    parts = urlsplit(links.entry(entry))
    assert (parts.scheme, parts.netloc, parse_qs(parts.query)) == (
        "https",
        "console.cloud.google.com",
        {"project": ["acme-prod"]},
    )
    assert unquote(parts.path).splitlines() == [
        '/logs/query;query=resource.type="cloud_run_revision"',
        'resource.labels.service_name="chat"',
        'insertId="6a02\\" OR x"',
        'timestamp>="2026-05-12T03:43:58.640871Z"',
        'timestamp<="2026-05-12T03:43:58.640871Z"',
    ]
    whole = unquote(links.log(AT, AT)).partition("?")[0].splitlines()
    assert whole[-2:] == [
        'timestamp>="2026-05-12T03:42:58.640871Z"',
        'timestamp<="2026-05-12T03:44:58.640871Z"',
    ]


def test_what_the_platform_did_not_name_has_no_address() -> None:
    links = without_request(GitHubHost())
    assert links.entry(LogEntry(0, "text", AT)) == ""
    assert links.entry(LogEntry(0, "text", None, insert_id="a")) == ""
    assert links.entry(LogEntry(0, "text", AT, dated=False, insert_id="a")) == ""
    assert links.log(None, AT) == ""
