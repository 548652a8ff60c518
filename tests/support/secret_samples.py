"""Secrets of every kind that is redacted, and the parts of them that no text may show."""

import base64
import random

RANDOM = random.Random(20260301)  # invented here: none of these opens anything


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def random_text(length: int, alphabet: str = LETTERS) -> str:
    return "7" + "".join(RANDOM.choices(alphabet, k=length - 1))


def random_hex(length: int) -> str:
    return random_text(length, "0123456789abcdef")


def build_web_token(header: str) -> str:
    """A token of three parts, as web services hand them out."""
    return ".".join((base64.urlsafe_b64encode(header.encode()).decode().rstrip("="), random_text(60), random_text(43)))


WEB_TOKEN = build_web_token('{"alg":"RS256","typ":"JWT"}')


PEM = "\n".join(("-----BEGIN {0}-----", *(random_text(64) for _ in range(6)), "-----END {0}-----"))


SECRETS = {
    "google api key": "AIza" + random_text(35),
    "google oauth": "ya29." + random_text(80),
    "google client secret": "GOCSPX-" + random_text(28),
    "google refresh token": "1//0" + random_text(60),
    "aws access key": "AKIA" + random_text(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
    "aws temporary key": "ASIA" + random_text(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
    "github classic": "ghp_" + random_text(36),
    "github oauth": "gho_" + random_text(36),
    "github server": "ghs_" + random_text(36),
    "github installation, long": "ghs_1234567_" + WEB_TOKEN,
    "github fine-grained": "github_pat_" + random_text(22) + "_" + random_text(59),
    "gitlab": "glpat-" + random_text(20),
    "slack bot": "xoxb-" + "123456789012-" + random_text(24),
    "slack user": "xoxp-" + random_text(40),
    "slack app": "xapp-1-" + random_text(40),
    "slack webhook": "hooks.slack.com/services/T" + random_text(8) + "/B" + random_text(8) + "/" + random_text(24),
    "discord webhook": "discord.com/api/webhooks/123456789012345678/" + random_text(60),
    "telegram": "123456789:AA" + random_text(33),
    "json web token": WEB_TOKEN,
    "stripe": "sk_live_" + random_text(24),
    "stripe webhook": "whsec_" + random_text(32),
    "openai": "sk-proj-" + random_text(48),
    "openai, old": "sk-" + random_text(48),
    "anthropic": "sk-ant-api03-" + random_text(90),
    "hugging face": "hf_" + random_text(34),
    "npm": "npm_" + random_text(36),
    "pypi": "pypi-AgEIcHlwaS5vcmc" + random_text(80),
    "docker": "dckr_pat_" + random_text(27),
    "sendgrid": "SG." + random_text(22) + "." + random_text(43),
    "twilio": "SK" + random_hex(32),
    "mailgun": "key-" + random_hex(32),
    "shopify": "shpat_" + random_hex(32),
    "digitalocean": "dop_v1_" + random_hex(64),
    "vault": "hvs." + random_text(90),
    "private key": PEM.format("PRIVATE KEY"),
    "rsa key": PEM.format("RSA PRIVATE KEY"),
    "ssh key": PEM.format("OPENSSH PRIVATE KEY"),
    "encrypted key": PEM.format("ENCRYPTED PRIVATE KEY"),
    "pgp key": PEM.format("PGP PRIVATE KEY BLOCK"),
    "gemini, new form": "AQ.Ab8RN6" + random_text(40),
    "groq": "gsk_" + random_text(52),
    "perplexity": "pplx-" + random_text(48),
    "langsmith": "lsv2_pt_" + random_text(32) + "_" + random_text(10),
    "supabase": "sb_secret_" + random_text(32),
    "atlassian": "ATATT3" + random_text(180),
    "e-mail address": "mira.holm@" + "example.com",
}


def revealing_parts(secret: str) -> set[str]:
    """Pieces that nobody may see: every run of twelve characters of each line, fixed words of its kind left out."""
    lines = [line for line in secret.splitlines() if not line.startswith("-----")]
    return {line[start : start + 12] for line in lines for start in range(8, len(line) - 11, 3)}


def join_lines(secret: str) -> str:
    """A key of several lines as it stands where there is only one."""
    return secret.replace("\n", "\\n")
