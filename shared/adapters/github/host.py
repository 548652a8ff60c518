"""Where a GitHub is: its web address comes in, the address of its API goes out.

https://docs.github.com/en/enterprise-cloud@latest/admin/data-residency and
https://docs.github.com/en/enterprise-server@latest/rest/enterprise-admin tell the three forms.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

PUBLIC_WEB = "https://github.com"
_DATA_RESIDENCY_SUFFIX = ".ghe.com"


@dataclass(frozen=True, slots=True)
class GitHubHost:
    """github.com, an Enterprise Cloud with data residency (`https://NAME.ghe.com`), or an Enterprise Server."""

    web: str = PUBLIC_WEB
    """Without a slash at its end."""

    @property
    def api(self) -> str:
        """What the paths of the REST API are appended to."""
        if self.web == PUBLIC_WEB:
            return "https://api.github.com"
        parts = urlsplit(self.web)
        if parts.netloc.endswith(_DATA_RESIDENCY_SUFFIX):
            return f"https://api.{parts.netloc}"
        return f"{self.web}/api/v3"

    @property
    def redirect_url(self) -> str:
        """The address under which a pull request can be linked without a note in its own timeline.

        https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls
        tells of it for github.com; elsewhere there is none, and the note that a link leaves notifies nobody.
        """
        return "https://redirect.github.com" if self.web == PUBLIC_WEB else self.web
