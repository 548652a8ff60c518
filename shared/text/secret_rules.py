"""The tables of what a secret looks like: by a form of its own, by the words around it, or beside a name for one.

Every pattern starts at a fixed word or at the edge of a token and scans it once, so that 256 KB of anything take linear
time.
"""

import re
from dataclasses import dataclass, replace

from shared.lazy import lazy_property


@dataclass(frozen=True)
class SecretRule:
    """One kind of secret. Groups named `keep` and `tail` stay; everything else that matched goes."""

    kind: str
    source: str
    hint: str = ""
    """In lower case; what every match holds, so that a text without it need not be searched."""

    @lazy_property
    def pattern(self) -> re.Pattern[str]:
        """Compiled for the first text that holds the hint: a report meets few of them."""
        return re.compile(self.source)


_TOKEN_START = r"(?<![A-Za-z0-9_-])"  # noqa: S105
_LINE_CHARACTER = r"[^\r\n\"'\\]"
_SPACE = r"[ \t]{0,8}"
_SEPARATOR = rf"(?:\\{{0,4}}[\"'])?{_SPACE}(?:=>|:=|[:=])(?!=){_SPACE}"


def _make_rule(kind: str, pattern: str) -> SecretRule:
    return SecretRule(kind, pattern)


def _make_token_rule(kind: str, pattern: str) -> SecretRule:
    return _make_rule(kind, _TOKEN_START + pattern)


BLOCK_RULES = (
    _make_rule(
        "private-key",
        r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:(?:[^-]|-(?!----))*+-----END [A-Z0-9 ]{0,48}-----"
        r"|(?:\s*+(?:Proc-Type|DEK-Info):[^\r\n]*+)*+(?:[A-Za-z0-9+/=\s]|\\[nr])*+)",
    ),
    _make_rule("putty-key", r"(?P<keep>PuTTY-User-Key-File-\d: )(?!\[redacted )[^\r\n]*+(?:\r?\n[^\r\n]*+){0,60}"),
)

_TOKEN_RULES = (
    _make_token_rule("google-api-key", r"AIza[\w-]{30,60}"),
    _make_token_rule("google-oauth-token", r"ya29\.[\w.-]{16,2048}+"),
    _make_token_rule("google-oauth-secret", r"GOCSPX-[\w-]{20,64}"),
    _make_token_rule("google-refresh-token", r"1//0[\w-]{20,256}+"),
    _make_token_rule("firebase-token", r"AAAA[\w-]{7}:APA91b[\w-]{100,256}+"),
    _make_token_rule("aws-access-key", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])"),
    _make_token_rule("github-token", r"gh[oprsu]_[\w-]{16,4096}+(?:\.[\w-]{1,4096}+){0,2}"),
    _make_token_rule("github-token", r"github_pat_[A-Za-z0-9_]{20,255}+"),
    _make_token_rule("gitlab-token", r"gl(?:pat|ptt|dt|rt|soat|ft|imt|agent|cbt|oas)-[\w-]{16,128}+"),
    _make_rule("slack-webhook", r"hooks\.slack\.com/(?:services|workflows|triggers)/[\w/-]{10,256}+"),
    _make_token_rule("slack-token", r"xox[a-z](?:\.xox[a-z])?-[\w-]{8,512}+"),
    _make_token_rule("slack-app-token", r"xapp-\d-[\w-]{8,512}+"),
    _make_rule("discord-webhook", r"discord(?:app)?\.com/api/webhooks/\d{5,32}/[\w-]{10,128}+"),
    _make_rule("teams-webhook", r"[a-z0-9-]{1,63}\.webhook\.office\.com/[\w@/-]{16,512}+"),
    _make_token_rule("telegram-token", r"\d{8,10}:AA[\w-]{32,36}(?![\w-])"),
    _make_token_rule("json-web-token", r"eyJ[\w-]{8,8192}+\.[\w-]{2,16384}+(?:\.[\w-]{0,8192}+){0,3}"),
    _make_token_rule("stripe-key", r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,128}+"),
    _make_token_rule("webhook-secret", r"whsec_[A-Za-z0-9+/=]{16,128}+"),
    _make_token_rule("anthropic-key", r"sk-ant-[\w-]{16,256}+"),
    _make_token_rule("openai-key", r"sk-(?=[\w-]{0,128}\d)[\w-]{20,256}+"),
    _make_token_rule("hugging-face-token", r"hf_[A-Za-z0-9]{30,64}"),
    _make_token_rule("npm-token", r"npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
    _make_token_rule("pypi-token", r"pypi-AgE[\w-]{16,512}+"),
    _make_token_rule("rubygems-key", r"rubygems_[0-9a-f]{48}"),
    _make_token_rule("docker-token", r"dckr_(?:pat|oat)_[\w-]{20,64}+"),
    _make_token_rule("sendgrid-key", r"SG\.[\w-]{16,64}+\.[\w-]{16,64}+"),
    _make_token_rule("mailgun-key", r"key-[0-9a-f]{32}(?![0-9a-f])"),
    _make_token_rule("mailchimp-key", r"[0-9a-f]{32}-us\d{1,2}(?!\w)"),
    _make_token_rule("twilio-key", r"(?:SK|AC)[0-9a-f]{32}(?![0-9a-zA-Z])"),
    _make_token_rule("square-token", r"(?:EAAA|sq0[a-z]{3}-)[\w-]{22,128}+"),
    _make_token_rule("shopify-token", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    _make_token_rule("digitalocean-token", r"do[opr]_v1_[0-9a-f]{64}"),
    _make_token_rule("hashicorp-token", r"hv[sbr]\.[\w-]{20,256}+"),
    _make_token_rule("grafana-token", r"gl(?:sa|c)_[A-Za-z0-9+/=_]{20,512}+"),
    _make_token_rule("new-relic-key", r"NRAK-[A-Z0-9]{27}"),
    _make_token_rule("sentry-token", r"sntry[su]_[A-Za-z0-9+/=_-]{20,512}+"),
    _make_token_rule("linear-key", r"lin_api_[A-Za-z0-9]{32,64}"),
    _make_token_rule("notion-token", r"ntn_[A-Za-z0-9]{40,64}"),
    _make_token_rule("airtable-token", r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}"),
    _make_token_rule("databricks-token", r"dapi[0-9a-f]{32}"),
    _make_token_rule("doppler-token", r"dp\.(?:pt|st|sa|ct|scim|audit)\.[\w.-]{20,128}+"),
    _make_token_rule(
        "provider-key",
        r"(?:gsk_|xai-|pplx-|r8_|tvly-|pcsk_|sbp_|sb_secret_|figd_|ph[cx]_|pul-|lsv2_[ps][kt]_|AT[CA]TT3|fm2_|AQ\.Ab)"
        r"(?=[\w-]{0,128}\d)[\w-]{20,512}+",
    ),
    _make_token_rule("age-key", r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
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

ALL_RULES = tuple(
    replace(rule, hint=_HINTS.get(rule.kind, "")) for rule in (*BLOCK_RULES, *_TOKEN_RULES, *_CONTEXT_RULES)
)

_SECRET_NAMES = (
    r"(?:pass(?:word|wd|phrase)|(?<![a-z])pwd|(?<![a-z])pass(?=[\"']?\s?[:=])|secret(?:[_-]?(?:access)?[_-]?key)?|client[_-]?secret"  # noqa: S105
    r"|api[_-]?key|apikey|access[_-]?key(?:[_-]?id)?|account[_-]?key|private[_-]?key(?:[_-]?id)?|encryption[_-]?key"
    r"|signing[_-]?key|fernet[_-]?key|(?<![a-z])_auth(?=\s?=)|master[_-]?key|(?:access|auth|refresh|id|session|csrf|bearer|bot|api)[_-]?token"
    r"|(?<!unexpected )(?<!invalid )token"
    r"|credentials?|session[_-]?id|sessionid|otp|pin[_-]?code)"
)
SECRET_NAME_STEMS = ("pass", "pwd", "secret", "key", "token", "credential", "session", "otp", "pin", "_auth")
"""Each name holds one of them."""
# Code that reads a secret is not one: a call, a subscript, an attribute, a constant, a placeholder, a format field.
_NOT_A_SECRET_VALUE = (
    r"(?!\[redacted |(?:None|null|nil|true|false|undefined|str|bytes|int|Optional|SecretStr)(?![\w-])"  # noqa: S105
    r"|(?:self|cls|os|settings|config|cfg|args|request|env|environ|secrets|options|data|kwargs)[.\[]"
    r"|[A-Za-z_][\w.]{0,80}[(\[]|[$%]?[{<(\[]|\$[A-Za-z_]|%[sdr]|\*{3}|\.{3}|x{4})"
)
QUOTED_ASSIGNMENT = re.compile(
    rf"(?i)(?P<keep>{_SECRET_NAMES}{_SEPARATOR}(?P<quote>\\{{0,4}}[\"']))"
    r"(?!\[redacted |[$%]?[{<]|\$[A-Za-z_]|\*{3}|%[sdr])"
    # A run of backslashes is taken as a whole, with the quote that it escapes: nothing is looked at twice.
    r"(?P<secret>(?:[^\"'\\\r\n]++|(?!(?P=quote))(?:\\++[\"']?+|[\"']))++)"
)
BARE_ASSIGNMENT = re.compile(
    rf"(?i)(?P<keep>(?P<name>{_SECRET_NAMES})(?P<separator>{_SEPARATOR}))(?![\"'\\]){_NOT_A_SECRET_VALUE}"
    r"(?P<secret>[^\s\"'`,;&(){}<>|]{1,4096}+)"
)
MIN_SECRET_LENGTH = 3
HARMLESS = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}|[0-9:TZ.+-]{0,40}|[a-z_]{0,40}")
"""Commit ids, digests, times, named reasons: most texts of a report are nothing else, and no rule knows them."""
