"""Text that may carry secrets comes in, the same text with each secret replaced by `[redacted KIND]` goes out.

Redact first, then cut, then escape: a secret that straddles a cut is no longer recognisable. Every pattern starts at
a fixed word or at the edge of a token and scans it once, so that 256 KB of anything take linear time. Redacting twice
changes nothing. A colour or an invisible character inside a secret hides it from the patterns but not from the reader,
who gets the text without them: so it is looked at that way, too.
"""

import re
from collections.abc import Iterable, Sequence
from functools import partial
from typing import NamedTuple

from shared.text.escaping import strip_invisible
from shared.text.secret_pattern import SecretPattern, parse_secret_pattern


class SecretRule(NamedTuple):
    """One kind of secret. Groups named `keep` and `tail` stay; everything else that matched goes."""

    kind: str
    pattern: re.Pattern[str]
    hint: str = ""
    """In lower case; what every match holds, so that a text without it need not be searched."""


_TOKEN_START = r"(?<![A-Za-z0-9_-])"  # noqa: S105
_LINE_CHARACTER = r"[^\r\n\"'\\]"
_SPACE = r"[ \t]{0,8}"
_SEPARATOR = rf"(?:\\{{0,4}}[\"'])?{_SPACE}(?:=>|:=|[:=])(?!=){_SPACE}"


def _make_rule(kind: str, pattern: str) -> SecretRule:
    return SecretRule(kind, re.compile(pattern))


def _token_rule(kind: str, pattern: str) -> SecretRule:
    return _make_rule(kind, _TOKEN_START + pattern)


_BLOCK_RULES = (
    _make_rule(
        "private-key",
        r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:(?:[^-]|-(?!----))*+-----END [A-Z0-9 ]{0,48}-----"
        r"|(?:\s*+(?:Proc-Type|DEK-Info):[^\r\n]*+)*+(?:[A-Za-z0-9+/=\s]|\\[nr])*+)",
    ),
    _make_rule("putty-key", r"(?P<keep>PuTTY-User-Key-File-\d: )(?!\[redacted )[^\r\n]*+(?:\r?\n[^\r\n]*+){0,60}"),
)

_TOKEN_RULES = (
    _token_rule("google-api-key", r"AIza[\w-]{30,60}"),
    _token_rule("google-oauth-token", r"ya29\.[\w.-]{16,2048}+"),
    _token_rule("google-oauth-secret", r"GOCSPX-[\w-]{20,64}"),
    _token_rule("google-refresh-token", r"1//0[\w-]{20,256}+"),
    _token_rule("firebase-token", r"AAAA[\w-]{7}:APA91b[\w-]{100,256}+"),
    _token_rule("aws-access-key", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])"),
    _token_rule("github-token", r"gh[oprsu]_[\w-]{16,4096}+(?:\.[\w-]{1,4096}+){0,2}"),
    _token_rule("github-token", r"github_pat_[A-Za-z0-9_]{20,255}+"),
    _token_rule("gitlab-token", r"gl(?:pat|ptt|dt|rt|soat|ft|imt|agent|cbt|oas)-[\w-]{16,128}+"),
    _make_rule("slack-webhook", r"hooks\.slack\.com/(?:services|workflows|triggers)/[\w/-]{10,256}+"),
    _token_rule("slack-token", r"xox[a-z](?:\.xox[a-z])?-[\w-]{8,512}+"),
    _token_rule("slack-app-token", r"xapp-\d-[\w-]{8,512}+"),
    _make_rule("discord-webhook", r"discord(?:app)?\.com/api/webhooks/\d{5,32}/[\w-]{10,128}+"),
    _make_rule("teams-webhook", r"[a-z0-9-]{1,63}\.webhook\.office\.com/[\w@/-]{16,512}+"),
    _token_rule("telegram-token", r"\d{8,10}:AA[\w-]{32,36}(?![\w-])"),
    _token_rule("json-web-token", r"eyJ[\w-]{8,8192}+\.[\w-]{2,16384}+(?:\.[\w-]{0,8192}+){0,3}"),
    _token_rule("stripe-key", r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,128}+"),
    _token_rule("webhook-secret", r"whsec_[A-Za-z0-9+/=]{16,128}+"),
    _token_rule("anthropic-key", r"sk-ant-[\w-]{16,256}+"),
    _token_rule("openai-key", r"sk-(?=[\w-]{0,128}\d)[\w-]{20,256}+"),
    _token_rule("hugging-face-token", r"hf_[A-Za-z0-9]{30,64}"),
    _token_rule("npm-token", r"npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
    _token_rule("pypi-token", r"pypi-AgE[\w-]{16,512}+"),
    _token_rule("rubygems-key", r"rubygems_[0-9a-f]{48}"),
    _token_rule("docker-token", r"dckr_(?:pat|oat)_[\w-]{20,64}+"),
    _token_rule("sendgrid-key", r"SG\.[\w-]{16,64}+\.[\w-]{16,64}+"),
    _token_rule("mailgun-key", r"key-[0-9a-f]{32}(?![0-9a-f])"),
    _token_rule("mailchimp-key", r"[0-9a-f]{32}-us\d{1,2}(?!\w)"),
    _token_rule("twilio-key", r"(?:SK|AC)[0-9a-f]{32}(?![0-9a-zA-Z])"),
    _token_rule("square-token", r"(?:EAAA|sq0[a-z]{3}-)[\w-]{22,128}+"),
    _token_rule("shopify-token", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    _token_rule("digitalocean-token", r"do[opr]_v1_[0-9a-f]{64}"),
    _token_rule("hashicorp-token", r"hv[sbr]\.[\w-]{20,256}+"),
    _token_rule("grafana-token", r"gl(?:sa|c)_[A-Za-z0-9+/=_]{20,512}+"),
    _token_rule("new-relic-key", r"NRAK-[A-Z0-9]{27}"),
    _token_rule("sentry-token", r"sntry[su]_[A-Za-z0-9+/=_-]{20,512}+"),
    _token_rule("linear-key", r"lin_api_[A-Za-z0-9]{32,64}"),
    _token_rule("notion-token", r"ntn_[A-Za-z0-9]{40,64}"),
    _token_rule("airtable-token", r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}"),
    _token_rule("databricks-token", r"dapi[0-9a-f]{32}"),
    _token_rule("doppler-token", r"dp\.(?:pt|st|sa|ct|scim|audit)\.[\w.-]{20,128}+"),
    _token_rule(
        "provider-key",
        r"(?:gsk_|xai-|pplx-|r8_|tvly-|pcsk_|sbp_|sb_secret_|figd_|ph[cx]_|pul-|lsv2_[ps][kt]_|AT[CA]TT3|fm2_|AQ\.Ab)"
        r"(?=[\w-]{0,128}\d)[\w-]{20,512}+",
    ),
    _token_rule("age-key", r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
)

_HINTS = {
    "teams-webhook": ".webhook.office.com/",
    "mailchimp-key": "-us",
    "notion-token": "ntn_",
    "pypi-token": "pypi-age",
    "webhook-secret": "whsec_",
    "shopify-token": "shp",
    "option": "--",
    "authorization": "authorization",
    "bearer": "bearer",
    "basic": "basic",
    "cookie": "cookie",
    "url-password": "://",
    "url-token": "://",
    "email-address": "@",
    "private-key": "-----begin ",
    "putty-key": "putty-user-key-file-",
    "google-api-key": "aiza",
    "google-oauth-token": "ya29.",
    "google-oauth-secret": "gocspx-",
    "google-refresh-token": "1//0",
    "firebase-token": ":apa91b",
    "gitlab-token": "gl",
    "slack-webhook": "hooks.slack.com/",
    "slack-token": "xox",
    "slack-app-token": "xapp-",
    "discord-webhook": ".com/api/webhooks/",
    "telegram-token": ":aa",
    "json-web-token": "eyj",
    "stripe-key": "k_",
    "anthropic-key": "sk-ant-",
    "openai-key": "sk-",
    "hugging-face-token": "hf_",
    "npm-token": "npm_",
    "rubygems-key": "rubygems_",
    "docker-token": "dckr_",
    "sendgrid-key": "sg.",
    "mailgun-key": "key-",
    "digitalocean-token": "_v1_",
    "hashicorp-token": "hv",
    "grafana-token": "gl",
    "new-relic-key": "nrak-",
    "sentry-token": "sntry",
    "linear-key": "lin_api_",
    "airtable-token": "pat",
    "databricks-token": "dapi",
    "doppler-token": "dp.",
    "age-key": "age-secret-key-1",
    "query-key": "=",
    "signature": "=",
    "account-key": "=",
}
"""For those that a fixed word is part of, which is cheaper to look for than the pattern."""

_CONTEXT_RULES = (
    _make_rule(
        "header",  # as ASGI keeps them and tracebacks print them: (b'x-api-key', b'…')
        r"(?i)(?P<keep>\(b?(?P<quote>[\"'])(?:proxy-authorization|authorization|set-cookie|cookie"
        r"|x-(?:[a-z]{1,20}-){0,4}(?:key|token|secret|auth))(?P=quote), b?[\"'])(?!\[redacted )[^\"'\r\n]{1,8192}+",
    ),
    _make_rule(
        "option",
        r"(?i)(?P<keep>(?<![\w-])--(?:[a-z]{1,20}-){0,3}(?:password|passwd|token|secret|api-key)[ \t]{1,8}[\"']?)"
        r"(?!\[redacted )(?=[^\s\"']{0,64}\d)[\w.~+/=!@#%^*:-]{6,512}+",
    ),
    _make_rule(
        "authorization",
        rf"(?i)(?P<keep>(?<![a-z])(?:proxy-)?authorization{_SEPARATOR}[\"']?)"
        r"(?!\[redacted )[^\s\"'\\][^\r\n\"'\\]{0,8192}+",
    ),
    _make_rule(
        "bearer",
        r"(?i)(?P<keep>(?<![a-z])bearer[ \t]{1,4})(?!\[redacted )(?=\S{0,64}[\d.~+/_=-])[\w.~+/=-]{12,8192}+",
    ),
    _make_rule(
        "basic",
        r"(?P<keep>(?<![A-Za-z])[Bb](?:asic|ASIC)[ \t]{1,4})(?=[A-Za-z+/]{0,64}[0-9=])"
        r"[A-Za-z0-9+/]{12,2048}+={0,2}",
    ),
    _make_rule(
        "cookie",
        rf"(?i)(?P<keep>(?<![a-z])(?:set-)?cookie{_SEPARATOR}[\"']?)(?!\[redacted )"
        rf"[^\s=\"'\\]{{1,128}}={_LINE_CHARACTER}{{1,8192}}+",
    ),
    _make_rule(
        "url-password",
        r"(?P<keep>(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:/?#@\"'<>]{0,256}+:)"
        r"(?!\[redacted |//|\d{1,5}[/?#])[^\s/?#\"'<>]{1,256}(?:[/?#][^\s/?#@\"'<>]{0,256}+){0,2}(?P<tail>@)",
    ),
    _make_rule("url-token", r"(?P<keep>https?://)(?!\[redacted )[A-Za-z0-9_-]{20,512}+(?P<tail>@)"),
    _make_rule(
        "signature",
        r"(?i)(?P<keep>[?&;](?:x-goog-signature|x-amz-signature|x-amz-security-token|x-goog-credential|x-amz-credential"
        r"|signature|sig|secret|token|access_token|id_token|refresh_token|api_?key|password|auth)=)"
        r"(?!\[redacted )[^\s&#\"'<>]{6,4096}+",
    ),
    _make_rule("query-key", r"(?i)(?P<keep>[?&](?:key|code|state)=)(?!\[redacted )[^\s&#\"'<>]{16,4096}+"),
    _make_rule(
        "account-key",
        r"(?i)(?P<keep>(?:AccountKey|SharedAccessKey|SharedAccessSignature)=)(?!\[redacted )[^\s;\"']{8,1024}+",
    ),
    _make_rule(
        "email-address",
        r"(?<![\w.+-])(?!git@)[\w.+-]{1,64}+@(?![\w.-]{0,128}\.gserviceaccount\.com)"
        r"(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}(?![\w-])",
    ),
)

_ALL_RULES = tuple(
    rule._replace(hint=_HINTS.get(rule.kind, "")) for rule in (*_BLOCK_RULES, *_TOKEN_RULES, *_CONTEXT_RULES)
)

_SECRET_NAMES = (
    r"(?:pass(?:word|wd|phrase)|(?<![a-z])pwd|(?<![a-z])pass(?=[\"']?\s?[:=])|secret(?:[_-]?(?:access)?[_-]?key)?|client[_-]?secret"  # noqa: S105
    r"|api[_-]?key|apikey|access[_-]?key(?:[_-]?id)?|account[_-]?key|private[_-]?key(?:[_-]?id)?|encryption[_-]?key"
    r"|signing[_-]?key|fernet[_-]?key|(?<![a-z])_auth(?=\s?=)|master[_-]?key|(?:access|auth|refresh|id|session|csrf|bearer|bot|api)[_-]?token"
    r"|(?<!unexpected )(?<!invalid )token"
    r"|credentials?|session[_-]?id|sessionid|otp|pin[_-]?code)"
)
_SECRET_NAME_STEMS = ("pass", "pwd", "secret", "key", "token", "credential", "session", "otp", "pin", "_auth")
"""Each name holds one of them."""
# Code that reads a secret is not one: a call, a subscript, an attribute, a constant, a placeholder, a format field.
_NOT_A_SECRET_VALUE = (
    r"(?!\[redacted |(?:None|null|nil|true|false|undefined|str|bytes|int|Optional|SecretStr)(?![\w-])"  # noqa: S105
    r"|(?:self|cls|os|settings|config|cfg|args|request|env|environ|secrets|options|data|kwargs)[.\[]"
    r"|[A-Za-z_][\w.]{0,80}[(\[]|[$%]?[{<(\[]|\$[A-Za-z_]|%[sdr]|\*{3}|\.{3}|x{4})"
)
_QUOTED_ASSIGNMENT = re.compile(
    rf"(?i)(?P<keep>{_SECRET_NAMES}{_SEPARATOR}(?P<quote>\\{{0,4}}[\"']))"
    r"(?!\[redacted |[$%]?[{<]|\$[A-Za-z_]|\*{3}|%[sdr])"
    # A run of backslashes is taken as a whole, with the quote that it escapes: nothing is looked at twice.
    r"(?P<secret>(?:[^\"'\\\r\n]++|(?!(?P=quote))(?:\\++[\"']?+|[\"']))++)"
)
_BARE_ASSIGNMENT = re.compile(
    rf"(?i)(?P<keep>(?P<name>{_SECRET_NAMES})(?P<separator>{_SEPARATOR}))(?![\"'\\]){_NOT_A_SECRET_VALUE}"
    r"(?P<secret>[^\s\"'`,;&(){}<>|]{1,4096}+)"
)
_MORE_PROSE = re.compile(r"[ \t]+(?![\w.-]{1,40}[:=])[A-Za-z(]")
_MIN_SECRET_LENGTH = 3
_HARMLESS = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}|[0-9:TZ.+-]{0,40}|[a-z_]{0,40}")
"""Commit ids, digests, times, named reasons: most texts of a report are nothing else, and no rule knows them."""


_CONTROL = re.compile(r"[^\t\n -~]")

_MAX_SECRET_LENGTH = 32 * 1024
"""Characters; the longest secret that a pattern knows is shorter."""

_configured_patterns: list[SecretPattern] = []


def configure_secret_patterns(patterns: Iterable[str]) -> None:
    """From now on this process redacts what has these forms as well, and no others than these and its own."""
    _configured_patterns[:] = map(parse_secret_pattern, patterns)


def redact(text: str) -> str:
    """`text` without the secrets that have a known form; everything else stays exactly as it is.

    Only where one of them is held apart by what nobody sees, that goes from the whole text as well.
    """
    if text.isascii() and not _CONTROL.search(text):
        return _redact_known(text)
    seen = strip_invisible(text)
    found = _redact_known(seen)
    return _redact_known(text) if found == seen else found


def redact_and_truncate_line(line: str, max_length: int) -> str:
    """The first characters of one line without its secrets; a line that goes on says how long it is.

    What is looked at reaches further than any secret that begins in what is shown.
    """
    shown = redact(line[: max_length + _MAX_SECRET_LENGTH])
    if len(line) <= max_length + _MAX_SECRET_LENGTH and len(shown) <= max_length:
        return shown
    return f"{shown[:max_length]}… (a line of {len(line):,} characters)"


def redact_blocks(lines: Sequence[str]) -> list[str]:
    """The lines of one file, as many as before, without the keys that a line alone does not show to be some."""
    text = "\n".join(lines)
    for rule in _BLOCK_RULES:
        text = rule.pattern.sub(partial(_placeholder_per_line, rule.kind), text)
    return text.split("\n")


def _placeholder_per_line(kind: str, found: re.Match[str]) -> str:
    return "\n".join([_placeholder(kind, found), *[f"[redacted {kind}]"] * found[0].count("\n")])


def _redact_known(text: str) -> str:
    for form in _configured_patterns:
        if form.prefix in text:
            text = form.pattern.sub("[redacted configured-secret]", text)
    if _HARMLESS.fullmatch(text):
        return text
    lowered = text.lower()
    for rule in _ALL_RULES:
        if rule.hint in lowered:
            text = rule.pattern.sub(partial(_placeholder, rule.kind), text)
    return "\n".join(map(_redact_assignments, text.split("\n")))


def _redact_assignments(line: str) -> str:
    """A name and its value stand on one line. Most lines hold no such name, which is cheaper to see than to match."""
    lowered = line.lower()
    if line.isascii() and not any(stem in lowered for stem in _SECRET_NAME_STEMS):
        return line
    return _BARE_ASSIGNMENT.sub(_redact_bare_value, _QUOTED_ASSIGNMENT.sub(_redact_quoted_value, line))


def _placeholder(kind: str, found: re.Match[str]) -> str:
    groups = found.groupdict()
    return f"{groups.get('keep') or ''}[redacted {kind}]{groups.get('tail') or ''}"


def _redact_quoted_value(found: re.Match[str]) -> str:
    if len(found["secret"]) < _MIN_SECRET_LENGTH or found["secret"].isspace():
        return found[0]
    return f"{found['keep']}[redacted value]"


def _redact_bare_value(found: re.Match[str]) -> str:
    """A word after a colon with more words behind it is prose (`password: must be longer`), not a value."""
    secret = found["secret"]
    word = ":" in found["separator"] and secret.rstrip(".!?").isalpha()
    prose = word and _MORE_PROSE.match(found.string, found.end())
    count = secret.isdigit() and found["name"].lower() == "token"
    if prose or count or len(secret) < _MIN_SECRET_LENGTH:
        return found[0]
    return f"{found['keep']}[redacted value]"
