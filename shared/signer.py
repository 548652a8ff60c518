"""Who may sign what a build states of its source: a public key, or the identity in a certificate of Sigstore."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signer:
    """A key, or an issuer with a subject."""

    public_key: str = ""
    """PEM; "" for an identity."""
    issuer: str = ""
    """Who has vouched for the identity, such as `https://token.actions.githubusercontent.com`."""
    subject: str = ""
    """The identity; `*` is any text, `{repository}` the service's repository."""

    @property
    def is_keyless(self) -> bool:
        """Whether a certificate names it, for which Sigstore's library is needed."""
        return not self.public_key

    def has_subject(self, subject: str, repository: str) -> bool:
        """Whether an identity is this one, for a repository `owner/name`."""
        return matches_pattern(subject, self.subject.replace("{repository}", repository))


@dataclass(frozen=True, slots=True)
class SignaturePolicy:
    """Whose signatures count; without a signer, what is not signed counts as well."""

    signers: tuple[Signer, ...] = ()
    trusted_root: str = ""
    """Sigstore's trusted root as JSON; "" for the one that its library brings, that of the public instance."""


def matches_pattern(text: str, pattern: str) -> bool:
    """Whether a text is what a pattern says, in which `*` is any text; in time linear in both."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == pattern
    *between, last = rest
    if not text.startswith(first) or not text.endswith(last) or len(text) < len(first) + len(last):
        return False
    at, end = len(first), len(text) - len(last)
    for part in between:
        index = text.find(part, at, end)
        if index < 0:
            return False
        at = index + len(part)
    return True
