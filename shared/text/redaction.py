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

from shared.text.escaping import plain
from shared.text.secret_pattern import Form, read_form


class Rule(NamedTuple):
    """One kind of secret. Groups named `keep` and `tail` stay; everything else that matched goes."""

    kind: str
    pattern: re.Pattern[str]
    hint: str = ""
    """In lower case; what every match holds, so that a text without it need not be searched."""


_EDGE = r"(?<![A-Za-z0-9_-])"
_LINE = r"[^\r\n\"'\\]"
_SPACE = r"[ \t]{0,8}"
_SEPARATOR = rf"(?:\\{{0,4}}[\"'])?{_SPACE}(?:=>|:=|[:=])(?!=){_SPACE}"


def _rule(kind: str, pattern: str) -> Rule:
    return Rule(kind, re.compile(pattern))


def _token(kind: str, pattern: str) -> Rule:
    return _rule(kind, _EDGE + pattern)


_BLOCKS = (
    _rule(
        "private-key",
        r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:(?:[^-]|-(?!----))*+-----END [A-Z0-9 ]{0,48}-----"
        r"|(?:\s*+(?:Proc-Type|DEK-Info):[^\r\n]*+)*+(?:[A-Za-z0-9+/=\s]|\\[nr])*+)",
    ),
    _rule("putty-key", r"(?P<keep>PuTTY-User-Key-File-\d: )(?!\[redacted )[^\r\n]*+(?:\r?\n[^\r\n]*+){0,60}"),
)

_TOKENS = (
    _token("google-api-key", r"AIza[\w-]{30,60}"),
    _token("google-oauth-token", r"ya29\.[\w.-]{16,2048}+"),
    _token("google-oauth-secret", r"GOCSPX-[\w-]{20,64}"),
    _token("google-refresh-token", r"1//0[\w-]{20,256}+"),
    _token("firebase-token", r"AAAA[\w-]{7}:APA91b[\w-]{100,256}+"),
    _token("aws-access-key", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])"),
    _token("github-token", r"gh[oprsu]_[\w-]{16,4096}+(?:\.[\w-]{1,4096}+){0,2}"),
    _token("github-token", r"github_pat_[A-Za-z0-9_]{20,255}+"),
    _token("gitlab-token", r"gl(?:pat|ptt|dt|rt|soat|ft|imt|agent|cbt|oas)-[\w-]{16,128}+"),
    _rule("slack-webhook", r"hooks\.slack\.com/(?:services|workflows|triggers)/[\w/-]{10,256}+"),
    _token("slack-token", r"xox[a-z](?:\.xox[a-z])?-[\w-]{8,512}+"),
    _token("slack-app-token", r"xapp-\d-[\w-]{8,512}+"),
    _rule("discord-webhook", r"discord(?:app)?\.com/api/webhooks/\d{5,32}/[\w-]{10,128}+"),
    _rule("teams-webhook", r"[a-z0-9-]{1,63}\.webhook\.office\.com/[\w@/-]{16,512}+"),
    _token("telegram-token", r"\d{8,10}:AA[\w-]{32,36}(?![\w-])"),
    _token("json-web-token", r"eyJ[\w-]{8,8192}+\.[\w-]{2,16384}+(?:\.[\w-]{0,8192}+){0,3}"),
    _token("stripe-key", r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,128}+"),
    _token("webhook-secret", r"whsec_[A-Za-z0-9+/=]{16,128}+"),
    _token("anthropic-key", r"sk-ant-[\w-]{16,256}+"),
    _token("openai-key", r"sk-(?=[\w-]{0,128}\d)[\w-]{20,256}+"),
    _token("hugging-face-token", r"hf_[A-Za-z0-9]{30,64}"),
    _token("npm-token", r"npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
    _token("pypi-token", r"pypi-AgE[\w-]{16,512}+"),
    _token("rubygems-key", r"rubygems_[0-9a-f]{48}"),
    _token("docker-token", r"dckr_(?:pat|oat)_[\w-]{20,64}+"),
    _token("sendgrid-key", r"SG\.[\w-]{16,64}+\.[\w-]{16,64}+"),
    _token("mailgun-key", r"key-[0-9a-f]{32}(?![0-9a-f])"),
    _token("mailchimp-key", r"[0-9a-f]{32}-us\d{1,2}(?!\w)"),
    _token("twilio-key", r"(?:SK|AC)[0-9a-f]{32}(?![0-9a-zA-Z])"),
    _token("square-token", r"(?:EAAA|sq0[a-z]{3}-)[\w-]{22,128}+"),
    _token("shopify-token", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    _token("digitalocean-token", r"do[opr]_v1_[0-9a-f]{64}"),
    _token("hashicorp-token", r"hv[sbr]\.[\w-]{20,256}+"),
    _token("grafana-token", r"gl(?:sa|c)_[A-Za-z0-9+/=_]{20,512}+"),
    _token("new-relic-key", r"NRAK-[A-Z0-9]{27}"),
    _token("sentry-token", r"sntry[su]_[A-Za-z0-9+/=_-]{20,512}+"),
    _token("linear-key", r"lin_api_[A-Za-z0-9]{32,64}"),
    _token("notion-token", r"ntn_[A-Za-z0-9]{40,64}"),
    _token("airtable-token", r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}"),
    _token("databricks-token", r"dapi[0-9a-f]{32}"),
    _token("doppler-token", r"dp\.(?:pt|st|sa|ct|scim|audit)\.[\w.-]{20,128}+"),
    _token(
        "provider-key",
        r"(?:gsk_|xai-|pplx-|r8_|tvly-|pcsk_|sbp_|sb_secret_|figd_|ph[cx]_|pul-|lsv2_[ps][kt]_|AT[CA]TT3|fm2_|AQ\.Ab)"
        r"(?=[\w-]{0,128}\d)[\w-]{20,512}+",
    ),
    _token("age-key", r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
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

_CONTEXT = (
    _rule(
        "header",  # as ASGI keeps them and tracebacks print them: (b'x-api-key', b'…')
        r"(?i)(?P<keep>\(b?(?P<quote>[\"'])(?:proxy-authorization|authorization|set-cookie|cookie"
        r"|x-(?:[a-z]{1,20}-){0,4}(?:key|token|secret|auth))(?P=quote), b?[\"'])(?!\[redacted )[^\"'\r\n]{1,8192}+",
    ),
    _rule(
        "option",
        r"(?i)(?P<keep>(?<![\w-])--(?:[a-z]{1,20}-){0,3}(?:password|passwd|token|secret|api-key)[ \t]{1,8}[\"']?)"
        r"(?!\[redacted )(?=[^\s\"']{0,64}\d)[\w.~+/=!@#%^*:-]{6,512}+",
    ),
    _rule(
        "authorization",
        rf"(?i)(?P<keep>(?<![a-z])(?:proxy-)?authorization{_SEPARATOR}[\"']?)"
        r"(?!\[redacted )[^\s\"'\\][^\r\n\"'\\]{0,8192}+",
    ),
    _rule(
        "bearer",
        r"(?i)(?P<keep>(?<![a-z])bearer[ \t]{1,4})(?!\[redacted )(?=\S{0,64}[\d.~+/_=-])[\w.~+/=-]{12,8192}+",
    ),
    _rule(
        "basic",
        r"(?P<keep>(?<![A-Za-z])[Bb](?:asic|ASIC)[ \t]{1,4})(?=[A-Za-z+/]{0,64}[0-9=])"
        r"[A-Za-z0-9+/]{12,2048}+={0,2}",
    ),
    _rule(
        "cookie",
        rf"(?i)(?P<keep>(?<![a-z])(?:set-)?cookie{_SEPARATOR}[\"']?)(?!\[redacted )"
        rf"[^\s=\"'\\]{{1,128}}={_LINE}{{1,8192}}+",
    ),
    _rule(
        "url-password",
        r"(?P<keep>(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:/?#@\"'<>]{0,256}+:)"
        r"(?!\[redacted |//|\d{1,5}[/?#])[^\s/?#\"'<>]{1,256}(?:[/?#][^\s/?#@\"'<>]{0,256}+){0,2}(?P<tail>@)",
    ),
    _rule("url-token", r"(?P<keep>https?://)(?!\[redacted )[A-Za-z0-9_-]{20,512}+(?P<tail>@)"),
    _rule(
        "signature",
        r"(?i)(?P<keep>[?&;](?:x-goog-signature|x-amz-signature|x-amz-security-token|x-goog-credential|x-amz-credential"
        r"|signature|sig|secret|token|access_token|id_token|refresh_token|api_?key|password|auth)=)"
        r"(?!\[redacted )[^\s&#\"'<>]{6,4096}+",
    ),
    _rule("query-key", r"(?i)(?P<keep>[?&](?:key|code|state)=)(?!\[redacted )[^\s&#\"'<>]{16,4096}+"),
    _rule(
        "account-key",
        r"(?i)(?P<keep>(?:AccountKey|SharedAccessKey|SharedAccessSignature)=)(?!\[redacted )[^\s;\"']{8,1024}+",
    ),
    _rule(
        "email-address",
        r"(?<![\w.+-])(?!git@)[\w.+-]{1,64}+@(?![\w.-]{0,128}\.gserviceaccount\.com)"
        r"(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}(?![\w-])",
    ),
)

_RULES = tuple(rule._replace(hint=_HINTS.get(rule.kind, "")) for rule in (*_BLOCKS, *_TOKENS, *_CONTEXT))

_NAMES = (
    r"(?:pass(?:word|wd|phrase)|(?<![a-z])pwd|(?<![a-z])pass(?=[\"']?\s?[:=])|secret(?:[_-]?(?:access)?[_-]?key)?|client[_-]?secret"
    r"|api[_-]?key|apikey|access[_-]?key(?:[_-]?id)?|account[_-]?key|private[_-]?key(?:[_-]?id)?|encryption[_-]?key"
    r"|signing[_-]?key|fernet[_-]?key|(?<![a-z])_auth(?=\s?=)|master[_-]?key|(?:access|auth|refresh|id|session|csrf|bearer|bot|api)[_-]?token"
    r"|(?<!unexpected )(?<!invalid )token"
    r"|credentials?|session[_-]?id|sessionid|otp|pin[_-]?code)"
)
_STEMS = ("pass", "pwd", "secret", "key", "token", "credential", "session", "otp", "pin", "_auth")
"""Each name holds one of them."""
# Code that reads a secret is not one: a call, a subscript, an attribute, a constant, a placeholder, a format field.
_NOT_A_VALUE = (
    r"(?!\[redacted |(?:None|null|nil|true|false|undefined|str|bytes|int|Optional|SecretStr)(?![\w-])"
    r"|(?:self|cls|os|settings|config|cfg|args|request|env|environ|secrets|options|data|kwargs)[.\[]"
    r"|[A-Za-z_][\w.]{0,80}[(\[]|[$%]?[{<(\[]|\$[A-Za-z_]|%[sdr]|\*{3}|\.{3}|x{4})"
)
_QUOTED = re.compile(
    rf"(?i)(?P<keep>{_NAMES}{_SEPARATOR}(?P<quote>\\{{0,4}}[\"']))"
    r"(?!\[redacted |[$%]?[{<]|\$[A-Za-z_]|\*{3}|%[sdr])"
    # A run of backslashes is taken as a whole, with the quote that it escapes: nothing is looked at twice.
    r"(?P<secret>(?:[^\"'\\\r\n]++|(?!(?P=quote))(?:\\++[\"']?+|[\"']))++)"
)
_BARE = re.compile(
    rf"(?i)(?P<keep>(?P<name>{_NAMES})(?P<separator>{_SEPARATOR}))(?![\"'\\]){_NOT_A_VALUE}"
    r"(?P<secret>[^\s\"'`,;&(){}<>|]{1,4096}+)"
)
_PROSE_AFTER = re.compile(r"[ \t]+(?![\w.-]{1,40}[:=])[A-Za-z(]")
_SHORTEST = 3
_HARMLESS = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}|[0-9:TZ.+-]{0,40}|[a-z_]{0,40}")
"""Commit ids, digests, times, named reasons: most texts of a report are nothing else, and no rule knows them."""


_CONTROL = re.compile(r"[^\t\n -~]")

_REACH = 32 * 1024
"""Characters; the longest secret that a pattern knows is shorter."""

_configured: list[Form] = []


def also(forms: Iterable[str]) -> None:
    """From now on this process redacts what has these forms as well, and no others than these and its own."""
    _configured[:] = map(read_form, forms)


def redact(text: str) -> str:
    """`text` without the secrets that have a known form; everything else stays exactly as it is.

    Only where one of them is held apart by what nobody sees, that goes from the whole text as well.
    """
    if text.isascii() and not _CONTROL.search(text):
        return _known(text)
    seen = plain(text)
    found = _known(seen)
    return _known(text) if found == seen else found


def redact_start(line: str, longest: int) -> str:
    """The first characters of one line without its secrets; a line that goes on says how long it is.

    What is looked at reaches further than any secret that begins in what is shown.
    """
    shown = redact(line[: longest + _REACH])
    if len(line) <= longest + _REACH and len(shown) <= longest:
        return shown
    return f"{shown[:longest]}… (a line of {len(line):,} characters)"


def redact_blocks(lines: Sequence[str]) -> list[str]:
    """The lines of one file, as many as before, without the keys that a line alone does not show to be some."""
    text = "\n".join(lines)
    for rule in _BLOCKS:
        text = rule.pattern.sub(partial(_line_by_line, rule.kind), text)
    return text.split("\n")


def _line_by_line(kind: str, found: re.Match[str]) -> str:
    return "\n".join([_replaced(kind, found), *[f"[redacted {kind}]"] * found[0].count("\n")])


def _known(text: str) -> str:
    for form in _configured:
        if form.fixed in text:
            text = form.pattern.sub("[redacted configured-secret]", text)
    if _HARMLESS.fullmatch(text):
        return text
    lowered = text.lower()
    for rule in _RULES:
        if rule.hint in lowered:
            text = rule.pattern.sub(partial(_replaced, rule.kind), text)
    return "\n".join(map(_without_named, text.split("\n")))


def _without_named(line: str) -> str:
    """A name and its value stand on one line. Most lines hold no such name, which is cheaper to see than to match."""
    lowered = line.lower()
    if line.isascii() and not any(stem in lowered for stem in _STEMS):
        return line
    return _BARE.sub(_bare, _QUOTED.sub(_quoted, line))


def _replaced(kind: str, found: re.Match[str]) -> str:
    groups = found.groupdict()
    return f"{groups.get('keep') or ''}[redacted {kind}]{groups.get('tail') or ''}"


def _quoted(found: re.Match[str]) -> str:
    if len(found["secret"]) < _SHORTEST or found["secret"].isspace():
        return found[0]
    return f"{found['keep']}[redacted value]"


def _bare(found: re.Match[str]) -> str:
    """A word after a colon with more words behind it is prose (`password: must be longer`), not a value."""
    secret = found["secret"]
    word = ":" in found["separator"] and secret.rstrip(".!?").isalpha()
    prose = word and _PROSE_AFTER.match(found.string, found.end())
    count = secret.isdigit() and found["name"].lower() == "token"
    if prose or count or len(secret) < _SHORTEST:
        return found[0]
    return f"{found['keep']}[redacted value]"
