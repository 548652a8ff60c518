"""What every step receives: the answers, the state of the moment, and the ports; and how a step runs a program."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from functions.setup.answers import Answers
from functions.setup.plan import plan_steps
from functions.setup.ports import CommandResult, Outside, Place
from functions.setup.state import Facts, SetupState, state_to_text
from functions.setup.step import Command, Step, StepName
from shared.errors import InputError
from shared.secret import Secret
from shared.text.redaction import redact

AGAIN = "Then run `provenfix setup` again: it goes on where it stopped."
_STORE_ATTEMPTS = 3
_STORE_PAUSE_SECONDS = 5.0
_VERSION = re.compile(r"/versions/(\d+)\s*\Z")
_MAX_ERROR_LENGTH = 300


@dataclass(slots=True)
class Session:
    """`state` is replaced by each step, and written at once."""

    paths: Place
    outside: Outside
    state: SetupState

    @property
    def answers(self) -> Answers:
        return self.state.answers

    @property
    def steps(self) -> tuple[Step, ...]:
        return plan_steps(self.answers, self.paths)

    def keep(self, state: SetupState) -> None:
        """Writes the state."""
        self.state = state
        self.outside.state_file.write(state_to_text(state))

    def keep_answers(self, answers: Answers) -> None:
        """Writes the answers."""
        self.keep(replace(self.state, answers=answers))

    def keep_facts(self, name: StepName, facts: Facts) -> None:
        """What must not be lost if the step ends early."""
        self.keep(self.state.with_begun(name, facts))

    def read(self, argv: Sequence[str], stdin: Secret | None = None) -> str:
        """What a program wrote. Raises InputError where it failed."""
        result = self.outside.commands.read(argv, stdin)
        if result.code != 0:
            raise InputError(f"{describe_failure(argv, result)} Fix this. {AGAIN}")
        return result.output.strip()

    def run(self, command: Command) -> None:
        """Runs a command unless there is nothing left to do. Raises InputError where it failed."""
        if not (command.unless and self.outside.commands.read(command.unless).code == 0):
            self.read(command.argv)

    def run_shown(self, command: Command) -> None:
        """Runs a command whose output the user reads."""
        code = self.outside.commands.show(command.argv)
        if code != 0:
            raise InputError(f"`{command}` ended with {code}; its reason is above. Fix it. {AGAIN}")

    def store_secret(self, name: str, secret: Secret) -> str:
        """Adds a version through a pipe and returns its full name, by the project's id.

        Tried a few times at once: GitHub shows an App's key only this once.
        """
        add = ("gcloud", "secrets", "versions", "add", name, f"--project={self.answers.project}")
        argv = (*add, "--data-file=-", "--format=value(name)")
        for attempt in range(_STORE_ATTEMPTS):
            if attempt:
                self.outside.wait(_STORE_PAUSE_SECONDS)
            result = self.outside.commands.read(argv, secret)
            if result.code == 0:
                break
        version = _VERSION.search(result.output)
        if result.code != 0 or version is None:
            raise InputError(f"{describe_failure(argv, result)} Fix this. {AGAIN}")
        return f"projects/{self.answers.project}/secrets/{name}/versions/{version[1]}"


def describe_failure(argv: Sequence[str], result: CommandResult) -> str:
    """`gcloud …` and the last line that says why."""
    lines = [line.strip() for line in result.errors.splitlines() if line.strip()]
    reason = next((line for line in lines if "ERROR" in line), lines[-1] if lines else f"it ended with {result.code}")
    return f"`{Command(tuple(argv))}` failed: {redact(reason)[:_MAX_ERROR_LENGTH].rstrip('.')}."
