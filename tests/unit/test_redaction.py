"""Redaction: each known kind of secret goes, what merely looks like one stays, and every input is scanned once."""

import base64
import hashlib
import random
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.proof.searching.explain_failure import cut_excerpt
from shared.proposal.question import build_paragraphs, build_thread_details
from shared.report.issue import format_issue_title, render_issue_body
from shared.text.phrases import quote_untrusted
from shared.text.redaction import redact, redact_and_truncate_line
from tests.support.hostile_report import hostile_report

_RANDOM = random.Random(20260301)  # invented here: none of these opens anything
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def run(length: int, alphabet: str = _LETTERS) -> str:
    return "7" + "".join(_RANDOM.choices(alphabet, k=length - 1))


def hexadecimal(length: int) -> str:
    return run(length, "0123456789abcdef")


def token_of(header: str) -> str:
    """A token of three parts, as web services hand them out."""
    return ".".join((base64.urlsafe_b64encode(header.encode()).decode().rstrip("="), run(60), run(43)))


WEB_TOKEN = token_of('{"alg":"RS256","typ":"JWT"}')
PEM = "\n".join(("-----BEGIN {0}-----", *(run(64) for _ in range(6)), "-----END {0}-----"))

SECRETS = {
    "google api key": "AIza" + run(35),
    "google oauth": "ya29." + run(80),
    "google client secret": "GOCSPX-" + run(28),
    "google refresh token": "1//0" + run(60),
    "aws access key": "AKIA" + run(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
    "aws temporary key": "ASIA" + run(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
    "github classic": "ghp_" + run(36),
    "github oauth": "gho_" + run(36),
    "github server": "ghs_" + run(36),
    "github installation, long": "ghs_1234567_" + WEB_TOKEN,
    "github fine-grained": "github_pat_" + run(22) + "_" + run(59),
    "gitlab": "glpat-" + run(20),
    "slack bot": "xoxb-" + "123456789012-" + run(24),
    "slack user": "xoxp-" + run(40),
    "slack app": "xapp-1-" + run(40),
    "slack webhook": "hooks.slack.com/services/T" + run(8) + "/B" + run(8) + "/" + run(24),
    "discord webhook": "discord.com/api/webhooks/123456789012345678/" + run(60),
    "telegram": "123456789:AA" + run(33),
    "json web token": WEB_TOKEN,
    "stripe": "sk_live_" + run(24),
    "stripe webhook": "whsec_" + run(32),
    "openai": "sk-proj-" + run(48),
    "openai, old": "sk-" + run(48),
    "anthropic": "sk-ant-api03-" + run(90),
    "hugging face": "hf_" + run(34),
    "npm": "npm_" + run(36),
    "pypi": "pypi-AgEIcHlwaS5vcmc" + run(80),
    "docker": "dckr_pat_" + run(27),
    "sendgrid": "SG." + run(22) + "." + run(43),
    "twilio": "SK" + hexadecimal(32),
    "mailgun": "key-" + hexadecimal(32),
    "shopify": "shpat_" + hexadecimal(32),
    "digitalocean": "dop_v1_" + hexadecimal(64),
    "vault": "hvs." + run(90),
    "private key": PEM.format("PRIVATE KEY"),
    "rsa key": PEM.format("RSA PRIVATE KEY"),
    "ssh key": PEM.format("OPENSSH PRIVATE KEY"),
    "encrypted key": PEM.format("ENCRYPTED PRIVATE KEY"),
    "pgp key": PEM.format("PGP PRIVATE KEY BLOCK"),
    "gemini, new form": "AQ.Ab8RN6" + run(40),
    "groq": "gsk_" + run(52),
    "perplexity": "pplx-" + run(48),
    "langsmith": "lsv2_pt_" + run(32) + "_" + run(10),
    "supabase": "sb_secret_" + run(32),
    "atlassian": "ATATT3" + run(180),
    "e-mail address": "mira.holm@" + "example.com",
}
PASSWORD = "hunter2-Swordfish"
CONTEXTS = {
    "bearer": f"Authorization: Bearer {PASSWORD}.x",
    "lower-case bearer": f"sent with bearer {PASSWORD}.0123",
    "basic": "authorization=Basic " + base64.b64encode(f"mira:{PASSWORD}".encode()).decode(),
    "header in a mapping": f"{{'Authorization': 'token {PASSWORD}'}}",
    "cookie": f"Cookie: session={PASSWORD}; theme=dark",
    "set-cookie": f"set-cookie: sid={PASSWORD}; Path=/",
    "url": f"postgresql+asyncpg://chat:{PASSWORD}@10.0.0.3:5432/chat",
    "url with an @ in the password": f"redis://:{PASSWORD}@@cache:6379/0",
    "url with a slash in the password": f"amqp://chat:a/{PASSWORD}@queue/x",
    "clone url": f"https://x-access-token:{PASSWORD}@github.com/a/b.git",
    "environment line": f"DB_PASSWORD={PASSWORD}",
    "ini line": f"password = {PASSWORD}",
    "yaml line": f"  client_secret: {PASSWORD}",
    "json pair": f'{{"api_key": "{PASSWORD}", "n": 1}}',
    "json in json": f'{{\\"refresh_token\\": \\"{PASSWORD}\\"}}',
    "python pair": f"{{'passwd': '{PASSWORD}'}}",
    "keyword argument": f"connect(password='{PASSWORD}')",
    "dsn": f"host=db user=chat password={PASSWORD} sslmode=require",
    "query": f"https://a.example/cb?access_token={PASSWORD}&n=1",
    "signed url": f"https://storage.example/o?X-Goog-Signature={hexadecimal(64)}{PASSWORD}",
    "shared access signature": f"https://b.example/o?sv=1&sig={PASSWORD}",
    "account key": f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={PASSWORD}==;",
    "header as ASGI keeps it": f"(b'x-api-key', b'{PASSWORD}')",
    "cookie as ASGI keeps it": f"[(b'host', b'a'), (b'cookie', b'session={PASSWORD}; theme=dark')]",
    "option": f"worker --db-password {PASSWORD} --verbose",
    "npm, old form": f"//registry.npmjs.org/:_auth={PASSWORD}",
    "fernet": f"FERNET_KEY={PASSWORD}",
    "camel case": f"dbPassword: '{PASSWORD}'",
}
BENIGN = [
    hashlib.sha1(b"commit").hexdigest(),
    "sha256:" + hashlib.sha256(b"image").hexdigest(),
    "europe-docker.pkg.dev/p/r/chat@sha256:" + hashlib.sha256(b"image").hexdigest(),
    "--hash=sha256:" + hashlib.sha256(b"wheel").hexdigest(),
    "sha512-" + base64.b64encode(hashlib.sha512(b"package").digest()).decode(),
    str(uuid.UUID(int=0x1011)),
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA" + base64.b64encode(bytes(range(200))).decode(),
    "password authentication failed for user chat",
    "password: must be at least 12 characters long",
    "Password must not be empty",
    "the token has expired",
    "Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON",
    "unexpected token: EOF",
    "max_tokens=512, tokens: 512, token: 512",
    "Basic authentication is used by default",
    "Bearer authentication required",
    "password = os.environ['DB_PASSWORD']",
    "token = get_token(request)",
    "api_key: str = Field(default=None)",
    "client = Client(password=self.password, token=None)",
    "password = f'{user}'",
    "if token == 'abc':",
    'yield f"data: {json.dumps({',
    "https://example.com:8080/a@b?key=value&state=open",
    "git@github.com:owner/repository.git",
    "chat@project.iam.gserviceaccount.com",
    "@app.get('/items/{item_id}')",
    "actions/checkout@v4.2.2",
    "task-queue-1 risk-assessment-of-the-new-release-candidate-build",
    "sk-toggleable__control sk-hidden--visually",
    "SyntaxError: unterminated string literal (detected at line 676) (agents_execute.py, line 676)",
    "2026-03-01T03:43:43.118204Z chat-00042-def 10.0.0.3:5432",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "usage: worker [--password PASSWORD] [--token TOKEN]",
    "(b'x-request-id', b'7fd1a60b01f9'), ('key', 'value')",
    "\x1b[31mERROR\x1b[0m: the build of chat has failed",
    "primary_key=True, keyboard: x, monkey=1",
    "passed: 12, failed: 3; pass: 5",
    "cookie consent is missing",
    "index 7fd1a60b01f9..83baae61804e 100644",
    "@@ -676,7 +676,7 @@ def stream(session, token):",
    '"integrity": "sha512-' + base64.b64encode(hashlib.sha512(b"left").digest()).decode() + '",',
    "gcr.io/project/chat:20260301-034343-7fd1a60",
    "etag: W/" + '"' + hashlib.md5(b"page").hexdigest() + '"',
    "trace: projects/p/traces/" + hashlib.md5(b"trace").hexdigest(),
]


def test_there_are_more_than_25_kinds_and_40_benign_lines() -> None:
    assert len(set(BENIGN)) >= 40
    kinds = {redact(secret) for secret in SECRETS.values()}
    assert len(kinds) > 25


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("around", ["{}", "got {} from there", '{{"value": "{}"}}', "x={}&y", "'{}'", "({}),"])
def test_a_secret_goes_and_its_surroundings_stay(name: str, around: str) -> None:
    secret = SECRETS[name]
    text = redact(around.format(secret))
    assert "[redacted " in text
    assert all(part not in text for part in secret.splitlines() if len(part) > 8)
    assert text[:1] == around.format(secret)[:1] or around == "{}" or secret.startswith("hooks")


@pytest.mark.parametrize("name", CONTEXTS)
def test_a_secret_that_only_its_place_gives_away_goes(name: str) -> None:
    text = redact(CONTEXTS[name])
    assert "Swordfish" not in text
    assert base64.b64encode(f"mira:{PASSWORD}".encode()).decode() not in text
    assert "[redacted " in text


@pytest.mark.parametrize("text", BENIGN)
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize("text", [*SECRETS.values(), *CONTEXTS.values(), *BENIGN])
def test_redacting_twice_changes_nothing(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


def test_a_key_that_was_cut_off_goes_as_well() -> None:
    cut = PEM.format("PRIVATE KEY")[:200]
    text = redact(f"key {cut}\nTraceback (most recent call last):")
    assert all(line not in text for line in cut.splitlines()[1:])


def test_an_encrypted_key_that_was_cut_off_goes_with_its_headers() -> None:
    head, *body = PEM.format("RSA PRIVATE KEY").splitlines()[:4]
    cut_off = "\n".join((head, "Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-128-CBC,0A1B2C", "", *body))
    assert not [line for line in body if line in redact(cut_off)]


HIDING = {"colour": "\x1b[36m", "zero width": "\u200b", "direction": "\u202e", "null": "\x00", "soft hyphen": "\xad"}


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("hiding", HIDING)
def test_what_nobody_sees_does_not_hide_a_secret(name: str, hiding: str) -> None:
    """A reader gets the text without it: a coloured token would stand there whole."""
    secret, invisible = whole(SECRETS[name]), HIDING[hiding]
    for text in (f"{invisible}{secret}{invisible} failed", f"x {secret[:14]}{invisible}{secret[14:]} y"):
        assert not [part for part in parts(secret) if part in quote_untrusted(text, 9_999)]
        assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize("hiding", HIDING)
def test_what_nobody_sees_does_not_hide_a_password(hiding: str) -> None:
    assert "Swordfish" not in quote_untrusted(f"DB_PASS{HIDING[hiding]}WORD={PASSWORD}")


def test_an_excerpt_from_the_middle_of_a_key_shows_none_of_it() -> None:
    """Its first and last line, by which it is known, lie outside."""
    key = PEM.format("RSA PRIVATE KEY").splitlines()
    content = "\n".join(("KEY = (", *key, "x = 1", f"y = 2 #{' ' * 380}{SECRETS['npm']}"))
    middle, end = cut_excerpt(content.encode(), 5), cut_excerpt(content.encode(), 10)
    assert [number for number, _ in middle] == list(range(2, 9))
    assert {text for _, text in middle} == {"[redacted private-key]"}
    long = f"y = 2 #{' ' * 380}{SECRETS['npm']}"
    shown = f"y = 2 #{' ' * 380}[redacted npm… (a line of {len(long)} characters)"
    assert end[-2:] == ((10, "x = 1"), (11, shown))


def parts(secret: str) -> set[str]:
    """Pieces that nobody may see: every run of twelve characters of each line, fixed words of its kind left out."""
    lines = [line for line in secret.splitlines() if not line.startswith("-----")]
    return {line[start : start + 12] for line in lines for start in range(8, len(line) - 11, 3)}


def whole(secret: str) -> str:
    """A key of several lines as it stands where there is only one."""
    return secret.replace("\n", "\\n")


PLACES = {
    "a log line": "2026-03-01T03:43:43Z ERROR chat: could not connect with {} to the host",
    "a traceback": 'Traceback (most recent call last):\n  File "/a.py", line 7, in f\n    call("{}")\nValueError: {}',
    "a code excerpt": '> 676 |         key = "{}"  # do not commit\n      |               ^',
    "a diff": "@@ -1,2 +1,2 @@\n-KEY = '{}'\n+KEY = None\n context",
    "JSON in a log": '{{"severity": "ERROR", "message": "failed", "key": "{}"}}',
}


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("place", PLACES)
def test_a_secret_is_found_wherever_it_stands(name: str, place: str) -> None:
    secret = whole(SECRETS[name])
    text = redact(PLACES[place].replace("{}", secret).replace("{{", "{").replace("}}", "}"))
    assert "[redacted " in text
    assert not [part for part in parts(secret) if part in text]


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_that_straddles_a_cut_does_not_leak(name: str) -> None:
    secret = whole(SECRETS[name])
    line = f"{'a' * 30} {secret} {'b' * 30}"
    for limit in range(20, len(line) + 2, max(1, len(line) // 20)):
        assert not [part for part in parts(secret) if part in quote_untrusted(line, limit)]


@pytest.mark.parametrize("name", SECRETS)
def test_secret_across_a_report_cut_leaks_nowhere(name: str) -> None:
    """Before it stand so many words that one of the cuts (100, 160, 300 characters) runs through."""
    secret = SECRETS[name]
    for length in (90, 150, 290):
        filling = ("lorem ipsum " * 60)[:length]
        report = hostile_report(f"{filling} {secret} and so on")
        body = render_issue_body(report).partition("\n")[2]  # the first line is a hash of ours
        shown_text = "".join(
            (format_issue_title(report), body, *build_paragraphs(report), *build_thread_details(report))
        )
        assert not [part for part in parts(whole(secret)) | parts(secret) if part in shown_text]


def test_several_secrets_on_a_line_go() -> None:
    text = redact(f"a {SECRETS['npm']} b password={PASSWORD} c {SECRETS['slack bot']} d")
    assert text == "a [redacted npm-token] b password=[redacted value] c [redacted slack-token] d"


SIZE = 64 * 1024  # a pattern that rescans needs a billion steps for this and minutes: nobody would overlook it
_PIECES = r"""a 0 _ - . \ " eyJ eyJaaaaaaaaaaa. -----BEGIN·PRIVATE·KEY----- password= password:·x password:x· password='
    password='a\' http:// https://a: x://a:b a. a@ a- gh ghs_a. sk- Bearer· bearer·a basic·A cookie:· cookie:·a= ?sig=
    1//0 token:·a.b( authorization: dp.pt. xoxb- PuTTY-User-Key-File-2:· a.webhook.office.com/ AKIA SG. glpat- secret":
    · key --token· --a-a-a-password·1 (b'cookie',·b' (b'x-a-a- gsk_ AQ.Ab \u200b \x1b[3
    Proc-Type: -----BEGIN·PRIVATE·KEY-----·Proc-Type:"""


@pytest.mark.parametrize("piece", _PIECES.split())
def test_text_that_begins_a_secret_over_and_over_is_scanned_once(piece: str) -> None:
    piece = piece.replace("·", " ")
    text = (piece * (SIZE // len(piece) + 1))[:SIZE]
    assert redact(redact(text)) == redact(text)


@given(st.text(max_size=300))
def test_any_text_is_taken_and_stays_redacted(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


def test_long_line_is_cut_after_redaction_and_states_its_length() -> None:
    token = "ghp_" + "a1B2" * 9
    shown = redact_and_truncate_line("x" * 390 + " " + token + " " + "y" * 1_000_000, 400)
    assert token[:6] not in shown
    assert shown.endswith("… (a line of 1,000,432 characters)")
    assert len(shown) < 450
    assert redact_and_truncate_line("x" * 400, 400) == "x" * 400
    assert redact_and_truncate_line(f"key {token}", 400) == "key [redacted github-token]"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (r'password="a\"b" c', 'password="[redacted value]" c'),
        (r"{\"password\": \"a\\\"b\", \"x\": 1}", r"{\"password\": \"[redacted value]\", \"x\": 1}"),
        ('password="it\'s here" c', 'password="[redacted value]" c'),
        (r"password='C:\dir\' c", r"password='[redacted value]"),
        ('password="' + "\\" * 9 + 'n" c', 'password="[redacted value]" c'),
    ],
)
def test_what_stands_in_quotes_goes_up_to_the_quote_that_ends_it(text: str, shown: str) -> None:
    assert redact(text) == shown
