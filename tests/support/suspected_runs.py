"""Asks for the suspected changes of an exception: a repository and a traceback in, the names of commits out."""

from collections.abc import Callable
from datetime import datetime
from typing import cast

from shared.adapters.git.repository import GitRepository
from shared.detection.logged_exception import Frame, LoggedException
from shared.proof.model.ports import Compilers, History
from shared.proof.model.suspected_change import SuspectedChange, SuspectedChanges
from shared.proof.proof_context import ProofContext, ProofRequest
from shared.proof.suspected.find_suspected import find_suspected_changes
from tests.support.history_builder import HistoryBuilder, make_incident, make_sighting


def make_exception(
    source: str, *lines: str, path: str = "/srv/app/main.py", message: str = "'berth'", error_class: str = "KeyError"
) -> LoggedException:
    """Raised on the last of these lines of a source; the others are its callers, outermost first."""
    held = source.splitlines()
    frames = []
    for line in lines:
        number = next(number for number, text in enumerate(held, 1) if text.strip() == line)
        frames.append(Frame(path, number, "", line))
    return LoggedException(error_class, message, tuple(frames))


def find_suspected(
    story: HistoryBuilder,
    exception: LoggedException,
    *,
    seen_at: datetime | None = None,
    request: ProofRequest | None = None,
    watch: Callable[[History], History] = lambda history: history,
) -> SuspectedChanges:
    """`seen_at`: when it was logged; without, the log tells no time. `watch` may stand between."""
    request = request or ProofRequest()
    with GitRepository(str(story.path)) as repository:
        history = watch(repository)
        context = ProofContext(
            make_incident("main.py", make_sighting(1, seen_at=seen_at)),
            history,
            cast("Compilers", None),  # nothing is compiled
            request,
            history.branch(request.branch),
            history.resolve(request.deployed) if request.deployed else None,
            lambda _: None,
        )
        return find_suspected_changes(context, exception)


def name_commits(story: HistoryBuilder, changes: tuple[SuspectedChange, ...]) -> list[str | None]:
    """What the commits were called, by rank."""
    assert [change.rank for change in changes] == list(range(1, len(changes) + 1))
    return [story.name_of(change.commit.id) for change in changes]
