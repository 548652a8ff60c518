"""`provenfix mcp`, asked by the SDK's own client over standard input and output: the installed command answers."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp_types import CallToolResult, Tool

from tests.support.history_builder import HistoryBuilder, broken_source, valid_source

COMMAND = str(Path(sys.executable).with_name("provenfix"))
PATH = "app/relay.py"
FAILURE = f'  File "/srv/{PATH}", line 5\n    oops = = 1\n           ^\nSyntaxError: invalid syntax\n'


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> HistoryBuilder:
    """A work tree with a log; the fix of what is deployed is merged. Beside it lies a file of nobody's business."""
    folder = tmp_path_factory.mktemp("mcp")
    story = HistoryBuilder(folder / "bare.git")
    story.commit("start", {PATH: valid_source(), "app/__init__.py": "", "main.py": "import app.relay\n"})
    story.commit("break", {PATH: broken_source(5)})
    story.commit("fix", {PATH: valid_source(1)})
    story.write_repository()
    story.path = folder / "work"
    subprocess.run(["git", "clone", "--quiet", str(folder / "bare.git"), str(story.path)], check=True)
    (story.path / "service.log").write_text(FAILURE, "utf-8")
    (folder / "outside.log").write_text(FAILURE, "utf-8")
    (story.path / "link.log").symlink_to(folder / "outside.log")
    return story


def ask(story: HistoryBuilder, *calls: tuple[str, Mapping[str, Any]]) -> tuple[list[Tool], list[CallToolResult]]:
    """The tools of a new server, and its answers."""

    async def converse() -> tuple[list[Tool], list[CallToolResult]]:
        started = StdioServerParameters(command=COMMAND, args=["mcp"], cwd=str(story.path))
        async with Client(started) as client:
            tools = (await client.list_tools()).tools
            return list(tools), [await client.call_tool(name, dict(arguments)) for name, arguments in calls]

    return anyio.run(converse)


def read(result: CallToolResult) -> dict[str, Any]:
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return dict(result.structured_content)


def sentence(result: CallToolResult) -> str:
    """What the caller reads of a mistake."""
    assert result.is_error
    return str(getattr(result.content[0], "text", ""))


def test_the_tools_are_four_questions_and_none_acts(story: HistoryBuilder) -> None:
    tools, _ = ask(story)
    assert {tool.name for tool in tools} == {"investigate", "explain", "is_it_fixed", "radar"}
    for tool in tools:
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint is True
        assert tool.annotations.open_world_hint is False
        assert tool.description
        assert "repo" not in tool.input_schema["properties"], "the folder is that of the server"


def test_each_question_is_answered_with_the_proof(story: HistoryBuilder) -> None:
    deployed = story.ids["break"]
    _, answers = ask(
        story,
        ("investigate", {"log_file": "service.log", "deployed": deployed}),
        ("is_it_fixed", {"failure": FAILURE, "deployed": deployed}),
        ("radar", {"deployed": deployed, "start": ["main.py"]}),
        ("explain", {"reason": "fix_merged_not_deployed"}),
        ("explain", {}),
    )
    investigated, fixed, undeployed, explained, every = map(read, answers)
    (report,) = investigated["reports"]
    assert report["schema"] == "provenfix.report/1"
    assert (report["fix"]["commit"], report["decision"]["reason"]) == (story.ids["fix"], "fix_merged_not_deployed")
    (failure,) = fixed["failures"]
    assert (failure["answer"], failure["fix"]["commit"]) == ("merged_not_deployed", story.ids["fix"])
    assert failure["target"]["commit"] == story.ids["fix"]
    assert [found["fix"]["commit"] for found in undeployed["fixes"]] == [story.ids["fix"]]
    assert set(explained["reasons"]) == {"fix_merged_not_deployed"}
    assert len(every["reasons"]) > 20


def test_what_is_not_fixed_and_what_nobody_can_prove_are_told_apart(tmp_path: Path) -> None:
    unproven = 'Traceback (most recent call last):\n  File "/srv/app/relay.py", line 3, in run\nValueError: seven\n'
    unfixed = HistoryBuilder(tmp_path / "unfixed.git")
    unfixed.commit("start", {PATH: valid_source()})
    unfixed.commit("break", {PATH: broken_source(5)})
    unfixed.write_repository()
    _, answers = ask(
        unfixed,
        ("is_it_fixed", {"failure": FAILURE}),
        ("is_it_fixed", {"failure": "ERROR: WebSocket /ws closed: code=1011\n"}),
        ("is_it_fixed", {"failure": unproven}),
        ("is_it_fixed", {"failure": "all is well\n"}),
    )
    told = [[failure["answer"] for failure in read(answer)["failures"]] for answer in answers]
    assert told[0] == ["not_fixed"]
    assert told[1] == ["unknown"]
    assert set(told[2]) <= {"unknown"}
    assert told[3] == []


@pytest.mark.parametrize("file", ["../outside.log", "link.log", "/etc/hostname", "-", "nowhere.log", "a\0b", "app"])
def test_no_file_outside_of_the_folder_is_read(story: HistoryBuilder, file: str) -> None:
    _, (answer,) = ask(story, ("investigate", {"log_file": file}))
    assert "folder" in sentence(answer)
    assert "SyntaxError" not in sentence(answer)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("investigate", {}),
        ("investigate", {"log_file": "service.log", "log_text": FAILURE}),
        ("investigate", {"log_text": FAILURE, "deployed": "--output=/tmp/x"}),
        ("is_it_fixed", {"failure": FAILURE, "branch": "nowhere"}),
        ("radar", {"deployed": "nowhere"}),
        ("radar", {"deployed": ""}),
        ("explain", {"reason": "fix_merged"}),
    ],
)
def test_a_mistake_is_one_sentence_and_the_server_goes_on(
    story: HistoryBuilder, tool: str, arguments: Mapping[str, Any]
) -> None:
    _, (mistaken, right) = ask(story, (tool, arguments), ("explain", {"reason": "no_fix"}))
    assert sentence(mistaken)
    assert "Traceback" not in sentence(mistaken)
    assert "\n" not in sentence(mistaken)
    assert read(right)["reasons"]


def test_nothing_is_changed(story: HistoryBuilder) -> None:
    def look() -> str:
        git = ["git", "-C", str(story.path)]
        asked = (["status", "--porcelain", "--ignored"], ["for-each-ref"], ["count-objects", "-v"])
        return "".join(
            subprocess.run([*git, *words], capture_output=True, text=True, check=True).stdout for words in asked
        )

    before = look()
    ask(
        story,
        ("investigate", {"log_text": FAILURE}),
        ("radar", {"deployed": story.ids["break"], "start": ["main.py"]}),
    )
    assert look() == before
