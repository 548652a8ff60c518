"""What `provenfix dlq` does: dead letters are listed, published once more, or thrown away."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from functions.local import topology
from functions.local.stack_folder import load_named_environment, override_environ
from shared.adapters.delivery import DeadLetter, DeadLetters
from shared.config.settings import read_settings
from shared.errors import UsageError
from shared.text.escaping import truncate, to_one_line
from shared.text.redaction import redact
from shared.text.timestamps import format_rfc3339

_MAX_LETTERS = 1_000
_MAX_BODY_LENGTH = 120


def list_dead_letters(folder: Path) -> int:
    """One line for each."""
    with _open_dead_letters(folder) as letters:
        for letter in letters.list_waiting(_MAX_LETTERS):
            body = truncate(to_one_line(redact(letter.data.decode("utf-8", "replace"))), _MAX_BODY_LENGTH)
            topic = letter.topic.rpartition("/")[2]
            print(f"{letter.id}  {letter.attempts} attempts  {format_rfc3339(letter.published_at)}  {topic}  {body}")
    return 0


def replay_dead_letters(ids: Sequence[str] | None, folder: Path) -> int:
    """Raises Misused where one of the ids is not there."""
    with _open_dead_letters(folder) as letters:
        return _apply_to_letters(letters, ids, letters.replay, "published once more")


def drop_dead_letters(ids: Sequence[str] | None, folder: Path) -> int:
    """Raises Misused where one of the ids is not there."""
    with _open_dead_letters(folder) as letters:
        return _apply_to_letters(letters, ids, letters.discard, "dropped")


def _apply_to_letters(letters: DeadLetters, ids: Sequence[str] | None, action: Callable[[DeadLetter], None], action_done: str) -> int:
    waiting = {letter.id: letter for letter in letters.list_waiting(_MAX_LETTERS)}
    missing = sorted(set(ids or ()) - set(waiting))
    if missing:
        raise UsageError(f"there is no dead letter {', '.join(missing)}; `provenfix dlq list` lists them")
    chosen = list(waiting) if ids is None else list(dict.fromkeys(ids))
    for identity in chosen:
        action(waiting[identity])
    print(f"{len(chosen)} {action_done}", file=sys.stderr)
    return 0


@contextmanager
def _open_dead_letters(folder: Path) -> Iterator[DeadLetters]:
    from shared.wiring import create_dead_letters  # noqa: PLC0415

    with override_environ(load_named_environment(folder)):
        letters = create_dead_letters(read_settings(), topology.DEAD_LETTERS)
        try:
            yield letters
        finally:
            letters.close()
