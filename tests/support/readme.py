"""The generated blocks of the documents, from the real commands: `python -m tests.support.readme` writes them."""

import re
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

from functions.demo import build_incident, write_incident_log

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCUMENTS = (
    README,
    *(ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")),
    *(ROOT / folder / "README.md" for folder in ("functions", "shared", "terraform", "tests")),
)
"""Every document that people read; their links are checked together."""
BLOCKS = {
    "access": "functions/README.md",
    "flow": "functions/README.md",
    "reference": "functions/README.md",
    "session": "functions/README.md",
    "incident": "shared/README.md",
}
"""The document in which each generated block stands, between `<!-- NAME:begin -->` and `<!-- NAME:end -->`."""

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


def read_block(name: str) -> str:
    """Returns a block as it stands in its document, with its two markers."""
    match = _block(name).search((ROOT / BLOCKS[name]).read_text("utf-8"))
    assert match is not None, f"{BLOCKS[name]} has no block {name!r}"
    return match[0]


def write_block(name: str, content: str) -> None:
    """Replaces what stands between the markers of a block; `content` ends with a line end."""
    document = ROOT / BLOCKS[name]
    document.write_text(_block(name).sub(lambda _: mark_block(name, content), document.read_text("utf-8")), "utf-8")


def mark_block(name: str, content: str) -> str:
    """Returns a block with its two markers, as it stands in its document."""
    return f"<!-- {name}:begin -->\n{content}<!-- {name}:end -->"


def _block(name: str) -> re.Pattern[str]:
    return re.compile(rf"<!-- {name}:begin -->\n.*<!-- {name}:end -->", re.DOTALL)


def render_example() -> str:
    """Returns what `provenfix investigate` prints of the rebuilt incident, as a code block, without the evidence."""
    with tempfile.TemporaryDirectory() as folder:
        story = build_incident(Path(folder) / "repository.git")
        log = write_incident_log(story, Path(folder) / "log.json")
        command = [sys.executable, "-c", "from provenfix.command import main; main()", "investigate"]
        command += ["--repo", str(story.path), "--log", str(log), "--out", f"{folder}/report"]
        subprocess.run(command, check=True)
        report = Path(folder, "report").read_text("utf-8")
    lines = "\n".join(line.rstrip() for line in report.splitlines())
    return "```text\n" + lines.partition("\nEvidence\n")[0].strip() + "\n```\n"


def render_session(text: str) -> str:
    """Returns what `provenfix demo` printed as a code block that fits a page."""
    lines = (textwrap.fill(line, _WIDTH, subsequent_indent=_CONTINUED) for line in text.splitlines())
    return "```text\n$ provenfix demo --auto-approve\n" + "\n".join(lines) + "\n```\n"


def play_demo() -> str:
    """Runs the demo and returns what it prints."""
    command = [sys.executable, "-c", "from provenfix.command import main; main()", "demo", "--auto-approve"]
    return subprocess.run([*command, "--no-browser"], check=True, capture_output=True, text=True).stderr


def recorded_session() -> str:
    """Returns the demo as its document shows it."""
    return read_block("session")


def session_sentences(text: str) -> set[str]:
    """Returns the sentences of a session or of its record, without what differs from run to run."""
    joined = re.sub(r"\n {15}(?=\S)", " ", text)
    lines = {line for line in joined.splitlines() if not line.startswith(("```", "$ ", "<!--"))}
    lines = {line for line in lines if not any(words in line for words in _OPTIONAL_SENTENCES)}
    for pattern, instead in _VARYING:
        lines = {re.sub(pattern, instead, line) for line in lines}
    return lines


def mask_versions(text: str) -> str:
    """Returns the text without patch levels: they are the machine's, not the product's."""
    return _CHECKERS.sub("checker", text)


def main() -> None:
    """Writes the blocks that show the commands."""
    write_block("incident", render_example())
    write_block("session", render_session(play_demo()))


if __name__ == "__main__":
    main()
