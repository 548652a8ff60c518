"""What a month costs: prices and volumes come in, the table of terraform/README.md goes out.

Prices are Google's public ones in US dollars for the regions of tier 1 (us-central1, europe-west1). Volumes are what
the configuration says (a tick each minute) and guesses to the high side for what an incident takes; each is named, so
that a reader can replace. No free allowance is counted: it is shared by all that a billing account runs.
`python -m tests.support.deploy.costs` writes it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.support.deploy.terraform import CONFIGURATION

AS_OF = "2026-11-24"
README = CONFIGURATION / "README.md"
BLOCK = re.compile(r"(<!-- costs:begin -->\n).*(<!-- costs:end -->)", re.DOTALL)
MONTHS = (0, 10, 1_000)
"""Incidents in a month."""

MINUTES = 30 * 24 * 60
CPU, MEMORY, REQUEST = 24e-6, 2.5e-6, 0.40e-6  # a vCPU-second, a GiB-second, a request
IDLE = 2.5e-6  # a vCPU-second of an instance that is kept warm
FIRESTORE_READ, FIRESTORE_WRITE = 0.03e-5, 0.09e-5
PUBSUB = 40 / 2**40  # a byte, each message counting as 1,000 at least, once in and once out
KEPT = 0.27 / 2**30 * 7 / 30  # a byte that a topic keeps for a week
JOB, SECRET, CONDITION, SERIES = 0.10, 0.06, 0.10, 0.35e-6
LOG, STORED, STATE = 0.50 / 2**30, 0.10, 0.30  # a byte of logs; a GiB-month of images; of documents, PITR included

TICK_SECONDS, CANARY_SECONDS = 0.5, 0.2
WATCH_TICKS, WATCH_SECONDS = (
    24 * 60,
    11.0,
)  # an incident is looked at each minute of its watch: a WebSocket stays open for ten seconds
CONDITIONS = 16
PROOF_SECONDS, ROLLOUT_SECONDS, COMPILE_SECONDS = 120, 60, 60
ENTRIES, ENTRY_SECONDS = 2_000, 0.2  # log entries of one failure that pass the filter
READS, WRITES = 8, 0.1  # for each look of the watch


@dataclass(frozen=True, slots=True)
class Line:
    """One row: dollars for a month of each number of incidents, and how they come about."""

    what: str
    dollars: tuple[float, ...]
    sum: str


def cost_rows() -> Iterator[Line]:
    """Everything that is charged for by use, and what stands still."""
    yield _by(
        "Ticks and canary",
        lambda _: (
            MINUTES * TICK_SECONDS * (CPU + MEMORY / 2)
            + MINUTES / 5 * CANARY_SECONDS * (CPU + MEMORY / 2)
            + MINUTES * 1.2 * REQUEST
        ),
        f"{MINUTES:,} ticks × {TICK_SECONDS} s × (1 vCPU + 0.5 GiB), {MINUTES // 5:,} canaries × {CANARY_SECONDS} s",
    )
    yield _by(
        "Incidents: entries, proof, rollout",
        lambda n: n * (_entries() + _proof()),
        f"each: {ENTRIES:,} entries × {ENTRY_SECONDS} s, {PROOF_SECONDS} s `investigate`,"
        f" {COMPILE_SECONDS} s `compile`, {ROLLOUT_SECONDS} s `redeploy`",
    )
    yield _by(
        "Incidents: the watch",
        lambda n: n * WATCH_TICKS * (WATCH_SECONDS * (CPU + MEMORY) + REQUEST),
        f"each: {WATCH_TICKS:,} looks × {WATCH_SECONDS} s",
    )
    yield _by(
        "Firestore",
        lambda n: (
            MINUTES * 5 * FIRESTORE_READ
            + n * WATCH_TICKS * (READS * FIRESTORE_READ + WRITES * FIRESTORE_WRITE)
            + (0.01 + n * 0.0002) * STATE
        ),
        f"a tick 5 reads; a look {READS} reads and {WRITES} writes; 200 KB an incident, with point-in-time recovery",
    )
    yield _by(
        "Pub/Sub",
        lambda n: (MINUTES * 1.2 * 1_000 + n * (WATCH_TICKS * 1_000 + ENTRIES * 4_000)) * (2 * PUBSUB + KEPT),
        "1 KB a tick or a look, 4 KB an entry, in and out, kept for a week × $0.27 a GiB-month",
    )
    yield _by(
        "Logs of the functions",
        lambda n: (MINUTES * 1.2 + n * (WATCH_TICKS + ENTRIES)) * 1_500 * LOG,
        "1.5 KB for each request and its line",
    )
    yield _by("Cloud Scheduler", lambda _: 2 * JOB, f"2 jobs × ${JOB:.2f}")
    yield _by("Secret Manager", lambda _: 5 * SECRET, f"5 versions × ${SECRET:.2f}")
    yield _by(
        "Alerting",
        lambda _: CONDITIONS * CONDITION + CONDITIONS * 3 * MINUTES * 2 * SERIES,
        f"{CONDITIONS} conditions × ${CONDITION:.2f}, 3 series each, twice a minute × $0.35 a million",
    )
    yield _by("Images and zips", lambda _: 2 * STORED, f"2 GiB × ${STORED:.2f}")


def cost_table() -> str:
    """As Markdown, with the sum."""
    made = list(cost_rows())
    total = tuple(sum(line.dollars[at] for line in made) for at in range(len(MONTHS)))
    warm = 30 * 24 * 3600 * (IDLE + MEMORY / 2)
    head = f"| US$ a month, list prices of {AS_OF} | {' | '.join(f'{n:,}' for n in MONTHS)} incidents | how |"
    lines = [head, "| --- | ---: | ---: | ---: | --- |"]
    lines += [f"| {line.what} | {_dollars(line.dollars)} | {line.sum} |" for line in made]
    lines.append(f"| **all** | {_dollars(total)} | without any free allowance |")
    lines.append(
        f"| `warm_decide = true` | {_dollars((warm,) * 3)} | 2,592,000 s × (1 idle vCPU + 0.5 GiB) × $0.0000025 |"
    )
    return "\n".join(lines) + "\n"


def _by(what: str, dollars: Callable[[int], float], told: str) -> Line:
    return Line(what, tuple(dollars(n) for n in MONTHS), told)


def _entries() -> float:
    return ENTRIES * (ENTRY_SECONDS * (CPU + MEMORY / 2) + REQUEST)


def _proof() -> float:
    return (PROOF_SECONDS + COMPILE_SECONDS + ROLLOUT_SECONDS) * (CPU + MEMORY)


def _dollars(held: tuple[float, ...]) -> str:
    return " | ".join(f"{amount:.2f}" for amount in held)


if __name__ == "__main__":
    README.write_text(BLOCK.sub(lambda block: block[1] + cost_table() + block[2], README.read_text("utf-8")), "utf-8")
