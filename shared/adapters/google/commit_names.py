"""Finds the commit that a text of a label, a tag or a build names."""

import re
from collections.abc import Iterator

_COMMIT_ID = re.compile(r"[0-9a-f]{40}|(?=[0-9a-f]*[a-f])[0-9a-f]{7,39}")
"""A full id, or an abbreviation that cannot be the number or the date of a build."""
_MIXED_ID = re.compile(r"[0-9a-f]{40}|(?=[0-9a-f]*[a-f])(?=[0-9a-f]*[0-9])[0-9a-f]{7,39}")
"""An abbreviation that is no word either, such as `defaced`."""
_ANY_ID = re.compile(r"[0-9a-f]{7,40}")
_ANNOUNCING = frozenset(("sha", "git", "commit", "rev"))
_SEPARATOR = re.compile(r"[-_.]")


def is_commit_id(text: str) -> bool:
    """Whether this may name a commit."""
    return _COMMIT_ID.fullmatch(text) is not None


def is_abbreviation_of(text: str, commit: str) -> bool:
    """Whether a text is a commit's id, or the beginning of it."""
    return is_commit_id(text) and commit.startswith(text)


def find_commit_of_tag(tag: str) -> str:
    """The one commit that a tag names, as a whole or as one of its parts; "" where it names none, or two.

    `sha-abc1234` and `main-abc1234` are what docker/metadata-action writes, `v1.2-3-gabc1234` what `git describe` does
    (https://github.com/docker/metadata-action#typesha, read 2026-11-26).
    """
    if is_commit_id(tag):
        return tag
    named = list(dict.fromkeys(_list_commit_parts(tag)))
    return named[0] if len(named) == 1 else ""


def _list_commit_parts(tag: str) -> Iterator[str]:
    before = ""
    for part in _SEPARATOR.split(tag):
        if _MIXED_ID.fullmatch(part) or (before in _ANNOUNCING and _ANY_ID.fullmatch(part)):
            yield part
        elif before.isdecimal() and part.startswith("g") and _ANY_ID.fullmatch(part[1:]):
            yield part[1:]
        before = part


def rename_tag(tag: str, commit: str) -> str:
    """The tag that an image of `commit` has where `tag` is how images of this package are called; "" for any other."""
    named = find_commit_of_tag(tag)
    return tag.replace(named, commit[: len(named)]) if named else ""
