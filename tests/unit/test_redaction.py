"""Redaction: each known kind of secret goes, what merely looks like one stays, and every input is scanned once."""

import base64
import hashlib
import uuid

import pytest

from shared.proof.searching.explain_failure import cut_excerpt
from shared.text.phrases import quote_untrusted
from shared.text.redaction import redact, redact_and_truncate_line
from tests.support.secret_samples import (
    PEM,
    SECRETS,
    join_lines,
    random_hex,
    revealing_parts,
)

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
    "signed url": f"https://storage.example/o?X-Goog-Signature={random_hex(64)}{PASSWORD}",
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
    secret, invisible = join_lines(SECRETS[name]), HIDING[hiding]
    for text in (f"{invisible}{secret}{invisible} failed", f"x {secret[:14]}{invisible}{secret[14:]} y"):
        assert not [part for part in revealing_parts(secret) if part in quote_untrusted(text, 9_999)]
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
    secret = join_lines(SECRETS[name])
    text = redact(PLACES[place].replace("{}", secret).replace("{{", "{").replace("}}", "}"))
    assert "[redacted " in text
    assert not [part for part in revealing_parts(secret) if part in text]


def test_several_secrets_on_a_line_go() -> None:
    text = redact(f"a {SECRETS['npm']} b password={PASSWORD} c {SECRETS['slack bot']} d")
    assert text == "a [redacted npm-token] b password=[redacted value] c [redacted slack-token] d"


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


@pytest.mark.parametrize("text", ["password={}", 'password: "{}"', "api_key={} and more", "{{'token': '{}'}}"])
def test_three_characters_are_a_secret_and_two_are_none(text: str) -> None:
    assert redact(text.format("qz")) == text.format("qz")
    assert "qzx" not in redact(text.format("qzx"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password: correcthorse", "password: [redacted value]"),
        ("password: correcthorse.", "password: [redacted value]"),
        ("password=20260301", "password=[redacted value]"),
        ("token: 20260301", "token: 20260301"),
        ("Authorization: Bearer 4c0ffee4c0ffee", "Authorization: [redacted authorization]"),
        ("see https://mira:correcthorse@quay.example/x", "see https://mira:[redacted url-password]@quay.example/x"),
    ],
)
def test_what_stands_around_a_value_decides_and_stays(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(("more", "is_cut"), [(0, False), (1, True)])
def test_line_that_redaction_shortens_says_that_it_goes_on(more: int, *, is_cut: bool) -> None:
    """Of the line no more is looked at than the longest secret reaches: what lies behind that is not shown."""
    line = 'password="' + "q" * (40 + 32 * 1024 - 11 + more) + '"'
    assert ("…" in redact_and_truncate_line(line, 40)) is is_cut
