"""A storm of one defect becomes one incident, one issue and one proposal, and costs a handful of writes."""

from pathlib import Path

import pytest

from tests.support.e2e.storm import Storm, read_leftovers, run_storm_stack

DEADLINE = 150.0
MOST_WRITES = 10
"""To open it, to attach its other revision, to name issue and proposal: however many entries there are."""


def read_states(played: Storm) -> set[object]:
    """Of the incidents that no other one explains."""
    return {incident.value["state"] for incident in read_leftovers(played).incidents}


@pytest.mark.parametrize(("backing", "count"), [("emulators", 10_000), ("embedded", 2_000)])
def test_a_storm_of_one_defect_is_one_incident_one_issue_and_one_proposal(
    tmp_path: Path, request: pytest.FixtureRequest, backing: str, count: int
) -> None:
    if backing == "emulators":
        request.getfixturevalue("emulators_installed")  # skips, or fails in CI, where there are none
    with run_storm_stack(tmp_path, embedded=backing == "embedded") as played:
        played.publish_entries(count)
        played.wait_for(lambda: played.handled_count("record") >= count, DEADLINE)
        played.tick()
        played.wait_for(lambda: "ticked" in played.handled_outcomes("schedule"), DEADLINE)
        played.wait_for(lambda: "proposed" in played.handled_outcomes("investigate"), DEADLINE)
        # A close that came before its cause waits for the look that the tick has asked for.
        played.wait_for(lambda: "waiting" not in read_states(played), DEADLINE)
        found = read_leftovers(played)
    assert [incident.value["state"] for incident in found.incidents] == ["proposed"]
    assert [incident.value["error_class"] for incident in found.incidents] == ["SyntaxError"]
    assert len(found.issues) == 1
    assert len(found.messages) == 1
    assert found.dead == 0
    writes = int(found.incidents[0].version.partition("@")[0])
    assert writes <= MOST_WRITES
