"""`provenfix dlq list|replay|drop`: lists, republishes or deletes the messages that could not be delivered."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from functions.local import topology
from functions.local.stack_folder import load_named_environment, override_environ
from shared import state_stores
from shared.adapters.delivery import DeadLetter, DeadLetters
from shared.config.settings import read_settings
from shared.errors import UsageError
from shared.text.escaping import to_one_line, truncate
from shared.text.redaction import redact
from shared.text.timestamps import format_rfc3339

_MAX_LETTERS = 1_000
_MAX_BODY_LENGTH = 120


def list_dead_letters(folder: Path) -> int:
    """Prints one line for each."""
    with _open_dead_letters(folder) as letters:
        for letter in letters.list_waiting(_MAX_LETTERS):
            body = truncate(to_one_line(redact(letter.data.decode("utf-8", "replace"))), _MAX_BODY_LENGTH)
            topic = letter.topic.rpartition("/")[2]
            print(f"{letter.id}  {letter.attempts} attempts  {format_rfc3339(letter.published_at)}  {topic}  {body}")
    return 0


def replay_dead_letters(ids: Sequence[str] | None, folder: Path) -> int:
    """Raises UsageError if there is no message with one of the ids."""
    with _open_dead_letters(folder) as letters:
        return _apply_to_letters(letters, ids, letters.replay, "published again")


def drop_dead_letters(ids: Sequence[str] | None, folder: Path) -> int:
    """Raises UsageError if there is no message with one of the ids."""
    with _open_dead_letters(folder) as letters:
        return _apply_to_letters(letters, ids, letters.discard, "deleted")


def _apply_to_letters(
    letters: DeadLetters, ids: Sequence[str] | None, action: Callable[[DeadLetter], None], action_done: str
) -> int:
    waiting = {letter.id: letter for letter in letters.list_waiting(_MAX_LETTERS)}
    missing = sorted(set(ids or ()) - set(waiting))
    if missing:
        raise UsageError(f"No dead letter with id {', '.join(missing)}; run `provenfix dlq list` to see them.")
    chosen = list(waiting) if ids is None else list(dict.fromkeys(ids))
    for identity in chosen:
        action(waiting[identity])
    print(f"{len(chosen)} {action_done}", file=sys.stderr)
    return 0


@contextmanager
def _open_dead_letters(folder: Path) -> Iterator[DeadLetters]:
    with override_environ(load_named_environment(folder)):
        letters = state_stores.create_dead_letters(read_settings(), topology.DEAD_LETTERS)
        try:
            yield letters
        finally:
            letters.close()


dlq = typer.Typer(
    help="List, replay or delete messages that could not be delivered.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

_FolderOption = Annotated[Path, typer.Option(metavar="PATH", help="Stack directory.")]
_IdsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="ID", help="Message ids, as `provenfix dlq list` prints them.")
]
_AllOption = Annotated[bool, typer.Option("--all", help="All dead letters.")]
_DEFAULT_FOLDER = Path(".provenfix")


@dlq.command("list")
def list_letters(folder: _FolderOption = _DEFAULT_FOLDER) -> int:
    """List the dead letters.

    One line each: id, attempts, time, topic and the beginning of the message.
    """
    return list_dead_letters(folder)


@dlq.command("replay")
def replay_letters(ids: _IdsArgument = None, every: _AllOption = False, folder: _FolderOption = _DEFAULT_FOLDER) -> int:
    """Publish dead letters again."""
    return replay_dead_letters(_select_ids(ids, every=every), folder)


@dlq.command("drop")
def drop_letters(ids: _IdsArgument = None, every: _AllOption = False, folder: _FolderOption = _DEFAULT_FOLDER) -> int:
    """Delete dead letters."""
    return drop_dead_letters(_select_ids(ids, every=every), folder)


def _select_ids(ids: list[str] | None, *, every: bool) -> list[str] | None:
    """Returns None for all of them."""
    if bool(ids) == every:
        raise UsageError("Give message ids, or --all.")
    return ids if ids else None
