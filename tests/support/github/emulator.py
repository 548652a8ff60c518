"""`emulate`, a GitHub that nobody here wrote: started on a free port of loopback, ended with the context."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import npm
from tests.support.github.server import REPOSITORY

TOKEN = "emulated"
_SEED = f"""
tokens:
  {TOKEN}:
    login: acme
    scopes: [repo, user]
github:
  users:
    - login: acme
      name: Acme
      email: acme@example.org
  repos:
    - owner: acme
      name: {REPOSITORY.split("/")[1]}
      auto_init: true
"""


@contextmanager
def run_github_emulator(folder: Path) -> Iterator[str]:
    """The address of a fresh GitHub with one repository."""
    with npm.run_emulator("github", _SEED, folder) as address:
        yield address
