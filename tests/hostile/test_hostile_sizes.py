"""Whole functions that read hostile text, at 32 to 256 KB: eight times the text may take eight times the time.

Only what takes long enough to be measured is compared, in time of this process alone. Patterns are judged by their
steps in `test_linear.py`; here everything around them is, too.
"""

import time
from collections.abc import Callable

import pytest

from shared.adapters.github.webhook import _COMMAND, _MARKER
from shared.proof.declared.ci_python import find_ci_pythons
from shared.proof.declared.deployed_python import find_deployed_fact
from shared.proof.declared.development_python import find_development_pythons
from shared.text import escaping
from shared.text.phrases import format_excerpt
from shared.text.redaction import redact, redact_blocks
from tests.support.regex_cost.attacks import build_attacks

KILOBYTE = 1024
SIZES = (32, 64, 128, 256)
_SHORT = 0.3
"""Seconds of which nothing is concluded."""
_MOST = 8 * 2.5
"""Times: the sizes differ by eight, and this machine has other things to do."""
PUMPS = ("\\", '"', '\\"', " ", "[", "a ", "a.", "password")
BEFORE = {"": PUMPS, "make ": ("a ", "make "), 'password="': ("\\", '\\"'), 'password:\\"': ("\\",), "${{": ("${{",)}
"""What is repeated, by what stands before it."""


def workflow(text: str) -> object:
    """In a step, in a value, and as a comment."""
    inner = text.replace("\x00", "").replace("\x1b", "").replace("\r", "")
    quoted = "'" + inner.replace("'", "''").replace("\n", "") + "'"
    block = "\n".join("      " + line for line in inner.split("\n"))
    told = f"jobs:\n  a:\n    python-version: {quoted}\n    run: |\n{block}\n"
    return find_ci_pythons({".github/workflows/a.yml": told})


READERS: dict[str, Callable[[str], object]] = {
    "redact": redact,
    "redact_blocks": lambda text: redact_blocks(text.split("\n")),
    "excerpt": lambda text: list(format_excerpt([(1, text)], 1, 1)),
    "markup.plain": escaping.strip_markup,
    "escaping.for_markdown": escaping.escape_markdown,
    "escaping.code_span": escaping.format_code_span,
    "escaping.code_block": escaping.format_code_block,
    "escaping.for_mermaid": escaping.escape_mermaid,
    "escaping.for_slack": escaping.escape_slack,
    "ci_pythons": workflow,
    "development_pythons": lambda text: find_development_pythons(
        {"setup.cfg": text, "pyproject.toml": text, ".pre-commit-config.yaml": text, ".python-version": text}
    ),
    "deployed_fact": lambda text: find_deployed_fact(
        {"Dockerfile": text, "project.toml": text, "runtime.txt": text}, "a.py"
    ),
    "webhook": lambda text: (_MARKER.search(text), _COMMAND.search(text)),
}


def seconds(reader: Callable[[str], object], text: str) -> float:
    began = time.process_time()
    reader(text)
    return time.process_time() - began


@pytest.mark.parametrize("name", READERS)
def test_time_grows_with_the_text(name: str) -> None:
    for lead, pumps in BEFORE.items():
        for pump in pumps:
            took: list[float] = []
            for size in SIZES:
                (text,) = build_attacks(size * KILOBYTE, (pump,), (lead,))
                took.append(seconds(READERS[name], text))
                assert took[-1] < max(_SHORT, _MOST * took[0]), (lead, pump, size, took)
