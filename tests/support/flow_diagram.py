"""What test_flow_diagram and other tests share."""

import re
from pathlib import Path

_ARROW = re.compile(r"^ +(\S+) --> (\S+)(?:: (.+))?$", re.MULTILINE)


DRAWN_TRANSITIONS = {
    (begin, end)
    for begin, end, _ in _ARROW.findall((Path(__file__).parents[2] / "shared/workflow/flow.md").read_text("utf-8"))
}
