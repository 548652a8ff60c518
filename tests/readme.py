"""The README's example, from the real command: `python -m tests.readme` writes it, a test compares it."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from functions.local.showcase import build_incident, incident_log

README = Path(__file__).parent.parent / "README.md"
_BLOCK = re.compile(r"(<!-- incident:begin -->\n).*(<!-- incident:end -->)", re.DOTALL)
_CHECKERS = re.compile(r"(?:cpython|ruff)-[\d.]+")


def example() -> str:
    """What `provenfix investigate` says of the rebuilt incident, as a code block, down to the list of evidence."""
    with tempfile.TemporaryDirectory() as folder:
        story = build_incident(Path(folder) / "repository.git")
        log = incident_log(story, Path(folder) / "log.json")
        command = [sys.executable, "-c", "from functions.local.cli import main; main()", "investigate"]
        command += ["--repo", str(story.path), "--log", str(log), "--out", f"{folder}/report"]
        subprocess.run(command, check=True)
        told = Path(folder, "report").read_text("utf-8")
    lines = "\n".join(line.rstrip() for line in told.splitlines())
    return "```text\n" + lines.partition("\nEvidence\n")[0].strip() + "\n```\n"


def written() -> str:
    """What stands in the README."""
    found = _BLOCK.search(README.read_text("utf-8"))
    assert found is not None
    return found[0]


def comparable(text: str) -> str:
    """Without patch levels: they are the machine's, not the product's."""
    return _CHECKERS.sub("checker", text)


def main() -> None:
    """Writes the example into the README."""
    block = example()
    text = README.read_text("utf-8")
    README.write_text(_BLOCK.sub(lambda found: found[1] + block + found[2], text), "utf-8")


if __name__ == "__main__":
    main()
