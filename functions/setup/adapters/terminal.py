"""The user at the terminal: questions with numbered lists, answers that are checked, secrets that are not shown."""

import getpass
import os
import sys
import webbrowser
from collections.abc import Callable, Sequence
from typing import Any

from shared.errors import InputError, UsageError
from shared.secret import Secret
from shared.text.escaping import to_one_line


class TerminalPerson:
    """Implements `functions.setup.ports.Person`. `agreed` is the consent that was given beforehand."""

    def __init__(self, *, is_present: bool, agreed: bool) -> None:
        self._is_present, self._agreed = is_present, agreed

    def report_line(self, sentence: str) -> None:
        """See `Person`."""
        for line in sentence.split("\n"):
            print(" " * (len(line) - len(line.lstrip())) + to_one_line(line.strip()), flush=True)

    def ask(self, question: str, check: Callable[[str], Any], default: str = "") -> str:
        """See `Person`. It is asked again until the answer is one."""
        while True:
            answer = self._read(f"{question}{f' [{default}]' if default else ''}: ") or default
            try:
                check(answer)
            except UsageError as error:
                self.report_line(str(error))
            else:
                return answer

    def choose(self, question: str, options: Sequence[str], *, many: bool = False) -> Sequence[str]:
        """See `Person`. By number or by name; several with spaces between; the first one where nothing is typed."""
        self.report_line(
            "\n".join((question, *(f"  {number:>3} {option}" for number, option in enumerate(options, 1))))
        )

        def read(text: str) -> list[str]:
            return [_find_option(word, options) for word in text.replace(",", " ").split()]

        def check(text: str) -> None:
            if not (chosen := read(text)) or (len(chosen) > 1 and not many):
                raise UsageError("Choose one of the list." if not many else "Choose at least one of the list.")

        hint = "Numbers or names" if many else "Number or name"
        return read(self.ask(hint, check, "1"))

    def ask_secret(self, what: str, variable: str) -> Secret:
        """See `Person`. The variable is read first: it is how a setup without a terminal gets it."""
        if os.environ.get(variable):
            return Secret(os.environ[variable].strip())
        if not self._is_present:
            raise UsageError(f"Nobody can be asked without a terminal: set {variable}.")
        return Secret(getpass.getpass(f"{what}, not shown: ").strip())

    def has_secret(self, variable: str) -> bool:
        """See `Person`."""
        return self._is_present or bool(os.environ.get(variable))

    def confirm(self, question: str) -> bool:
        """See `Person`."""
        if self._agreed:
            return True
        if not self._is_present:
            raise UsageError("Nobody can be asked without a terminal: give --yes.")
        return self._read(f"{question} [y/N]: ").lower() in {"y", "yes"}

    def open_page(self, url: str) -> None:
        """See `Person`."""
        self.report_line(f"Open in a browser:\n  {url}")
        if self._is_present or os.environ.get("BROWSER"):
            webbrowser.open(url)

    def _read(self, prompt: str) -> str:
        if not self._is_present:
            raise UsageError("Nobody can be asked without a terminal: give the answers as options, or --answers FILE.")
        try:
            return input(prompt).strip()
        except EOFError:
            sys.stdout.write("\n")
            raise InputError("The answers ended early. Run `provenfix setup` again: it goes on here.") from None


def _find_option(word: str, options: Sequence[str]) -> str:
    if word in options:
        return word
    if word.isdecimal() and 1 <= int(word) <= len(options):
        return options[int(word) - 1]
    named = [option for option in options if option.partition("@")[0] == word]
    if len(named) == 1:
        return named[0]
    raise UsageError(f"{word!r} is none of the list.")
