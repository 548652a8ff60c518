"""What cannot be judged is no fix, and no gap of the repository's copy either."""

from pathlib import Path

from shared.detection.logged_exception import Frame, LoggedException
from shared.proof.model.recommendation import ActionKind, Reason
from tests.support.history_builder import HistoryBuilder
from tests.support.renamed_function import START, prove_failed_start

DOCKERFILE = START["Dockerfile"]
MAIN = "import sys\n\n\ndef serve():\n    return flow()\n\n\nserve()\n"
OPEN = MAIN.replace("\n\n\ndef", "\n\nexec(open('flows.txt').read())\n\n\ndef")


def test_an_undecidable_past_and_future_are_said_to_be_that(tmp_path: Path) -> None:
    history = HistoryBuilder(tmp_path / "repo")
    history.commit("start", {"Dockerfile": DOCKERFILE, "main.py": OPEN})
    history.commit("break", {"main.py": MAIN})
    history.commit("later", {"main.py": OPEN})
    history.write_repository()
    frame = Frame("/app/main.py", 5, "serve", "return flow()")
    exception = LoggedException("NameError", "name 'flow' is not defined", (frame,))
    finding = prove_failed_start(history, exception, "break")
    assert finding.claim is not None
    assert (finding.introduced, finding.fix, finding.gaps) == (None, None, ())
    recommendation = finding.recommendation
    assert (recommendation.kind, recommendation.reason) == (ActionKind.NONE, Reason.NO_FIX)
