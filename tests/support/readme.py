"""The README's examples, from the real commands: `python -m tests.support.readme` writes them, tests compare them."""

import re
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

from functions.demo import build_incident, write_incident_log

README = Path(__file__).parents[2] / "README.md"
_BLOCK = re.compile(r"(<!-- incident:begin -->\n).*(<!-- incident:end -->)", re.DOTALL)
_SESSION = re.compile(r"(<!-- session:begin -->\n).*(<!-- session:end -->)", re.DOTALL)
_WIDTH, _CONTINUED = 110, " " * 15
_VARYING = (
    (r"^ *\d+\.\d s", "N s"),
    (r"[+]\d+(?:\.\d)? s", "+N s"),
    (r"\b[0-9a-f]{12,40}\b", "COMMIT"),
    (r"127\.0\.0\.1:\d+", "PORT"),
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z|\d\d:\d\d:\d\d UTC", "MOMENT"),
    (r"\d+ (requests|probes|seconds)", r"N \1"),
    (r"harbour-chat-000\d\d-[a-z]{3}", "REVISION"),
    (r"in \S*agents_execute\.py, first", "in FILE, first"),
    (r"Since: .*", "Since: …"),
    (r"cpython-[\d.]+", "checker"),
)
"""What no two runs have in common."""
_OPTIONAL_SENTENCES = ("It holds: ", "A visitor's socket")
"""What a slow machine may not see between two looks."""
_CHECKERS = re.compile(r"(?:cpython|ruff)-[\d.]+")


def render_example() -> str:
    """What `provenfix investigate` says of the rebuilt incident, as a code block, down to the list of evidence."""
    with tempfile.TemporaryDirectory() as folder:
        story = build_incident(Path(folder) / "repository.git")
        log = write_incident_log(story, Path(folder) / "log.json")
        command = [sys.executable, "-c", "from provenfix.command import main; main()", "investigate"]
        command += ["--repo", str(story.path), "--log", str(log), "--out", f"{folder}/report"]
        subprocess.run(command, check=True)
        told = Path(folder, "report").read_text("utf-8")
    lines = "\n".join(line.rstrip() for line in told.splitlines())
    return "```text\n" + lines.partition("\nEvidence\n")[0].strip() + "\n```\n"


def read_readme() -> str:
    """What stands in the README."""
    found = _BLOCK.search(README.read_text("utf-8"))
    assert found is not None
    return found[0]


def render_session(text: str) -> str:
    """What `provenfix demo` says, as a code block that fits a page."""
    lines = (textwrap.fill(line, _WIDTH, subsequent_indent=_CONTINUED) for line in text.splitlines())
    return "```text\n$ provenfix demo --auto-approve\n" + "\n".join(lines) + "\n```\n"


def play_demo() -> str:
    """Plays the demo, and returns what it says."""
    command = [sys.executable, "-c", "from provenfix.command import main; main()", "demo", "--auto-approve"]
    return subprocess.run([*command, "--no-browser"], check=True, capture_output=True, text=True).stderr


def recorded_session() -> str:
    """The demo as it stands in the README."""
    found = _SESSION.search(README.read_text("utf-8"))
    assert found is not None
    return found[0]


def session_sentences(text: str) -> set[str]:
    """The sentences of a session or of its record, without what differs from run to run."""
    joined = re.sub(r"\n {15}(?=\S)", " ", text)
    lines = {line for line in joined.splitlines() if not line.startswith(("```", "$ ", "<!--"))}
    lines = {line for line in lines if not any(words in line for words in _OPTIONAL_SENTENCES)}
    for pattern, instead in _VARYING:
        lines = {re.sub(pattern, instead, line) for line in lines}
    return lines


def mask_versions(text: str) -> str:
    """Without patch levels: they are the machine's, not the product's."""
    return _CHECKERS.sub("checker", text)


def main() -> None:
    """Writes the examples into the README."""
    block, told = render_example(), render_session(play_demo())
    text = README.read_text("utf-8")
    text = _BLOCK.sub(lambda found: found[1] + block + found[2], text)
    README.write_text(_SESSION.sub(lambda found: found[1] + told + found[2], text), "utf-8")


if __name__ == "__main__":
    main()
