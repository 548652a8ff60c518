"""Runs programs of this machine by an argument list; secrets reach them by a pipe alone."""

import os
import subprocess
from collections.abc import Sequence

from functions.setup.ports import CommandResult
from shared.errors import InputError
from shared.secret import Secret

_READ_SECONDS = 600
"""No command whose output is read takes as long: to enable APIs takes a minute or two."""
_INSTALL = {
    "gcloud": "https://cloud.google.com/sdk/docs/install",
    "terraform": "https://developer.hashicorp.com/terraform/install",
}


class LocalPrograms:
    """Implements `functions.setup.ports.Commands`."""

    def read(self, argv: Sequence[str], stdin: Secret | None = None) -> CommandResult:
        """See `Commands`. Without a secret the program has nothing to read, so that none waits for an answer."""
        try:
            done = subprocess.run(
                [*argv],
                input=b"" if stdin is None else stdin.reveal().encode(),
                capture_output=True,
                check=False,
                timeout=_READ_SECONDS,
                env=_environment(),
            )
        except FileNotFoundError:
            raise _not_installed(argv[0]) from None
        except subprocess.TimeoutExpired:
            return CommandResult(124, "", f"no answer within {_READ_SECONDS} seconds")
        output, errors = (stream.decode("utf-8", "replace") for stream in (done.stdout, done.stderr))
        return CommandResult(done.returncode, output, errors)

    def show(self, argv: Sequence[str]) -> int:
        """See `Commands`. It has the user's terminal."""
        try:
            return subprocess.run([*argv], check=False, env=_environment()).returncode
        except FileNotFoundError:
            raise _not_installed(argv[0]) from None


def _environment() -> dict[str, str]:
    """Neither asks what a user could not see, nor tells what to run next: setup does."""
    return dict(os.environ) | {"CLOUDSDK_CORE_DISABLE_PROMPTS": "1", "TF_IN_AUTOMATION": "1"}


def _not_installed(program: str) -> InputError:
    return InputError(f"{program} is not installed: {_INSTALL.get(program, 'install it')}. Then run this again.")
