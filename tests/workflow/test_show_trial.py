"""`provenfix show` of an incident with a trial: what was tried, what it came to, and what each round saw."""

from pathlib import Path

import pytest

from functions.cli import show
from functions.local.stack_folder import DEFAULT_FOLDER
from shared import state_stores
from tests.support.trials import FAILS, HOLDS, finish_trial, harness_with_trial, start_trial


def test_it_shows_the_trial_and_its_rounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    harness = harness_with_trial()
    incident = start_trial(harness)
    finish_trial(harness)
    monkeypatch.setattr(state_stores, "create_store", lambda _: harness.store)
    monkeypatch.chdir(tmp_path)
    assert show.run_show(incident, Path(DEFAULT_FOLDER)) == 0
    shown = capsys.readouterr().out
    [trial] = [line for line in shown.splitlines() if "tried without traffic: " in line]
    assert trial.endswith(": proven")
    assert harness.cloud.operations[0].revision in trial
    assert [FAILS.detail in line and HOLDS.detail in line for line in shown.splitlines() if " round " in line] == [
        True
    ] * 3
